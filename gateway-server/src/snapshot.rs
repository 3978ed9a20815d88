//! The application's file as it was at one moment: a sealed copy in memory, or a file in a folder of the
//! operator's choice, which all workers of a generation load. Overwriting or truncating a library that processes have mapped kills them; nothing
//! that happens to the file can touch the copy.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use nix::libc;
use nix::unistd::geteuid;

use crate::app_source;
use crate::os::memfd;

/// Copies the file at `path` into sealed memory, or into a file in `folder`, which whoever holds the
/// descriptor keeps from being [swept](sweep) away. The path is resolved anew each time, so a link such as
/// `current/app.so` may have moved on since the last.
///
/// # Errors
///
/// The file cannot be read, or does not keep still while it is copied.
pub(crate) fn take(path: &Path, folder: Option<&Path>) -> Result<OwnedFd, SnapshotError> {
    folder.into_iter().for_each(sweep);
    let unreadable = |source| SnapshotError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let name = path
        .file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy();
    for _ in 0..ATTEMPTS {
        let (mut file, before) = find(path)?;
        let mut copy = match folder {
            None => Copy::Memory(memfd::create(&name).map_err(SnapshotError::Memory)?),
            Some(folder) => Copy::file_in(folder, &name, &before)?,
        };
        let copied = io::copy(&mut file, copy.file()).map_err(unreadable)?;
        let after = file.metadata().map_err(unreadable)?;
        if copied == before.size() && stamp(&before) == stamp(&after) {
            return copy.finish();
        }
    }
    Err(SnapshotError::Changing {
        path: path.to_owned(),
    })
}

/// Opens the application's file.
///
/// # Errors
///
/// There is none, or it cannot be read.
pub(crate) fn find(path: &Path) -> Result<(File, Metadata), SnapshotError> {
    let unreadable = |source| SnapshotError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = open(path, 0).map_err(unreadable)?;
    let found = file.metadata().map_err(unreadable)?;
    if found.is_file() {
        return Ok((file, found));
    }
    app_source::refuse_folder(path).map_err(|message| SnapshotError::ASource {
        path: path.to_owned(),
        message,
    })?;
    Err(SnapshotError::NotAFile {
        path: path.to_owned(),
    })
}

/// Removes the copies in a folder that no process holds any more, whichever server of this user has made
/// them.
pub(crate) fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        // Whoever wants to put a copy there is told.
        return;
    };
    for entry in entries.map_while(Result::ok) {
        if !entry.file_name().as_bytes().starts_with(PREFIX.as_bytes()) {
            continue;
        }
        let Some(file) = open_copy(&entry.path()) else {
            continue;
        };
        // Locked until it is gone: whoever has just made it will notice.
        if file.try_lock().is_ok()
            && let Err(error) = fs::remove_file(entry.path())
        {
            tracing::warn!("cannot remove {}: {error}", entry.path().display());
        }
    }
}

/// A copy while it is made.
enum Copy {
    Memory(File),
    /// A file that is being written, and the descriptor that holds it, by a lock.
    File {
        writing: File,
        held: File,
    },
}

impl Copy {
    /// An empty file in a folder, readable for the group and the others that may read the original.
    fn file_in(folder: &Path, name: &str, original: &Metadata) -> Result<Self, SnapshotError> {
        let failed = |source| SnapshotError::Folder {
            folder: folder.to_owned(),
            source,
        };
        for _ in 0..ATTEMPTS {
            let chance = RandomState::new().build_hasher().finish();
            let path = folder.join(format!("{PREFIX}{chance:016x}-{name}"));
            let writing = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(original.mode() & 0o500)
                .open(&path)
                .map_err(failed)?;
            admit_readers(&writing, original).map_err(failed)?;
            let held = open(&path, libc::O_NOFOLLOW).map_err(failed)?;
            // Somebody may have swept between the two.
            let locked = held.try_lock_shared().is_ok();
            if locked && held.metadata().is_ok_and(|found| found.nlink() > 0) {
                return Ok(Self::File { writing, held });
            }
        }
        Err(failed(io::ErrorKind::ResourceBusy.into()))
    }

    fn file(&mut self) -> &mut File {
        match self {
            Self::Memory(file) => file,
            Self::File { writing, .. } => writing,
        }
    }

    fn finish(self) -> Result<OwnedFd, SnapshotError> {
        match self {
            Self::Memory(file) => {
                memfd::seal(&file).map_err(SnapshotError::Memory)?;
                Ok(file.into())
            }
            Self::File { held, .. } => Ok(held.into()),
        }
    }
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SnapshotError {
    /// The file cannot be opened or read.
    #[error("{}: cannot read the application: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// It is a folder, from which an application may be built.
    #[error("{}: {message}", path.display())]
    ASource {
        /// The folder.
        path: PathBuf,
        /// What to do with it.
        message: String,
    },
    /// It is a socket or the like.
    #[error("{}: expected a shared object, found no regular file", path.display())]
    NotAFile {
        /// What is none.
        path: PathBuf,
    },
    /// It changed while it was copied, each time.
    #[error("{}: the application is being written; try again when its build is done", path.display())]
    Changing {
        /// The file.
        path: PathBuf,
    },
    /// The copy cannot be put into the folder.
    #[error("--snapshot-dir {}: cannot copy the application there: {source}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// There is no memory for the copy.
    #[error("cannot copy the application into memory: {0}")]
    Memory(#[source] io::Error),
}

/// Opens without waiting for somebody to write, as opening a pipe would.
fn open(path: &Path, more: libc::c_int) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | more)
        .open(path)
}

