//! What the master says of itself.

use serde::{Deserialize, Serialize};

/// The server, at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Status {
    /// gatewayd's.
    pub(crate) version: String,
    /// The master's.
    pub(crate) pid: u32,
    /// Since the server was started, whichever program it was then.
    pub(crate) uptime_seconds: u64,
    pub(crate) phase: Phase,
    /// What the application calls itself.
    pub(crate) app: String,
    pub(crate) app_version: String,
    /// Where it listens.
    pub(crate) addresses: Vec<String>,
    /// The one that serves.
    pub(crate) generation: u32,
    pub(crate) workers_wanted: u32,
    /// Requests answered, by those who are gone as well.
    pub(crate) requests: u64,
    #[serde(default)]
    pub(crate) pools: Vec<PoolStatus>,
    pub(crate) workers: Vec<WorkerStatus>,
    /// Requests that have not been answered at once, the oldest first; at most [`MOST_REQUESTS`].
    #[serde(default)]
    pub(crate) requests_in_flight: Vec<RequestStatus>,
    /// The last reload or upgrade that has ended.
    pub(crate) last_operation: Option<Operation>,
}

/// What the server is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Phase {
    /// Nobody was ready yet.
    Starting,
    /// It serves.
    Serving,
    /// It serves, and replaces its workers by those of another generation.
    Reloading,
    /// It serves, and tries another program.
    Upgrading,
    /// It has no workers, as it was told.
    Resting,
    /// It will stop.
    Stopping,
}

/// Workers that load the same applications.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PoolStatus {
    /// That of its first application.
    pub(crate) name: String,
    /// The names of its applications; none if it is gone, but for workers that finish.
    pub(crate) apps: Vec<String>,
    /// Where it listens.
    pub(crate) addresses: Vec<String>,
    pub(crate) workers_wanted: u32,
    pub(crate) workers_ready: u32,
    /// Requests answered, by those who are gone as well.
    pub(crate) requests: u64,
}

/// A request that a worker holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RequestStatus {
    /// The worker's number.
    pub(crate) worker: u32,
    /// The application's name, where a worker loads several.
    pub(crate) app: Option<String>,
    pub(crate) method: String,
    /// Without its query, and cut to 112 bytes.
    pub(crate) path: String,
    /// Unknown of a request whose first call has not returned, unless the application has asked for it.
    pub(crate) id: Option<String>,
    /// How long ago it came; unknown of a request whose first call has not returned.
    pub(crate) age_seconds: Option<f64>,
    /// Whether the worker is at it, and not waiting for something.
    pub(crate) running: bool,
}

/// A worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct WorkerStatus {
    /// Its number.
    pub(crate) id: u32,
    pub(crate) pid: i32,
    /// The name of its pool.
    #[serde(default)]
    pub(crate) pool: String,
    /// Its place in that.
    pub(crate) place: u32,
    pub(crate) generation: u32,
    /// `booting`, `ready`, `draining`, `stopping`, `stuck` or `killed`.
    pub(crate) phase: String,
    pub(crate) requests: u64,
    pub(crate) requests_active: u64,
    pub(crate) connections_active: u64,
    /// Memory held, in bytes, if the kernel says.
    pub(crate) memory: Option<u64>,
}

/// A reload or an upgrade that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Operation {
    pub(crate) work: Work,
    pub(crate) outcome: Outcome,
    /// That was tried.
    pub(crate) generation: u32,
    /// Why it failed.
    pub(crate) reason: Option<String>,
    pub(crate) seconds_ago: u64,
}

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Work {
    /// Another generation.
    Reload,
    /// Another program.
    Upgrade,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// It serves.
    Done,
    /// What served before goes on.
    Failed,
}

/// Most requests that a status tells of.
pub(crate) const MOST_REQUESTS: usize = 100;
