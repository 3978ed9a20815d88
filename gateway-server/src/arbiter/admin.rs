//! The master's hold on the process that answers operators. What that process does is in `admin`.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::event::WorkerId;
use super::worker_handle::WorkerHandle;
use crate::admin::{self, Rank};
use crate::board::{self, Board, BoardWriter};
use crate::config::Config;
use crate::net::{BindError, ListenAddress, Listener};
use crate::orders;
use crate::os::process::{self, Image};

/// The socket that operators connect to, what they are to see, and the process that shows it.
#[derive(Debug)]
pub(super) struct Admin {
    listener: Option<Listener>,
    board: BoardWriter,
    process: Option<Process>,
    /// That of the next one.
    rank: Rank,
    /// When it may be started.
    due: Duration,
    written: Duration,
}

/// Such a process; killed on drop.
#[derive(Debug)]
struct Process {
    /// None once it has been reaped, when the number may mean another process.
    pid: Option<Pid>,
    socket: OwnedFd,
    /// Workers whose pages it has.
    told: BTreeSet<WorkerId>,
    started: Duration,
}

impl Admin {
    /// What the configuration asks for: nothing, or a socket that may be `open` already; `rank` is that of the first
    /// process.
    ///
    /// # Errors
    ///
    /// The address cannot be had, or there is no memory.
    pub(super) fn open(
        config: &Config,
        open: Option<Listener>,
        rank: Rank,
    ) -> Result<Option<Self>, BindError> {
        if !config.is_observed() {
            return Ok(None);
        }
        let listener = match (&config.admin, open) {
            (Some(_), Some(open)) => Some(open),
            (Some(address), None) => Some(Listener::bind(address, &config.admin_options())?),
            (None, _) => None,
        };
        match listener.as_ref().map(Listener::address) {
            Some(address @ ListenAddress::Tcp(_)) => tracing::info!("admin at http://{address}"),
            Some(address) => tracing::info!("admin at {address}"),
            None => {}
        }
        let board = BoardWriter::create().map_err(|cause| BindError::Memory { cause })?;
        Ok(Some(Self {
            listener,
            board,
            process: None,
            rank,
            due: Duration::ZERO,
            written: Duration::ZERO,
        }))
    }

    /// The socket, for a successor.
    pub(super) fn listener(&self) -> Option<&Listener> {
        self.listener.as_ref()
    }

    /// Ends the process; the next turn starts another.
    pub(super) fn end(&mut self) {
        self.process = None;
    }

    /// Notes that a process was reaped.
    pub(super) fn reaped(&mut self, pid: Pid, now: Duration) {
        if let Some(process) = &mut self.process
            && process.pid == Some(pid)
        {
            process.pid = None;
            let lived = now.saturating_sub(process.started);
            self.due = match lived < STEADY {
                true => now + STEADY,
                false => now,
            };
            tracing::warn!("the admin process has ended; another is started");
            self.process = None;
        }
    }

    /// When there is something to be done, whatever happens.
    pub(super) fn next_deadline(&self) -> Duration {
        let is_behind = self.process.is_none();
        let next = self.written + REST;
        if is_behind { next.min(self.due) } else { next }
    }

    /// Starts the process if there is none, with the configuration and what applications count, gives it the pages that it lacks, and writes the board.
    pub(super) fn show(
        &mut self,
        image: &Image,
        [config, book]: [BorrowedFd<'_>; 2],
        workers: &BTreeMap<WorkerId, WorkerHandle>,
        board: &Board,
        now: Duration,
    ) {
        if self.process.is_none()
            && now >= self.due
            && let Err(error) = self.start(image, [config, book], now)
        {
            tracing::error!("cannot start the admin process: {error}");
            self.due = now + STEADY;
        }
        if let Some(process) = &mut self.process {
            process.give_pages(workers);
        }
        self.board.write(board);
        self.written = now;
    }

    fn start(
        &mut self,
        image: &Image,
        [config, book]: [BorrowedFd<'_>; 2],
        now: Duration,
    ) -> io::Result<()> {
        let (socket, theirs) = orders::pair()?;
        let plan = admin::Plan {
            config: config.as_raw_fd(),
            board: self.board.as_fd().as_raw_fd(),
            pages: theirs.as_raw_fd(),
            book: book.as_raw_fd(),
            rank: self.rank,
            listener: self.listener.as_ref().map(|one| one.as_fd().as_raw_fd()),
        };
        let mut inherited = vec![config, self.board.as_fd(), theirs.as_fd(), book];
        inherited.extend(self.listener.as_ref().map(AsFd::as_fd));
        let pid = image.spawn(&plan.arguments(), &inherited)?;
        tracing::debug!("the admin process is process {pid}");
        self.rank = Rank::Heir;
        self.process = Some(Process {
            pid: Some(pid),
            socket,
            told: BTreeSet::new(),
            started: now,
        });
        Ok(())
    }
}

impl Process {
    fn give_pages(&mut self, workers: &BTreeMap<WorkerId, WorkerHandle>) {
        self.told.retain(|id| workers.contains_key(id));
        for (id, worker) in workers {
            if self.told.contains(id) {
                continue;
            }
            if let Err(error) = board::send_page(&self.socket, id.0, worker.page()) {
                // It reads as fast as it can, or its end is about to be noticed.
                tracing::trace!("the admin process takes no page: {error}");
                return;
            }
            self.told.insert(*id);
        }
    }
}

impl Drop for Admin {
    /// The server ends: the process is not left to whoever adopts orphans.
    fn drop(&mut self) {
        if let Some(pid) = self.process.as_mut().and_then(|one| one.pid.take()) {
            process::send(pid, Signal::SIGKILL);
            // A killed process ends, whatever it does.
            let _ = process::wait(pid);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(pid) = self.pid {
            process::send(pid, Signal::SIGKILL);
        }
    }
}

/// One that lives no longer is not replaced at once.
const STEADY: Duration = Duration::from_secs(1);
/// The board is written so often if nothing happens: it says that the master is alive.
const REST: Duration = Duration::from_secs(1);
