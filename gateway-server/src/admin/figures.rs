//! [`Figures`]: how things stand, from the board and the pages, at one moment.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::unix::AsyncFd;

use crate::app_metrics::{Family, Reader};
use crate::board::{Board, BoardReader, PoolRow, WorkerRow, receive_page};
use crate::clock::monotonic_ns;
use crate::os::fd;
use crate::scoreboard::{Complaint, Counter, InFlight, Page};

/// The process's eyes: what it has been given to read.
#[derive(Debug)]
pub(super) struct Watch {
    board: BoardReader,
    socket: AsyncFd<Rc<OwnedFd>>,
    book: Reader,
    seen: RefCell<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    pages: BTreeMap<u32, Known>,
    /// The largest sums there ever were. A worker runs foreign code that may write anything into its
    /// page, and counters only grow. Of each pool.
    highest: BTreeMap<u32, Vec<u64>>,
}

/// A worker's page, and when its heartbeat was last another.
#[derive(Debug)]
struct Known {
    page: Page,
    beat: u64,
    changed: Instant,
}

/// How things stand.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    pub(super) board: Board,
    /// One for each pool of the board.
    pub(super) pools: Vec<PoolFigures>,
    /// One for each worker of the board.
    pub(super) workers: Vec<WorkerFigures>,
    /// What applications count.
    pub(super) apps: Vec<Family>,
    /// How long ago the master has last said anything.
    pub(super) master_silent: Duration,
}

/// What the workers of a pool have counted.
#[derive(Clone, Debug)]
pub(super) struct PoolFigures {
    pub(super) id: u32,
    pub(super) name: String,
    /// Of all workers there ever were, by their places; of gauges, of those there are.
    pub(super) counters: Vec<u64>,
}

/// How one worker is.
#[derive(Clone, Debug)]
pub(super) struct WorkerFigures {
    pub(super) row: WorkerRow,
    pub(super) requests: u64,
    pub(super) in_flight: u64,
    pub(super) connections: u64,
    /// Memory that it holds, in bytes, if the kernel says.
    pub(super) memory: Option<u64>,
    /// How long its event loop has not turned.
    pub(super) silent: Duration,
    /// What it holds or is at.
    pub(super) requests_in_flight: Vec<InFlight>,
    /// The last errors that it has logged, the oldest first.
    pub(super) complaints: Vec<Complaint>,
}

impl Figures {
    /// A counter of all workers.
    pub(super) fn counter(&self, counter: Counter) -> u64 {
        let each = self.pools.iter().map(|pool| pool.counter(counter));
        each.fold(0, u64::wrapping_add)
    }

    /// The name of the pool of this number.
    pub(super) fn pool_name(&self, id: u32) -> &str {
        let found = self.pools.iter().find(|pool| pool.id == id);
        found.map_or("", |pool| pool.name.as_str())
    }
}

impl PoolFigures {
    /// A counter of all workers of the pool.
    pub(super) fn counter(&self, counter: Counter) -> u64 {
        let counter = self.counters.get(counter.index());
        counter.copied().unwrap_or_default()
    }
}

impl Watch {
    /// # Errors
    ///
    /// The kernel's.
    pub(super) fn new(board: BoardReader, pages: OwnedFd, book: Reader) -> io::Result<Rc<Self>> {
        Ok(Rc::new(Self {
            board,
            socket: fd::watch(Rc::new(pages))?,
            book,
            seen: RefCell::default(),
        }))
    }

    /// Takes pages as they come, until the master is gone.
    ///
    /// # Errors
    ///
    /// What the master would not send, or the kernel's.
    pub(super) async fn follow(&self) -> io::Result<()> {
        loop {
            match tokio::time::timeout(LOOK, self.socket.readable()).await {
                Ok(readable) => {
                    let mut readable = readable?;
                    match self.take_pages() {
                        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                        taken => taken?,
                    }
                    readable.clear_ready();
                }
                Err(_) => self.look(),
            }
        }
    }

