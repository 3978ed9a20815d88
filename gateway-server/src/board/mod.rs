//! [`Board`]: what the master tells of itself and its workers, for the process that answers operators.
//!
//! The master writes it whenever something has changed, into memory that the other process only reads:
//! neither waits for the other, and a reader that is killed and started again has missed nothing.

mod memory;
mod pages;
mod records;

use std::time::Duration;

pub(crate) use memory::{BoardReader, BoardWriter};
pub(crate) use pages::{receive_page, send_page};

/// All that the master knows and nobody else could.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Board {
    /// When the server started, since the epoch; an upgrade does not change it.
    pub(crate) started: Duration,
    /// When this was written, in nanoseconds of the system's monotonic clock.
    pub(crate) written_ns: u64,
    /// The master's process.
    pub(crate) pid: u32,
    /// The application's name and version, once a worker has told them.
    pub(crate) app: String,
    /// Where the server listens, for people.
    pub(crate) urls: Vec<String>,
    /// Where it is in its life.
    pub(crate) stage: Stage,
    /// Workers wanted.
    pub(crate) target: u32,
    /// The number of the last worker that was started.
    pub(crate) last_worker: u32,
    /// What new workers run.
    pub(crate) generation: u32,
    /// What has happened to workers and to the server, by name, and how often.
    pub(crate) tallies: Vec<(String, u64)>,
    /// The last reload or upgrade that has ended, if there was any.
    pub(crate) last_reload: Option<Outcome>,
    /// What went wrong lately, the oldest first.
    pub(crate) errors: Vec<Mishap>,
    /// The pools there have been.
    pub(crate) pools: Vec<PoolRow>,
    /// The workers there are.
    pub(crate) workers: Vec<WorkerRow>,
}

/// Where a server is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    /// No worker has been ready yet.
    #[default]
    Booting,
    /// It serves.
    Serving,
    /// It has no workers, as it was told.
    Resting,
    /// It was asked to stop.
    Draining,
}

/// How a reload or an upgrade has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// When, since the epoch.
    pub(crate) at: Duration,
    /// Whether it went well.
    pub(crate) good: bool,
    /// The words for it.
    pub(crate) text: String,
}

/// Something that an operator may want to look into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mishap {
    /// When, since the epoch.
    pub(crate) at: Duration,
    /// What the log says of it.
    pub(crate) text: String,
}

/// Workers that load the same applications.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PoolRow {
    /// Its number, which stays its own.
    pub(crate) id: u32,
    /// As its first application is called.
    pub(crate) name: String,
    /// The names of its applications; none if it is gone.
    pub(crate) apps: Vec<String>,
    /// Workers wanted.
    pub(crate) target: u32,
    /// The counters of its workers that are gone, by their places; empty if none is.
    pub(crate) totals: Vec<u64>,
}

/// One worker process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WorkerRow {
    /// The number of its start.
    pub(crate) id: u32,
    /// Its process.
    pub(crate) pid: u32,
    /// The number of its pool.
    pub(crate) pool: u32,
    /// The place that it holds there.
    pub(crate) slot: u32,
    /// What it runs.
    pub(crate) generation: u32,
    /// Where it is in its life.
    pub(crate) state: WorkerState,
}

/// Where a worker is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkerState {
    Booting,
    Ready,
    Draining,
    Stopping,
}

impl Board {
    /// Whether requests can be sent here.
    pub(crate) fn is_ready(&self) -> bool {
        let ready = |worker: &WorkerRow| worker.state == WorkerState::Ready;
        self.stage == Stage::Serving && self.workers.iter().any(ready)
    }
}

impl Stage {
    const ALL: [Self; 4] = [Self::Booting, Self::Serving, Self::Resting, Self::Draining];

    /// The word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Booting => "booting",
            Self::Serving => "serving",
            Self::Resting => "resting",
            Self::Draining => "draining",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == text)
    }
}

impl WorkerState {
    pub(crate) const ALL: [Self; 4] = [Self::Booting, Self::Ready, Self::Draining, Self::Stopping];

    /// The word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Booting => "booting",
            Self::Ready => "ready",
            Self::Draining => "draining",
            Self::Stopping => "stopping",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == text)
    }
}
