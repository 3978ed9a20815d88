//! One operator's program on the control socket: it says a line and hears one.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use nix::poll::PollFlags;

use crate::control::{Command, LINE, Reply};

/// A connection. Nothing on it blocks.
#[derive(Debug)]
pub(super) struct Client {
    stream: UnixStream,
    stage: Stage,
    /// What was read of the command, or is unsent of the answer.
    text: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Asking {
        deadline: Duration,
    },
    /// The answer comes when something has ended.
    Waiting,
    Answering {
        deadline: Duration,
    },
    Gone,
}

impl Client {
    /// One who has just connected.
    pub(super) fn new(stream: UnixStream, now: Duration) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            stage: Stage::Asking {
                deadline: now + PATIENCE,
            },
            text: Vec::new(),
        })
    }

    /// The connection.
    pub(super) fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// What to wait for.
    pub(super) fn ear(&self) -> (BorrowedFd<'_>, PollFlags) {
        let flags = match self.stage {
            Stage::Answering { .. } => PollFlags::POLLOUT,
            _ => PollFlags::POLLIN,
        };
        (self.stream.as_fd(), flags)
    }

    /// When its patience, or ours, is over.
    pub(super) fn deadline(&self) -> Option<Duration> {
        match self.stage {
            Stage::Asking { deadline } | Stage::Answering { deadline } => Some(deadline),
            Stage::Waiting | Stage::Gone => None,
        }
    }

    /// Whether it waits for something to end.
    pub(super) fn waits(&self) -> bool {
        self.stage == Stage::Waiting
    }

    /// Whether nothing more is to be said.
    pub(super) fn is_gone(&self) -> bool {
        self.stage == Stage::Gone
    }

    /// Reads or writes as far as it goes; the command, once it is whole.
    pub(super) fn go_on(&mut self, now: Duration) -> Option<Command> {
        if self.deadline().is_some_and(|deadline| now >= deadline) {
            self.stage = Stage::Gone;
        }
        match self.stage {
            Stage::Asking { .. } => self.read(now),
            Stage::Waiting => {
                // It has nothing more to say: whatever comes, it is gone.
                let end = (&self.stream).read(&mut [0; 64]);
                if !matches!(&end, Err(error) if error.kind() == ErrorKind::WouldBlock) {
                    self.stage = Stage::Gone;
                }
                None
            }
            Stage::Answering { .. } => {
                self.write();
                None
            }
            Stage::Gone => None,
        }
    }

    /// The answer will come later.
    pub(super) fn wait(&mut self) {
        self.stage = Stage::Waiting;
    }

    /// Sends the answer.
    pub(super) fn answer(&mut self, reply: &Reply, now: Duration) {
        self.text = reply.line();
        self.stage = Stage::Answering {
            deadline: now + PATIENCE,
        };
        self.write();
    }

    fn read(&mut self, now: Duration) -> Option<Command> {
        let mut part = [0; 4096];
        loop {
            match (&self.stream).read(&mut part) {
                Ok(0) => self.stage = Stage::Gone,
                Ok(count) => self.text.extend_from_slice(&part[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => self.stage = Stage::Gone,
            }
            break;
        }
        let line = match self.text.split(|byte| *byte == b'\n').next() {
            Some(line) if line.len() < self.text.len() => line,
            _ if self.text.len() > LINE => {
                let why = format!("expected a line of at most {LINE} bytes");
                self.answer(&Reply::refused(why), now);
                return None;
            }
            _ => return None,
        };
        match serde_json::from_slice(line) {
            Ok(command) => Some(command),
            Err(error) => {
                self.answer(&Reply::refused(format!("not a command: {error}")), now);
                None
            }
        }
    }

    fn write(&mut self) {
        while !self.text.is_empty() {
            match (&self.stream).write(&self.text) {
                Ok(count) => drop(self.text.drain(..count)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => break,
            }
        }
        self.stage = Stage::Gone;
    }
}

/// To say a command, and to take an answer.
const PATIENCE: Duration = Duration::from_secs(5);
