//! Where log lines are written without ever waiting for whoever reads them: a file, a pipe, a terminal
//! or a socket.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, send};

use super::syslog::Syslog;
use crate::value::DatagramPlace;

/// An open file that takes what it has room for, now.
#[derive(Debug)]
pub(super) struct Sink(Way);

#[derive(Debug)]
enum Way {
    File(File, Kind),
    Syslog(Syslog),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Writing waits for nobody: a disk, or a file that says when it would have to.
    Plain,
    /// Somebody else's file, whose flags are not ours to change: it is asked before each write.
    Asked,
    Socket,
}

impl Sink {
    /// Standard output, which other processes have as well. A pipe or a terminal is opened once more, so
    /// that not waiting is our own affair.
    ///
    /// # Errors
    ///
    /// The kernel's: too many open files.
    pub(super) fn stdout() -> io::Result<Self> {
        let file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let found = file.metadata()?.file_type();
        if found.is_fifo() || found.is_char_device() {
            let again = OpenOptions::new()
                .write(true)
                .custom_flags(PATIENCE)
                .open("/proc/self/fd/1");
            if let Ok(again) = again {
                return Ok(Self::of(again));
            }
        }
        Ok(Self::of(file))
    }

    /// A file that [`open`] opened, here or in another process.
    pub(super) fn of(file: File) -> Self {
        let flags = fcntl(&file, FcntlArg::F_GETFL).map(OFlag::from_bits_retain);
        let waits = !flags.is_ok_and(|flags| flags.contains(OFlag::O_NONBLOCK));
        let found = file.metadata().map(|found| found.file_type());
        let kind = match found {
            Ok(found) if found.is_socket() => Kind::Socket,
            Ok(found) if found.is_file() || !waits => Kind::Plain,
            _ => Kind::Asked,
        };
        Self(Way::File(file, kind))
    }

    /// Writes the beginning of `bytes`; to a pipe, up to [`PIPE_BUF`](super::line::PIPE_BUF) of them are
    /// written whole or not.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is no room, else the kernel's.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let (mut file, kind) = match &self.0 {
            Way::Syslog(syslog) => return syslog.send(bytes),
            Way::File(file, kind) => (file, *kind),
        };
        match kind {
            Kind::Plain => file.write(bytes),
            Kind::Asked if !has_room(file.as_fd(), PollTimeout::ZERO) => {
                Err(io::ErrorKind::WouldBlock.into())
            }
            Kind::Asked => file.write(bytes),
            Kind::Socket => {
                let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
                Ok(send(file.as_raw_fd(), bytes, flags)?)
            }
        }
    }

    /// A system's log.
    ///
    /// # Errors
    ///
    /// The kernel's; a host that is not found.
    pub(super) fn syslog(place: &DatagramPlace) -> io::Result<Self> {
        Ok(Self(Way::Syslog(Syslog::open(place)?)))
    }

    /// Whether each line has to be written alone.
    pub(super) fn takes_one_by_one(&self) -> bool {
        matches!(self.0, Way::Syslog(_))
    }

    /// Waits for room, for so many milliseconds at most.
    pub(super) fn wait(&self, most: u16) {
        let socket = match &self.0 {
            Way::File(file, _) => file.as_fd(),
            Way::Syslog(syslog) => syslog.as_fd(),
        };
        has_room(socket, PollTimeout::from(most));
    }
}

/// Opens a file for a log, and creates it if it is not there.
///
/// # Errors
///
/// The kernel's; a pipe that nobody reads is refused rather than waited for.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .custom_flags(PATIENCE)
        .open(path)
}

/// Whether a pipe takes [`PIPE_BUF`](super::line::PIPE_BUF) bytes without waiting, as Linux promises for
/// one that is ready; files and terminals always do. An error is for the write to find out.
pub(super) fn has_room(file: BorrowedFd<'_>, timeout: PollTimeout) -> bool {
    let mut fds = [PollFd::new(file, PollFlags::POLLOUT)];
    !matches!(poll(&mut fds, timeout), Ok(0))
}

/// Nobody is waited for, and no terminal becomes ours.
const PATIENCE: i32 = libc::O_NONBLOCK | libc::O_NOCTTY;

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use super::super::line::PIPE_BUF;
    use super::*;

    #[test]
    fn a_full_pipe_and_a_full_socket_are_not_waited_for() {
        let (reader, pipe) = io::pipe().unwrap();
        let (_peer, socket) = std::os::unix::net::UnixStream::pair().unwrap();
        for file in [OwnedFd::from(pipe), OwnedFd::from(socket)] {
            let sink = Sink::of(File::from(file));
            let full = loop {
                if let Err(error) = sink.write(&[0; PIPE_BUF]) {
                    break error;
                }
            };
            assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
        }
        drop(reader);
    }
}
