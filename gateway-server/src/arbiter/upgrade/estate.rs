//! The old program's side of an upgrade: what it has, and how that is handed over.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::time::Duration;

use super::handover::{Handover, PassedRecord, ProcessRecord};
use super::plan::{ADOPT_ROLE, Plan};
use super::{Checker, Start};
use crate::arbiter::event::{Generation, WorkerId};
use crate::arbiter::ledger::Ledger;
use crate::arbiter::releases::Releases;
use crate::arbiter::state::State;
use crate::arbiter::worker_handle::WorkerHandle;
use crate::net::{LeftListener, Listener, LockFile};
use crate::os::memfd;
use crate::scoreboard::Counter;

/// All that a master leaves to its successor.
#[derive(Debug)]
pub(crate) struct Estate<'a> {
    pub(crate) start: &'a Start,
    pub(crate) state: &'a State,
    pub(crate) clock: Duration,
    pub(crate) control: Option<&'a Listener>,
    pub(crate) ledger: &'a Ledger,
    /// Where operators look.
    pub(crate) admin: Option<&'a Listener>,
    pub(crate) pid_file: Option<&'a LockFile>,
    /// The keys of TLS session tickets.
    pub(crate) tickets: BorrowedFd<'a>,
    /// What applications have counted.
    pub(crate) app_metrics: Option<BorrowedFd<'a>>,
    pub(crate) releases: &'a Releases,
    pub(crate) workers: &'a BTreeMap<WorkerId, WorkerHandle>,
}

impl Estate<'_> {
    /// Lets the new program find out whether it could take this over.
    ///
    /// # Errors
    ///
    /// The program's path and what is wrong with it, or the kernel's.
    pub(crate) fn check(&self, generation: Generation) -> io::Result<Checker> {
        Checker::start(self.start, generation, &self.record(generation).to_bytes())
    }

    /// Makes this process the new program. Returns only if that fails, with nothing changed.
    pub(crate) fn hand_over(&self, checker: &Checker) -> io::Error {
        match self.try_hand_over(checker) {
            Ok(never) => match never {},
            Err(error) => error,
        }
    }

    fn try_hand_over(&self, checker: &Checker) -> io::Result<Infallible> {
        let found = checker.found.as_ref();
        let found = found.ok_or_else(|| io::Error::other("its check has not ended"))?;
        let record = self.record(checker.generation);
        let state: OwnedFd = memfd::sealed("gatewayd-state", &record.to_bytes())?;
        let plan = Plan {
            image: checker.image.as_fd().as_raw_fd(),
            state: state.as_raw_fd(),
            report: None,
            config: Some(found.config.as_raw_fd()),
            apps: found.apps.iter().map(AsRawFd::as_raw_fd).collect(),
            tls: found.tls.as_ref().map(AsRawFd::as_raw_fd),
        };
        let arguments = self.start.arguments(ADOPT_ROLE, &plan)?;
        let mut inherited: Vec<BorrowedFd<'_>> =
            vec![checker.image.as_fd(), state.as_fd(), found.config.as_fd()];
        inherited.extend(found.apps.iter().chain(&found.tls).map(AsFd::as_fd));
        inherited.extend(self.pid_file.map(AsFd::as_fd));
        inherited.push(self.tickets);
        inherited.extend(self.app_metrics);
        let others = self.control.into_iter().chain(self.admin);
        for left in self.own_listeners().chain(others.map(Listener::leave)) {
            inherited.push(left.socket);
            inherited.extend(left.claim);
        }
        let passed = self.releases.passed().leave();
        inherited.extend(passed.map(|(_, _, listener)| listener.as_fd()));
        inherited.extend(self.workers.values().flat_map(WorkerHandle::descriptors));
        Err(checker.image.become_it(&arguments, &inherited))
    }

    fn own_listeners(&self) -> impl Iterator<Item = LeftListener<BorrowedFd<'_>>> {
        let own = self
            .releases
            .serving()
            .listeners
            .iter()
            .filter(|one| one.is_own());
        own.map(|one| one.leave())
    }

    fn record(&self, generation: Generation) -> Handover {
        let process = |(id, one): (&WorkerId, &WorkerHandle)| {
            let [orders, page] = one.descriptors().map(|fd| fd.as_raw_fd());
            ProcessRecord {
                worker: *id,
                pid: one.pid(),
                orders,
                page,
                apps: one.apps().to_vec(),
                layout: one.page().layout().clone(),
                log: one.logs().access().map(Path::to_owned),
            }
        };
        let pid_file = |file: &LockFile| (file.as_fd().as_raw_fd(), file.path().to_owned());
        Handover {
            program: self.start.program.clone(),
            clock: self.clock,
            requests: self.ledger.total(Counter::Requests),
            totals: self.ledger.leave(),
            state: self.state.save(generation),
            binds: self.releases.binds(),
            pools: self.releases.pools().others().to_vec(),
            listeners: self.own_listeners().map(numbers).collect(),
            admin: self.admin.map(|one| numbers(one.leave())),
            passed: self.releases.passed().leave().map(passed).collect(),
            control: self.control.map(|one| numbers(one.leave())),
            pid_file: self.pid_file.map(pid_file),
            tickets: Some(self.tickets.as_raw_fd()),
            app_metrics: self.app_metrics.map(|book| book.as_raw_fd()),
            kept: self.releases.only_restarts_change(),
            processes: self.workers.iter().map(process).collect(),
        }
    }
}

fn passed((number, name, listener): (RawFd, Option<&str>, &Listener)) -> PassedRecord {
    PassedRecord {
        number,
        socket: listener.as_fd().as_raw_fd(),
        name: name.map(str::to_owned),
    }
}

fn numbers(left: LeftListener<BorrowedFd<'_>>) -> LeftListener<RawFd> {
    LeftListener {
        socket: left.socket.as_raw_fd(),
        claim: left.claim.map(|claim| claim.as_raw_fd()),
        asked: left.asked,
        address: left.address,
        path: left.path,
    }
}
