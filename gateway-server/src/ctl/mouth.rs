//! A connection to the control socket.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::net::sockopt::socket_peercred;
use rustix::process::{PidfdFlags, pidfd_open};

use crate::control::{Command, Reply};

/// A connection on which one command is said, and the time in which everything has to be over.
#[derive(Debug)]
pub(super) struct Mouth {
    path: PathBuf,
    deadline: Instant,
    stream: UnixStream,
}

/// What the server has said.
#[derive(Debug)]
pub(super) enum Said {
    /// An answer.
    Reply(Box<Reply>),
    /// It has closed the connection.
    Nothing,
}

impl Mouth {
    /// Connects.
    ///
    /// # Errors
    ///
    /// In words: nobody is there, or does not listen to this user.
    pub(super) fn open(path: &Path, timeout: Duration) -> Result<Self, String> {
        let stream = UnixStream::connect(path).map_err(|error| {
            let path = path.display();
            format!(
                "cannot reach a server at {path}: {error}; it needs --control {path} to be there"
            )
        })?;
        Ok(Self {
            path: path.to_owned(),
            deadline: Instant::now() + timeout,
            stream,
        })
    }

    /// Connects again, to a server that is just opening another socket.
    ///
    /// # Errors
    ///
    /// In words: it did not.
    pub(super) fn open_again(&mut self) -> Result<(), String> {
        let deadline = self.deadline.min(Instant::now() + REOPENING);
        loop {
            match UnixStream::connect(&self.path) {
                Ok(stream) => {
                    self.stream = stream;
                    return Ok(());
                }
                Err(error) if Instant::now() >= deadline => {
                    return Err(format!("the server has ended: {error}"));
                }
                Err(_) => thread::park_timeout(BETWEEN_TRIES),
            }
        }
    }

    /// The process at the other end, to be waited for; none if it is gone, or cannot be seen from here.
    pub(super) fn master(&self) -> Option<OwnedFd> {
        let peer = socket_peercred(&self.stream).ok()?;
        pidfd_open(peer.pid, PidfdFlags::empty()).ok()
    }

    /// Waits until a process has ended. It closes its connections some time before that.
    ///
    /// # Errors
    ///
    /// In words: time ran out.
    pub(super) fn await_end(&self, process: &OwnedFd) -> Result<(), String> {
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            // Rounded up, or the last fraction of a millisecond would be spent spinning.
            let left = left + Duration::from_micros(999);
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            let mut fds = [PollFd::new(process.as_fd(), PollFlags::POLLIN)];
            match poll(&mut fds, timeout) {
                Ok(0) if Instant::now() >= self.deadline => {
                    return Err("the server has not ended in time".to_owned());
                }
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(format!("cannot wait for the server: {error}")),
            }
        }
    }

    /// Says a command and waits for the answer.
    ///
    /// # Errors
    ///
    /// In words: the connection broke, time ran out, or what came is no answer.
    pub(super) fn ask(&mut self, command: &Command) -> Result<Said, String> {
        // A server that has closed the connection may still have said why.
        let _ = self.stream.write_all(&command.line());
        let mut text = String::new();
        let mut reader = BufReader::new(&self.stream).take(ANSWER);
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err("no answer in time".to_owned());
            }
            self.stream
                .set_read_timeout(Some(left))
                .map_err(|error| error.to_string())?;
            match reader.read_line(&mut text) {
                Ok(0) if text.is_empty() => return Ok(Said::Nothing),
                Ok(_) => break,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                    return Ok(Said::Nothing);
                }
                Err(error) => return Err(format!("the connection broke: {error}")),
            }
        }
        serde_json::from_str(&text)
            .map(|reply| Said::Reply(Box::new(reply)))
            .map_err(|error| format!("the server's answer is none of gatewayd's: {error}"))
    }
}

/// Between the end of one program's socket and the beginning of the next one's, at most.
const REOPENING: Duration = Duration::from_secs(5);
const BETWEEN_TRIES: Duration = Duration::from_millis(20);
/// Longest answer, in bytes.
const ANSWER: u64 = 1 << 20;
