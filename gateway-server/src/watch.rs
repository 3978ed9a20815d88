//! Noticing that a file has changed, in a process of its own: whoever watches has threads and waits,
//! and the master does neither.

use std::ffi::{CString, OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::socket::{MsgFlags, send};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::os::fd::Inherited;
use crate::os::{process, signals};
use crate::value::{Seen, Stamp};

/// The first argument of such a process; the second is a descriptor, the rest are the files as they were
/// seen before.
pub(crate) const ROLE: &str = "--gatewayd-watch";

/// The arguments of a process whose end of the socket has this number.
///
/// # Errors
///
/// A path holds a NUL.
pub(crate) fn arguments(socket: RawFd, files: &[Seen]) -> io::Result<Vec<CString>> {
    let mut words = vec![CString::new(ROLE)?, CString::new(socket.to_string())?];
    for file in files {
        words.push(CString::new(file.to_bytes())?);
    }
    Ok(words)
}

/// Watches until the master is gone; `words` are those behind the role.
pub(crate) fn main(words: &[OsString]) -> ExitCode {
    let Some((number, files)) = words.split_first() else {
        return ExitCode::FAILURE;
    };
    let files: Option<Vec<Seen>> = files
        .iter()
        .map(|word| Seen::read(word.as_bytes()))
        .collect();
    let Some(files) = files else {
        return ExitCode::FAILURE;
    };
    match claim(number).and_then(|socket| watch(&socket, files)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn claim(number: &OsStr) -> io::Result<OwnedFd> {
    let number = number.to_str().and_then(|digits| digits.parse().ok());
    let number = number.ok_or(io::ErrorKind::InvalidInput)?;
    let mut inherited = Inherited::claim(vec![number])?;
    let socket = inherited.take(number).ok_or(io::ErrorKind::InvalidInput)?;
    signals::disregard()?;
    process::end_with_parent(&socket);
    process::set_name("gatewayd/watch");
    Ok(socket)
}

fn watch(socket: &OwnedFd, files: Vec<Seen>) -> io::Result<()> {
    let (tell, told) = mpsc::channel();
    // What the kernel says is only a reason to look. Where it says nothing, on a network's file
    // system for one, looking now and then has to do.
    let names: Vec<OsString> = files.iter().filter_map(|file| name(&file.path)).collect();
    let hear = move |event: notify::Result<Event>| {
        let matters = event.is_ok_and(|event| {
            let mut seen = event.paths.iter().filter_map(|path| name(path));
            !matches!(event.kind, EventKind::Access(_)) && seen.any(|name| names.contains(&name))
        });
        if matters {
            // Once nobody listens, the process is about to end.
            let _ = tell.send(());
        }
    };
    let mut watcher = notify::recommended_watcher(hear).ok();
    let mut files: Vec<Watched> = files.into_iter().map(Watched::new).collect();
    loop {
        for file in &mut files {
            file.follow(watcher.as_mut());
        }
        for file in &mut files {
            if file.has_settled(&told) {
                let flags = MsgFlags::MSG_NOSIGNAL;
                send(socket.as_raw_fd(), file.path.as_os_str().as_bytes(), flags)?;
            }
        }
        pause(&told, LOOK);
    }
}

/// A file, and how it looked when it was last told of.
struct Watched {
    path: PathBuf,
    stamp: Option<Stamp>,
    /// The folders in which a change to it shows.
    folders: Vec<PathBuf>,
}

impl Watched {
    fn new(seen: Seen) -> Self {
        Self {
            path: seen.path,
            stamp: seen.stamp,
            folders: Vec::new(),
        }
    }

    /// Watches where the file is and where its name leads, which may be elsewhere than last time.
    fn follow(&mut self, watcher: Option<&mut RecommendedWatcher>) {
        let Some(watcher) = watcher else { return };
        let real = fs::canonicalize(&self.path).ok();
        let places = [Some(self.path.clone()), real].into_iter().flatten();
        let folders: Vec<PathBuf> = places
            .filter_map(|place| place.parent().map(Path::to_owned))
            .collect();
        if folders != self.folders {
            for folder in &folders {
                // What cannot be watched is looked at all the same.
                let _ = watcher.watch(folder, RecursiveMode::NonRecursive);
            }
            self.folders = folders;
        }
    }

    /// Whether the file is another than before and stays as it is for a moment: a build writes for a
    /// while. A file that is gone is not to be loaded; perhaps it is about to be replaced.
    fn has_settled(&mut self, told: &Receiver<()>) -> bool {
        let mut seen = Stamp::of(&self.path);
        if seen == self.stamp {
            return false;
        }
        let mut since = Instant::now();
        while let Some(left) = QUIET.checked_sub(since.elapsed()) {
            pause(told, left);
            let now = Stamp::of(&self.path);
            if now != seen {
                (seen, since) = (now, Instant::now());
            }
        }
        let changed = seen.is_some() && seen != self.stamp;
        if changed {
            self.stamp = seen;
        }
        changed
    }
}

/// Waits until something has happened, at most for so long.
fn pause(told: &Receiver<()>, most: Duration) {
    match told.recv_timeout(most) {
        // One look answers for everything that has happened so far.
        Ok(()) => while told.try_recv().is_ok() {},
        Err(RecvTimeoutError::Timeout) => {}
        // There is no watcher; time passes all the same.
        Err(RecvTimeoutError::Disconnected) => thread::park_timeout(most),
    }
}

fn name(path: &Path) -> Option<OsString> {
    path.file_name().map(OsStr::to_owned)
}

/// How often files are looked at if nobody says that they have changed.
const LOOK: Duration = Duration::from_secs(1);
/// A file is complete when it has not changed for so long.
const QUIET: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_settles_once_for_each_change_and_never_while_it_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("a"), folder.path().join("link"));
        let (_tell, told) = mpsc::channel();
        fs::write(&path, "one").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let mut file = Watched::new(Seen::now(link.clone()));
        assert!(!file.has_settled(&told));
        // What had changed before anybody watched has changed since it was read.
        let seen = Seen::now(link.clone());
        fs::write(&path, "other").unwrap();
        assert!(file.has_settled(&told) && !file.has_settled(&told));
        assert!(Watched::new(seen).has_settled(&told));
        fs::remove_file(&path).unwrap();
        assert!(!file.has_settled(&told));
        fs::write(folder.path().join("b"), "third").unwrap();
        fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink(folder.path().join("b"), &link).unwrap();
        assert!(file.has_settled(&told) && !file.has_settled(&told));
    }
}
