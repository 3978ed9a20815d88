//! What a state consists of.

use std::os::fd::RawFd;
use std::path::PathBuf;
use std::time::Duration;

use nix::unistd::Pid;

use super::names::VERSION;
use crate::arbiter::event::WorkerId;
use crate::arbiter::state::Saved;
use crate::net::{Bind, LeftListener};
use crate::scoreboard::Layout;

/// All that a new program needs to go on where the old one stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Handover {
    /// Where the program is looked for at the next upgrade.
    pub(in super::super) program: PathBuf,
    /// The master's clock, from which the deadlines count.
    pub(in super::super) clock: Duration,
    /// Requests answered by workers that are gone.
    pub(in super::super) requests: u64,
    /// What they have counted, and what else was, by name; a program of before says nothing of it.
    pub(in super::super) totals: Vec<(String, u64)>,
    /// What the arbiter knows.
    pub(in super::super) state: Saved,
    /// The names of all pools but the first, by their numbers.
    pub(in super::super) pools: Vec<String>,
    /// Where the server listens, as it was asked to.
    pub(in super::super) binds: Vec<Bind>,
    /// Its own listeners.
    pub(in super::super) listeners: Vec<LeftListener<RawFd>>,
    /// Where operators connect to.
    pub(in super::super) admin: Option<LeftListener<RawFd>>,
    /// The listeners that it was started with.
    pub(in super::super) passed: Vec<PassedRecord>,
    /// The control socket.
    pub(in super::super) control: Option<LeftListener<RawFd>>,
    /// The pid file and where it is.
    pub(in super::super) pid_file: Option<(RawFd, PathBuf)>,
    /// The keys of TLS session tickets; a program of before had none.
    pub(in super::super) tickets: Option<RawFd>,
    /// What applications have counted; a program of before kept none.
    pub(in super::super) app_metrics: Option<RawFd>,
    /// Settings that only a restart can change, and their values.
    pub(in super::super) kept: Vec<(String, Vec<String>)>,
    /// The processes behind the workers.
    pub(in super::super) processes: Vec<ProcessRecord>,
}

/// A listening socket that somebody else has opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct PassedRecord {
    /// The number that it was passed as.
    pub(in super::super) number: RawFd,
    /// The descriptor that it is kept as.
    pub(in super::super) socket: RawFd,
    /// What systemd calls it.
    pub(in super::super) name: Option<String>,
}

/// A worker process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct ProcessRecord {
    pub(in super::super) worker: WorkerId,
    pub(in super::super) pid: Pid,
    pub(in super::super) orders: RawFd,
    pub(in super::super) page: RawFd,
    /// The numbers that the worker's copies of the applications have there.
    pub(in super::super) apps: Vec<RawFd>,
    pub(in super::super) layout: Layout,
    /// Where it writes its access log.
    pub(in super::super) log: Option<PathBuf>,
}

/// Why a state cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub(in super::super) enum HandoverError {
    /// It does not begin as a state does.
    #[error("expected the state of a running server, found other bytes")]
    Foreign,
    /// It was written by a program of another time.
    #[error("expected a server's state of version {VERSION}, found version {0}")]
    Version(String),
    /// A record does not hold what it should.
    #[error("the server's state: cannot read `{0}`")]
    Record(String),
    /// A record is not there.
    #[error("the server's state: `{0}` is missing")]
    Missing(&'static str),
}

impl Handover {
    /// Every descriptor that the state speaks of.
    pub(in super::super) fn descriptors(&self) -> Vec<RawFd> {
        let own = || {
            let others = self.control.iter().chain(&self.admin);
            self.listeners.iter().chain(others)
        };
        let sockets = own().map(|one| one.socket);
        let claims = own().filter_map(|one| one.claim);
        let pid_file = self.pid_file.iter().map(|(file, _)| *file);
        let workers = self.processes.iter().flat_map(|one| [one.orders, one.page]);
        let passed = self.passed.iter().map(|one| one.socket);
        let held = sockets
            .chain(claims)
            .chain(passed)
            .chain(pid_file)
            .chain(self.tickets)
            .chain(self.app_metrics);
        held.chain(workers).collect()
    }
}
