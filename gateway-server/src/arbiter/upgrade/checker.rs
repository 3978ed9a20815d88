//! The master's hold on the new program while that finds out whether it can take over.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::Start;
use super::plan::{CHECK_ROLE, Plan};
use crate::arbiter::event::Generation;
use crate::orders::{self, Order};
use crate::os::memfd;
use crate::os::process::{self, Image};
use crate::prepare::{Goods, Parcel};

/// A process that checks, from its start until it is reaped.
#[derive(Debug)]
pub(crate) struct Checker {
    pub(super) image: Image,
    pub(super) generation: Generation,
    /// What the new program is to begin with, once it has found that good.
    pub(super) found: Option<Goods>,
    pid: Pid,
    socket: OwnedFd,
    deaf: bool,
}

impl Checker {
    /// Starts the new program, opened afresh, with a look at `state`.
    ///
    /// # Errors
    ///
    /// The program's path and what is wrong with it, or the kernel's.
    pub(super) fn start(start: &Start, generation: Generation, state: &[u8]) -> io::Result<Self> {
        let image = Image::open(&start.program, &start.name).map_err(|error| {
            let path = start.program.display();
            io::Error::new(error.kind(), format!("{path}: cannot start it: {error}"))
        })?;
        let state = memfd::sealed("gatewayd-state", state)?;
        let (socket, theirs) = orders::pair()?;
        let plan = Plan {
            image: image.as_fd().as_raw_fd(),
            state: state.as_raw_fd(),
            report: Some(theirs.as_raw_fd()),
            config: None,
            apps: Vec::new(),
            tls: None,
        };
        let inherited = [image.as_fd(), state.as_fd(), theirs.as_fd()];
        let pid = image.spawn(&start.arguments(CHECK_ROLE, &plan)?, &inherited)?;
        Ok(Self {
            image,
            generation,
            found: None,
            pid,
            socket,
            deaf: false,
        })
    }

    /// Its process number; its own until it is reaped.
    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// The socket to wait on, while there may be more to hear.
    pub(crate) fn ear(&self) -> Option<BorrowedFd<'_>> {
        (!self.deaf).then(|| self.socket.as_fd())
    }

    /// What it says: nothing wrong, or what. It says so once.
    pub(crate) fn hear(&mut self) -> Option<Result<(), String>> {
        if self.deaf {
            return None;
        }
        let parcel = Parcel::receive(&self.socket).transpose()?;
        self.deaf = true;
        match parcel {
            Ok(Parcel::Ready(goods)) => {
                self.found = Some(goods);
                Some(Ok(()))
            }
            Ok(Parcel::Refused(reasons)) => Some(Err(reasons.join("; "))),
            // It has ended, or is no program of ours: its exit says more.
            Err(_) => None,
        }
    }

    /// Tells it to end, its worker included.
    pub(crate) fn end(&self) {
        if let Err(error) = Order::StopNow.send(&self.socket) {
            tracing::debug!("process {} is told nothing: {error}", self.pid);
        }
    }

    /// Sends KILL.
    pub(crate) fn kill(&self) {
        tracing::debug!("the check in process {} is killed", self.pid);
        process::send(self.pid, Signal::SIGKILL);
    }
}
