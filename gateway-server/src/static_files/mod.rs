//! Folders of files that the server answers from itself, before the application is asked.
//!
//! What is answered is decided here, without a socket: a path leads to a file, the file and the
//! request's conditions to a status, fields and a part of the file. Files are opened in the event loop,
//! as docs/rationale.md explains.

mod asked;
mod conditions;
mod folder;
mod kind;
mod mount;
mod names;
mod range;
mod reply;
mod tag;
mod variant;

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gateway_spec::abi::method;

pub(crate) use self::asked::Asked;
pub(crate) use self::mount::{StaticMount, UrlPath};
pub(crate) use self::reply::{Content, Line, Reply};

use self::conditions::{Verdict, judge};
use self::folder::{Folder, Opened};
use self::names::Names;
use self::range::Ranged;
use self::reply::Freshness;
use self::variant::Variant;

/// Which folders are served, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct StaticOptions {
    /// The folders.
    pub(crate) mounts: Vec<StaticMount>,
    /// How long clients may use a file without asking again.
    pub(crate) max_age: Duration,
    /// Below which paths files never change.
    pub(crate) immutable: Vec<UrlPath>,
}

/// The folders, opened.
#[derive(Debug)]
pub(crate) struct StaticFiles {
    /// Those with the longest paths first.
    mounts: Vec<Mount>,
    max_age: Duration,
    immutable: Vec<UrlPath>,
}

#[derive(Debug)]
struct Mount {
    path: UrlPath,
    folder: Folder,
}

/// A folder that cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("static {mount}: cannot open the folder: {cause}")]
pub(crate) struct FolderError {
    mount: StaticMount,
    cause: io::Error,
}

impl StaticFiles {
    /// Opens the folders, as whoever this process is now; none if there are none.
    ///
    /// # Errors
    ///
    /// A folder cannot be opened.
    pub(crate) fn open(options: &StaticOptions) -> Result<Option<Self>, FolderError> {
        let mut mounts = Vec::new();
        for mount in &options.mounts {
            let folder = Folder::open(&mount.folder).map_err(|cause| FolderError {
                mount: mount.clone(),
                cause,
            })?;
            let path = mount.path.clone();
            mounts.push(Mount { path, folder });
        }
        mounts.sort_by_key(|mount| std::cmp::Reverse(mount.path.depth()));
        let files = Self {
            mounts,
            max_age: options.max_age,
            immutable: options.immutable.clone(),
        };
        Ok((!files.mounts.is_empty()).then_some(files))
    }

    /// Whether a request with this path may be for a file.
    pub(crate) fn concern(&self, path: &[u8]) -> bool {
        let mut mounts = self.mounts.iter();
        mounts.any(|mount| mount.path.strip(path).is_some())
    }

    /// The answer to a request, or `None` if it is the application's.
    ///
    /// Whatever lies below a mount's path is the mount's, except at `/`: there the application is asked
    /// for what is no file, and for everything but GET and HEAD.
    pub(crate) fn answer(&self, asked: &Asked<'_>, now: SystemTime) -> Option<Reply> {
        let mut mounts = self.mounts.iter();
        let (mount, rest) =
            mounts.find_map(|mount| Some((mount, mount.path.strip(asked.path)?)))?;
        let everywhere = mount.path.depth() == 0;
        if !matches!(asked.method_id, method::GET | method::HEAD) {
            return (!everywhere).then(|| Reply::of_method(asked.method_id));
        }
        let found = match Names::read(rest) {
            Some(names) => self.found(mount, &names, asked, now),
            None => Ok(None),
        };
        match found {
            Ok(None) if everywhere => None,
            Ok(None) => Some(Reply::error(404)),
            Ok(Some(reply)) => Some(reply),
            Err(error) => {
                let path = asked.path.escape_ascii();
                tracing::warn!("static {}: cannot open {path}: {error}", mount.path);
                Some(Reply::error(status_of(&error)))
            }
        }
    }

    fn found(
        &self,
        mount: &Mount,
        names: &Names,
        asked: &Asked<'_>,
        now: SystemTime,
    ) -> io::Result<Option<Reply>> {
        if names.is_folder {
            let index = names.index();
            let opened = mount.folder.open_file(&index)?;
            return Ok(opened.map(|opened| self.reply(mount, &index, opened, asked, now)));
        }
        if !names.path.is_empty()
            && let Some(opened) = mount.folder.open_file(&names.path)?
        {
            return Ok(Some(self.reply(mount, &names.path, opened, asked, now)));
        }
        // A folder is sent on to its index, so that relative links on that page work.
        let index = mount.folder.open_file(&names.index())?;
        Ok(index.map(|_| Reply::to_folder(asked)))
    }

    fn reply(
        &self,
        mount: &Mount,
        path: &[u8],
        original: Opened,
        asked: &Asked<'_>,
        now: SystemTime,
    ) -> Reply {
        let kind = kind::of_name(path);
        let variant = Variant::choose(&mount.folder, path, original, asked.accepted);
        let tag = variant.tag(now);
        // What a field can say, and not later than now (RFC 9110 §8.8.2.1).
        let changed = variant.opened.changed.min(now).max(UNIX_EPOCH);
        let freshness = Freshness {
            tag: &tag,
            changed,
            max_age: self.max_age,
            immutable: self
                .immutable
                .iter()
                .any(|one| one.strip(asked.path).is_some()),
        };
        let ranged = match judge(asked, &tag, changed) {
            Verdict::Failed => return Reply::error(412),
            Verdict::NotModified => return Reply::not_modified(&freshness),
            Verdict::Whole => Ranged::Whole,
            Verdict::Proceed => Ranged::read(asked, variant.opened.length),
        };
        Reply::file(variant, kind, ranged, &freshness)
    }
}

fn status_of(error: &io::Error) -> u16 {
    match error.kind() {
        io::ErrorKind::PermissionDenied => 403,
        _ if is_exhausted(error) => 503,
        _ => 500,
    }
}

/// Whether there are too many open files.
fn is_exhausted(error: &io::Error) -> bool {
    let errno = rustix::io::Errno::from_io_error(error);
    errno.is_some_and(|errno| matches!(errno, rustix::io::Errno::MFILE | rustix::io::Errno::NFILE))
}

#[cfg(test)]
mod tests;
