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
    pub(crate) workers: Vec<WorkerStatus>,
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

/// A worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct WorkerStatus {
    /// Its number.
    pub(crate) id: u32,
    pub(crate) pid: i32,
    /// Its place among its like.
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