    /// How things stand now; none if the master has told nothing yet, or not all pages have come.
    pub(super) async fn figures(&self) -> Option<Figures> {
        for _ in 0..TRIES {
            if let Some(figures) = self.figures_now() {
                return Some(figures);
            }
            tokio::time::sleep(PAUSE).await;
        }
        None
    }

    fn figures_now(&self) -> Option<Figures> {
        // The end of the master is for whoever follows to find.
        let _ = self.take_pages();
        let board = self.board.read()?;
        let mut seen = self.seen.borrow_mut();
        let Seen { pages, highest } = &mut *seen;
        // A page that came since is of a worker that the board does not know yet.
        let there = |id: &u32| board.workers.iter().any(|worker| worker.id == *id);
        pages.retain(|id, _| *id > board.last_worker || there(id));
        let figures = |pool: &PoolRow| {
            let mut counters = pool.totals.clone();
            counters.resize(Counter::COUNT, 0);
            PoolFigures {
                id: pool.id,
                name: pool.name.clone(),
                counters,
            }
        };
        let mut pools_now: Vec<_> = board.pools.iter().map(figures).collect();
        let now_ns = monotonic_ns();
        let mut workers = Vec::new();
        for row in &board.workers {
            let known = pages.get_mut(&row.id)?;
            known.look();
            let pool = pools_now.iter_mut().find(|pool| pool.id == row.pool)?;
            for counter in Counter::all() {
                let value = known.page.counter(counter);
                let value = if counter.is_gauge() {
                    value.min(MOST)
                } else {
                    value
                };
                let sum = &mut pool.counters[counter.index()];
                *sum = sum.wrapping_add(value);
            }
            workers.push(known.figures(row, now_ns));
        }
        for pool in &mut pools_now {
            let highest = highest.entry(pool.id).or_default();
            highest.resize(Counter::COUNT, 0);
            for counter in Counter::all().filter(|counter| !counter.is_gauge()) {
                let at = counter.index();
                highest[at] = highest[at].max(pool.counters[at]);
                pool.counters[at] = highest[at];
            }
        }
        let silent = now_ns.saturating_sub(board.written_ns);
        Some(Figures {
            board,
            pools: pools_now,
            workers,
            apps: self.book.families(),
            master_silent: Duration::from_nanos(silent),
        })
    }

    fn take_pages(&self) -> io::Result<()> {
        while let Some((worker, page)) = receive_page(self.socket.get_ref())? {
            let known = Known {
                beat: page.beat(),
                page,
                changed: Instant::now(),
            };
            self.seen.borrow_mut().pages.insert(worker, known);
        }
        Ok(())
    }

    /// Looks whose heartbeat goes on.
    fn look(&self) {
        let pages = &mut self.seen.borrow_mut().pages;
        pages.values_mut().for_each(Known::look);
    }
}

impl Known {
    fn look(&mut self) {
        let beat = self.page.beat();
        if beat != self.beat {
            (self.beat, self.changed) = (beat, Instant::now());
        }
    }

    fn figures(&self, row: &WorkerRow, now_ns: u64) -> WorkerFigures {
        let gauge = |counter| self.page.counter(counter).min(MOST);
        WorkerFigures {
            requests: self.page.counter(Counter::Requests),
            in_flight: gauge(Counter::RequestsActive),
            connections: gauge(Counter::ConnectionsActive),
            memory: resident(row.pid),
            silent: self.changed.elapsed(),
            requests_in_flight: self.page.in_flight(now_ns),
            complaints: self.page.complaints(),
            row: row.clone(),
        }
    }
}

/// Memory that a process holds, in bytes.
fn resident(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// No worker has more of anything at once; a page that says so lies.
const MOST: u64 = u32::MAX as u64;
/// How often heartbeats are looked at.
const LOOK: Duration = Duration::from_millis(500);
/// The master sends what is missing within a moment.
const PAUSE: Duration = Duration::from_millis(10);
const TRIES: u32 = 300;
