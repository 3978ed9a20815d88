//! The master's hold on the process that watches files. What that process does is in `watch`.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::sys::socket::{MsgFlags, recv};
use nix::unistd::Pid;

use crate::config::Config;
use crate::os::process::{self, Image};
use crate::value::Seen;
use crate::{orders, prepare, watch};

/// A watching process; killed on drop.
#[derive(Debug)]
pub(super) struct FileWatcher {
    /// None once it has been reaped, when the number may mean another process.
    pid: Option<Pid>,
    socket: OwnedFd,
    paths: Vec<PathBuf>,
}

/// What it says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// This file is another than before.
    Changed(String),
    /// It is gone.
    Gone,
}

impl FileWatcher {
    /// Starts it, if the configuration asks for it.
    ///
    /// # Errors
    ///
    /// The kernel's: too many processes or files, no memory.
    pub(super) fn start(image: &Image, config: &Config) -> io::Result<Option<Self>> {
        let paths = prepare::watched_files(config);
        if paths.is_empty() {
            return Ok(None);
        }
        let files: Vec<Seen> = paths.iter().map(|path| seen(config, path)).collect();
        let (socket, theirs) = orders::pair()?;
        let arguments = watch::arguments(theirs.as_raw_fd(), &files)?;
        let pid = image.spawn(&arguments, &[theirs.as_fd()])?;
        Ok(Some(Self {
            pid: Some(pid),
            socket,
            paths,
        }))
    }

    /// Whether it watches what the configuration asks for.
    pub(super) fn suits(&self, config: &Config) -> bool {
        self.paths == prepare::watched_files(config)
    }

    /// Notes that a process was reaped.
    pub(super) fn reaped(&mut self, pid: Pid) {
        if self.pid == Some(pid) {
            self.pid = None;
        }
    }

    /// The socket to wait on.
    pub(super) fn ear(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// The next thing it says.
    pub(super) fn hear(&self) -> Option<Heard> {
        let mut packet = [0; MAX_PATH];
        match recv(self.socket.as_raw_fd(), &mut packet, MsgFlags::MSG_DONTWAIT) {
            Ok(0) => Some(Heard::Gone),
            Ok(length) => {
                let path = String::from_utf8_lossy(&packet[..length]).into_owned();
                Some(Heard::Changed(path))
            }
            Err(Errno::EAGAIN | Errno::EINTR) => None,
            Err(_) => Some(Heard::Gone),
        }
    }
}

impl Drop for FileWatcher {
    fn drop(&mut self) {
        if let Some(pid) = self.pid {
            process::send(pid, Signal::SIGKILL);
        }
    }
}

/// How a file looked before it was read for this configuration.
fn seen(config: &Config, path: &Path) -> Seen {
    let known = config.seen.iter().find(|seen| seen.path == path);
    known.cloned().unwrap_or_else(|| Seen::now(path.to_owned()))
}

/// Longest path that is told whole, in bytes.
const MAX_PATH: usize = 4096;
