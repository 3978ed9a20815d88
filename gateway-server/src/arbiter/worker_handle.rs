//! The master's hold on one worker process: its number, its socket, its page. What the worker itself
//! does is in `worker`.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::rc::Rc;

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::event::{Generation, PoolId, WorkerId};
use crate::config::Config;
use crate::log_files::LogFiles;
use crate::net::Listener;
use crate::orders::{self, Order, Received, Report};
use crate::os::process::{self, Image};
use crate::scoreboard::{Counter, InFlight, Page};
use crate::worker::{Plan, ROLE, WorkerIdentity};

/// A worker process, from its start until it is reaped.
#[derive(Debug)]
pub(super) struct WorkerHandle {
    pid: Pid,
    pool: PoolId,
    generation: Generation,
    orders: OwnedFd,
    page: Page,
    apps: Vec<RawFd>,
    logs: LogFiles,
    /// Its end of the socket is closed, or speaks nonsense: there is nothing more to hear.
    deaf: bool,
}

/// What every worker of a pool is given.
#[derive(Debug)]
pub(super) struct Provisions<'a> {
    pub(super) pool: PoolId,
    pub(super) image: &'a Image,
    /// What stands in its environment beside the server's own.
    pub(super) environment: &'a Config,
    pub(super) config: BorrowedFd<'a>,
    pub(super) shares: BorrowedFd<'a>,
    /// Where applications count, if anybody reads that.
    pub(super) metrics: Option<BorrowedFd<'a>>,
    pub(super) apps: &'a [Rc<OwnedFd>],
    pub(super) tls: Option<BorrowedFd<'a>>,
    /// The keys of session tickets, which go with those.
    pub(super) tickets: BorrowedFd<'a>,
    pub(super) logs: LogFiles,
    pub(super) listeners: &'a [Rc<Listener>],
}

impl WorkerHandle {
    /// Starts a worker.
    ///
    /// # Errors
    ///
    /// The kernel's: too many processes or files, no memory.
    pub(super) fn start(
        provisions: &Provisions<'_>,
        (id, slot): (WorkerId, u32),
        count: u32,
        generation: Generation,
    ) -> io::Result<Self> {
        let (orders, theirs) = orders::pair()?;
        let page = Page::create()?;
        let plan = Plan {
            identity: WorkerIdentity {
                id: id.0,
                index: slot,
                count,
                generation: generation.0,
            },
            config: provisions.config.as_raw_fd(),
            orders: theirs.as_raw_fd(),
            slot: page.as_fd().as_raw_fd(),
            shares: provisions.shares.as_raw_fd(),
            apps: provisions.apps.iter().map(|app| app.as_raw_fd()).collect(),
            tls: provisions.tls.map(|tls| tls.as_raw_fd()),
            tickets: provisions.tls.map(|_| provisions.tickets.as_raw_fd()),
            metrics: provisions.metrics.map(|metrics| metrics.as_raw_fd()),
            listeners: provisions
                .listeners
                .iter()
                .map(|one| (one.as_fd().as_raw_fd(), one.tenure()))
                .collect(),
        };
        let mut inherited = vec![
            provisions.config,
            theirs.as_fd(),
            page.as_fd(),
            provisions.shares,
        ];
        inherited.extend(provisions.apps.iter().map(|app| app.as_fd()));
        inherited.extend(provisions.tls);
        inherited.extend(provisions.tls.map(|_| provisions.tickets));
        inherited.extend(provisions.metrics);
        inherited.extend(provisions.listeners.iter().map(|one| one.as_fd()));
        let role = std::ffi::CString::new(ROLE).expect("the role holds no NUL");
        let pid = provisions.image.spawn_amid(
            provisions.environment.environment(),
            &[role, plan.to_argument()],
            &inherited,
        )?;
        Ok(Self {
            pid,
            pool: provisions.pool,
            generation,
            orders,
            page,
            apps: plan.apps,
            logs: provisions.logs.clone(),
            deaf: false,
        })
    }

    /// A worker that this process has started when it was another program.
    pub(super) fn adopt(
        pid: Pid,
        (pool, generation): (PoolId, Generation),
        orders: OwnedFd,
        page: Page,
        apps: Vec<RawFd>,
        logs: LogFiles,
    ) -> Self {
        Self {
            pid,
            pool,
            generation,
            orders,
            page,
            apps,
            logs,
            deaf: false,
        }
    }

    /// What a successor needs to hold it: the socket and the page.
    pub(super) fn descriptors(&self) -> [BorrowedFd<'_>; 2] {
        [self.orders.as_fd(), self.page.as_fd()]
    }

    /// Its process number; its own until it is reaped.
    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    /// Whose it is.
    pub(super) fn pool(&self) -> PoolId {
        self.pool
    }

    /// What it runs.
    pub(super) fn generation(&self) -> Generation {
        self.generation
    }

    /// The socket to wait on, while there may be more to hear.
    pub(super) fn ear(&self) -> Option<BorrowedFd<'_>> {
        (!self.deaf).then(|| self.orders.as_fd())
    }

    /// The next thing it says.
    pub(super) fn hear(&mut self) -> Option<Report> {
        if self.deaf {
            return None;
        }
        match Report::receive(&self.orders) {
            Received::Message(report) => Some(report),
            Received::Nothing => None,
            Received::Garbage => {
                tracing::warn!(
                    "process {} sends what no worker would; it is heard no more",
                    self.pid
                );
                self.deaf = true;
                None
            }
            Received::Closed => {
                self.deaf = true;
                None
            }
        }
    }

    /// Tells it something. It may be gone already, or too stuck to read: its deadline sees to that.
    pub(super) fn order(&self, order: Order) {
        if let Err(error) = order.send(&self.orders) {
            tracing::debug!("process {} does not take {order:?}: {error}", self.pid);
        }
    }

    /// Gives it the file that its access log goes to from now on. The order of time is kept: what it
    /// is given at its start comes first.
    pub(super) fn give_log(&self, file: &File) {
        if let Err(error) = orders::send_log(&self.orders, file) {
            tracing::warn!("process {} does not take the access log: {error}", self.pid);
        }
    }

    /// Gives it the certificates and keys that new connections get from now on.
    pub(super) fn give_certificates(&self, file: &impl AsFd) {
        if let Err(error) = orders::send_certificates(&self.orders, file) {
            tracing::warn!("process {} does not take certificates: {error}", self.pid);
        }
    }

    /// The log files that it writes to.
    pub(super) fn logs(&self) -> &LogFiles {
        &self.logs
    }

    /// Sends ABRT or KILL.
    pub(super) fn signal(&self, signal: Signal) {
        process::send(self.pid, signal);
    }

    /// Its page of the scoreboard.
    pub(super) fn page(&self) -> &Page {
        &self.page
    }

    /// The descriptors that it loaded its applications from, by the numbers that they have there.
    pub(super) fn apps(&self) -> &[RawFd] {
        &self.apps
    }

    /// The requests that it holds or is at, as it claims, by this time of the monotonic clock.
    pub(super) fn in_flight(&self, now_ns: u64) -> Vec<InFlight> {
        self.page.in_flight(now_ns)
    }

    /// The number in its heartbeat.
    pub(super) fn beat(&self) -> u64 {
        self.page.beat()
    }

    /// A counter, as it claims.
    pub(super) fn counter(&self, counter: Counter) -> u64 {
        self.page.counter(counter)
    }
}
