//! The names of records, which stay as they are from program to program.

use std::os::fd::RawFd;

/// Stands for a descriptor that there is none of.
pub(super) const NONE: RawFd = -1;
pub(super) const HEADER: &str = "gatewayd-state";
/// Raised when a reader of before would misunderstand.
pub(super) const VERSION: &str = "1";
pub(super) const PROGRAM: &str = "program";
pub(super) const CLOCK: &str = "clock";
pub(super) const REQUESTS: &str = "requests";
pub(super) const CONFIGURED: &str = "configured";
pub(super) const TARGET: &str = "target";
pub(super) const RESTED: &str = "rested";
pub(super) const LAST_WORKER: &str = "last-worker";
pub(super) const GENERATION: &str = "generation";
pub(super) const WANTED: &str = "wanted";
pub(super) const BIND: &str = "bind";
pub(super) const PASSED: &str = "passed";
pub(super) const NAMED: &str = "passed-name";
pub(super) const LISTENER: &str = "listener";
pub(super) const ASKED: &str = "asked";
pub(super) const CONTROL: &str = "control";
pub(super) const PID_FILE: &str = "pid-file";
pub(super) const PID_PATH: &str = "pid-path";
pub(super) const TICKETS: &str = "tickets";
pub(super) const APP_METRICS: &str = "app-metrics";
pub(super) const KEPT: &str = "kept";
pub(super) const VALUE: &str = "kept-value";
pub(super) const WORKER: &str = "worker";
pub(super) const PROCESS: &str = "process";
pub(super) const LOG: &str = "log";
/// The name of a pool beside the first; then how many workers it is to have; and whose a worker is.
pub(super) const POOL: &str = "pool";
pub(super) const POOL_TARGET: &str = "pool-target";
pub(super) const MEMBER: &str = "member";
pub(super) const APP: &str = "process-app";
pub(super) const TOTAL: &str = "total";
pub(super) const ADMIN: &str = "admin";
pub(super) const ADMIN_ASKED: &str = "admin-asked";