/// Opens what a server of this user has left, and nothing that others have put there under such a name.
fn open_copy(path: &Path) -> Option<File> {
    let file = open(path, libc::O_NOFOLLOW).ok()?;
    let found = file.metadata().ok()?;
    (found.is_file() && found.uid() == geteuid().as_raw()).then_some(file)
}

/// Gives the copy the group and the permissions of the original, as far as this process may.
fn admit_readers(copy: &File, original: &Metadata) -> io::Result<()> {
    let same = copy.metadata()?.gid() == original.gid();
    // Another group is not let in instead.
    let group = match same || fchown(copy, None, Some(original.gid())).is_ok() {
        true => 0o050,
        false => 0,
    };
    let mode = original.mode() & (0o505 | group);
    copy.set_permissions(Permissions::from_mode(mode))
}

/// How the names of copies begin.
const PREFIX: &str = "gatewayd-snapshot-";

/// How often a file that changes under the copy is tried again.
const ATTEMPTS: usize = 5;

/// What differs when a file has been written.
fn stamp(file: &Metadata) -> (u64, i64, i64, i64, i64) {
    (
        file.size(),
        file.mtime(),
        file.mtime_nsec(),
        file.ctime(),
        file.ctime_nsec(),
    )
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};

    use super::*;

    #[test]
    fn the_copy_survives_what_happens_to_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.so");
        let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        fs::write(&path, &bytes).unwrap();
        let mut copy = File::from(take(&path, None).unwrap());
        fs::write(&path, b"truncated").unwrap();
        fs::remove_file(&path).unwrap();
        let mut read = Vec::new();
        copy.rewind().unwrap();
        copy.read_to_end(&mut read).unwrap();
        assert_eq!(read, bytes);
    }

    #[test]
    fn a_missing_file_and_a_folder_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let missing = take(&folder.path().join("none.so"), None).unwrap_err();
        assert!(matches!(missing, SnapshotError::Unreadable { .. }));
        assert!(missing.to_string().contains("none.so"));
        assert!(matches!(
            take(folder.path(), None),
            Err(SnapshotError::ASource { .. })
        ));
    }

    #[test]
    fn a_pipe_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.so");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(matches!(
            take(&path, None),
            Err(SnapshotError::NotAFile { .. })
        ));
    }

    #[test]
    fn a_copy_in_a_folder_stays_for_as_long_as_anybody_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.so");
        fs::write(&path, b"bytes").unwrap();
        let there = || fs::read_dir(folder.path()).unwrap().count() - 1;
        let first = take(&path, Some(folder.path())).unwrap();
        let second = take(&path, Some(folder.path())).unwrap();
        let again = first.try_clone().unwrap();
        drop(first);
        sweep(folder.path());
        assert_eq!(there(), 2);
        let mut read = Vec::new();
        File::from(again).read_to_end(&mut read).unwrap();
        assert_eq!(read, b"bytes");
        sweep(folder.path());
        assert_eq!(there(), 1);
        drop(second);
        sweep(folder.path());
        assert_eq!(there(), 0);
        let missing = folder.path().join("missing");
        let error = take(&path, Some(&missing)).unwrap_err().to_string();
        assert!(error.contains("missing"), "{error}");
    }

    #[test]
    fn a_copy_in_a_folder_is_for_those_who_may_read_the_original() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.so");
        fs::write(&path, b"bytes").unwrap();
        if geteuid().is_root() {
            std::os::unix::fs::chown(&path, None, Some(1)).unwrap();
        }
        let mode = |mode| fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        for (original, copy) in [(0o750, 0o550), (0o640, 0o440), (0o2755, 0o555)] {
            mode(original);
            let taken = File::from(take(&path, Some(folder.path())).unwrap());
            let (found, wanted) = (taken.metadata().unwrap(), fs::metadata(&path).unwrap());
            assert_eq!(found.mode() & 0o7777, copy);
            assert_eq!(found.gid(), wanted.gid());
        }
    }

    #[test]
    fn what_others_put_there_is_not_swept() {
        let folder = tempfile::tempdir().unwrap();
        let precious = folder.path().join("precious");
        fs::write(&precious, b"bytes").unwrap();
        let named = |name: &str| folder.path().join(format!("{PREFIX}{name}"));
        std::os::unix::fs::symlink(&precious, named("link")).unwrap();
        nix::unistd::mkfifo(&named("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        fs::write(named("another-user"), b"bytes").unwrap();
        if geteuid().is_root() {
            std::os::unix::fs::chown(named("another-user"), Some(1), None).unwrap();
        } else {
            fs::remove_file(named("another-user")).unwrap();
        }
        let before = fs::read_dir(folder.path()).unwrap().count();
        sweep(folder.path());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), before);
    }
}
