//! The words between the arbiter's two halves: what has happened, and what is to be done about it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::death::Death;
use super::recycling::{Limits, Spent, Usage};
use crate::orders::Order;
use crate::os::process::Ended;

/// One worker process, numbered from 1 in the order of their starts; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WorkerId(pub(super) u32);

/// Which snapshot of the application: 1, and one more for each reload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Generation(pub(crate) u32);

/// Workers that load the same applications and accept at the same addresses; a number that means the same
/// for as long as the server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct PoolId(pub(crate) u32);

impl PoolId {
    /// The pool of the server's own addresses.
    pub(crate) const MAIN: Self = Self(0);
}

/// When an event is handled, and what chance says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Since the master started, by a clock that never goes back.
    pub(crate) now: Duration,
    /// Any number; spreads out what should not happen all at once.
    pub(crate) chance: u32,
}

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The master has started.
    Started,
    /// A deadline may have passed.
    Woken,
    /// [`super::roster::TICK`] has passed; the beats have just been reported.
    Tick,
    /// The number in a worker's heartbeat.
    Beat(WorkerId, u64),
    /// A worker serves.
    Ready(WorkerId),
    /// A worker accepts no more.
    Retired(WorkerId),
    /// A worker says why it is going to exit.
    Failed(WorkerId, String),
    /// A worker could not be started.
    SpawnFailed(WorkerId, String),
    /// What a worker has used; reported with each tick, if there are limits.
    Used(WorkerId, Usage),
    /// A worker was reaped.
    Exited(WorkerId, Death),
    /// The configuration has been read and the applications copied.
    Prepared(Generation, Policy),
    /// One application has been copied, of this pool; the others have what they had.
    PreparedOne(Generation, Policy, PoolId),
    /// That could not be done.
    PrepareFailed(Generation, String),
    /// An operator wants the server to stop.
    Stop(Haste),
    /// An operator wants the configuration and all applications to be loaded anew.
    Reload,
    /// Somebody wants the application of this name to be loaded anew, and nothing else.
    ReloadApp(String),
    /// An operator wants the program itself to be replaced.
    Upgrade,
    /// The new program says what is wrong.
    CheckFailed(String),
    /// The check of the new program could not even begin.
    CheckRefused(String),
    /// The new program can take over.
    CheckPassed,
    /// The process that checked was reaped.
    CheckEnded(Ended),
    /// The master could not become the new program.
    StillHere(String),
    /// This is the new program.
    Adopted,
    /// An operator wants one worker more.
    More,
    /// An operator wants one worker less.
    Fewer,
    /// An operator wants so many workers, of this pool or of the first.
    Scale(Option<PoolId>, u32),
    /// An operator wants a worker to be replaced.
    Replace(WorkerId),
    /// An operator wants a worker to end at once.
    End(WorkerId),
    /// An operator wants no workers for a while.
    Rest,
    /// An operator has moved log files away.
    Reopen,
    /// A hook that something waits for has ended, or why it has failed.
    HookEnded(Gate, Result<(), String>),
}

/// What waits for a hook to say yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// The first worker.
    Boot,
    /// A generation whose first workers are ready.
    Ready(Generation),
}

/// Which gates there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gates {
    /// Before the first worker.
    pub(crate) boot: bool,
    /// Before a generation counts as good.
    pub(crate) ready: bool,
    /// How long the latter may take; zero if there is none.
    pub(crate) within: Duration,
}

/// How much is loaded anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The configuration and all applications.
    Everything,
    /// The application of this name; the others stay as they are.
    App(String),
}

/// What an operator has decided beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Workers wanted at start in each pool; at least 1. There is at least one pool.
    pub(crate) workers: BTreeMap<PoolId, u32>,
    /// Most workers that a pool may ever have.
    pub(crate) max_workers: u32,
    /// How long a worker's heartbeat may stand still; zero: for ever.
    pub(crate) worker_timeout: Duration,
    /// How long a worker may take to become ready.
    pub(crate) boot_timeout: Duration,
    /// How long a worker may take to finish what it has begun.
    pub(crate) graceful_timeout: Duration,
    /// How long the server goes on serving after it was asked to stop.
    pub(crate) drain_delay: Duration,
    /// How much a worker may be used.
    pub(crate) limits: Limits,
    /// What has to be asked.
    pub(crate) gates: Gates,
}

/// How to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Haste {
    /// What has begun is finished.
    Graceful,
    /// What has begun is dropped.
    Quick,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Read the configuration and copy the applications for a generation, or take over all but one of
    /// them.
    Prepare(Generation, Scope),
    /// No worker of the generation will be started any more.
    Forget(Generation),
    /// Start a worker.
    Spawn {
        /// Its name from now on.
        worker: WorkerId,
        /// Whose it is.
        pool: PoolId,
        /// The lowest place there that no living process holds.
        slot: u32,
        /// What it runs.
        generation: Generation,
        /// How many workers there are to be.
        count: u32,
    },
    /// Ask a hook, which answers with [`Event::HookEnded`].
    RunHook(Gate),
    /// Open the log files by their names once more, for everybody.
    ReopenLogs,
    /// Let the new program find out whether it can take over.
    Check(Generation),
    /// Tell that process to end.
    EndCheck,
    /// End it.
    KillCheck,
    /// Become the new program, whose workers are of this generation.
    Become(Generation),
    /// Tell a worker.
    Order(WorkerId, Order),
    /// Ask a worker for a core dump.
    Abort(WorkerId),
    /// End a worker.
    Kill(WorkerId),
    /// Stop listening; what waits in the backlog is the workers' to accept.
    CloseListeners,
    /// Tell the operator.
    Tell(Note),
    /// End the master, with this code.
    Exit(u8),
}

/// What an operator is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// All workers serve for the first time.
    Up { workers: u32, took: Duration },
    /// No worker could be brought up, ever.
    CannotStart { reason: String },
    /// A worker serves.
    WorkerReady { worker: WorkerId, slot: u32 },
    /// A worker that had been told to ended.
    WorkerDone { worker: WorkerId },
    /// A worker that had been told to end did so, and not well.
    WorkerBroke { worker: WorkerId, how: String },
    /// A worker ended by itself, or by somebody else's hand.
    WorkerLost { worker: WorkerId, how: String },
    /// A worker has reached a limit and serves on until it is replaced.
    WorkerSpent { worker: WorkerId, why: Spent },
    /// A worker holds too much memory from the start.
    Hungry { worker: WorkerId, pause: Duration },
    /// A worker could not be brought up; the next attempt comes after the pause.
    BootFailed {
        worker: WorkerId,
        reason: String,
        pause: Duration,
    },
    /// A worker's event loop is stuck.
    Stuck { worker: WorkerId, silent: Duration },
    /// A worker took too long to start.
    BootTimeout { worker: WorkerId, after: Duration },
    /// A worker has not finished what it had begun.
    GracefulTimeout { worker: WorkerId, after: Duration },
    /// A worker had to be killed.
    Killed { worker: WorkerId },
    /// The applications, or one, are being loaded anew.
    Reloading {
        generation: Generation,
        scope: Scope,
    },
    /// All workers run the new generation.
    Reloaded { generation: Generation },
    /// The old generation goes on, and why.
    ReloadFailed { reason: String },
    /// A reload waits for the one that runs.
    ReloadLater,
    /// A new program is being checked.
    Upgrading { generation: Generation },
    /// The running program goes on, and why.
    UpgradeFailed { reason: String },
    /// An upgrade waits for what is being done.
    UpgradeLater,
    /// The new program has taken over the workers of the old one.
    Upgraded { workers: u32 },
    /// There are to be more or fewer workers.
    Target { pool: PoolId, workers: u32 },
    /// The server will stop.
    Leaving { after: Duration },
    /// The server stops.
    Stopping(Haste),
    /// A second signal: now.
    StoppingNow,
    /// The master itself was held up, so everybody is given as much more time.
    Late { by: Duration },
}

/// How loud a note is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loudness {
    /// Needs an operator.
    Error,
    /// May need one.
    Warn,
    /// The life of the server.
    Info,
    /// The life of its workers.
    Debug,
}

impl Note {
    /// How loud it is.
    pub(crate) fn loudness(&self) -> Loudness {
        match self {
            Self::CannotStart { .. }
            | Self::BootFailed { .. }
            | Self::ReloadFailed { .. }
            | Self::UpgradeFailed { .. } => Loudness::Error,
            Self::WorkerLost { .. }
            | Self::WorkerBroke { .. }
            | Self::Hungry { .. }
            | Self::Stuck { .. }
            | Self::BootTimeout { .. }
            | Self::GracefulTimeout { .. }
            | Self::Killed { .. }
            | Self::Late { .. } => Loudness::Warn,
            Self::WorkerReady { .. } | Self::WorkerDone { .. } => Loudness::Debug,
            _ => Loudness::Info,
        }
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "worker {}", self.0)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Up { workers, took } => {
                let plural = if *workers == 1 { "" } else { "s" };
                write!(f, "{workers} worker{plural} ready in {took:?}")
            }
            Self::CannotStart { reason }
            | Self::ReloadFailed { reason }
            | Self::UpgradeFailed { reason } => f.write_str(reason),
            Self::WorkerReady { worker, slot } => write!(f, "{worker} is ready at place {slot}"),
            Self::WorkerDone { worker } => write!(f, "{worker} is done"),
            Self::WorkerLost { worker, how } => write!(f, "{worker} {how}; it is replaced"),
            Self::WorkerBroke { worker, how } => write!(f, "{worker} {how} while it was stopping"),
            Self::WorkerSpent { worker, why } => write!(f, "{worker} {why} and will be replaced"),
            Self::Hungry { worker, pause } => write!(
                f,
                "{worker} came to --max-rss right after its start: that is too little for this \
                 application; the next is replaced no sooner than in {} ms",
                pause.as_millis()
            ),
            Self::BootFailed {
                worker,
                reason,
                pause,
            } => {
                write!(
                    f,
                    "{worker}: {reason}; next attempt in {} ms",
                    pause.as_millis()
                )
            }
            Self::Stuck { worker, silent } => {
                write!(
                    f,
                    "{worker} is stuck: no sign of life for {} s",
                    silent.as_secs()
                )
            }
            Self::BootTimeout { worker, after } => {
                write!(
                    f,
                    "{worker} was not ready {} s after its start",
                    after.as_secs()
                )
            }
            Self::GracefulTimeout { worker, after } => write!(
                f,
                "{worker} has not finished its requests within {} s; they are dropped",
                after.as_secs_f32()
            ),
            Self::Killed { worker } => write!(f, "{worker} does not exit and is killed"),
            Self::Reloading { generation, scope } => {
                let number = generation.0;
                match scope {
                    Scope::Everything => {
                        write!(f, "loading the application anew, generation {number}")
                    }
                    Scope::App(name) => write!(f, "loading {name} anew, generation {number}"),
                }
            }
            Self::Reloaded { generation } => {
                write!(f, "all workers run generation {}", generation.0)
            }
            Self::ReloadLater => f.write_str("another reload follows the one that runs"),
            Self::Upgrading { generation } => {
                write!(f, "checking the new program, generation {}", generation.0)
            }
            Self::UpgradeLater => f.write_str("an upgrade follows what is being done"),
            Self::Upgraded { workers } => write!(
                f,
                "gatewayd {} has taken over {workers} worker{}, to be replaced now",
                env!("CARGO_PKG_VERSION"),
                if *workers == 1 { "" } else { "s" }
            ),
            Self::Target { workers, .. } => {
                let plural = if *workers == 1 { "" } else { "s" };
                write!(f, "{workers} worker{plural} from now on")
            }
            Self::Leaving { after } => write!(
                f,
                "applications know that the end is near; serving for another {} s",
                after.as_secs_f32()
            ),
            Self::Stopping(Haste::Graceful) => {
                f.write_str("finishing what has begun, then stopping")
            }
            Self::Stopping(Haste::Quick) => f.write_str("stopping"),
            Self::StoppingNow => f.write_str("stopping at once"),
            Self::Late { by } => {
                write!(
                    f,
                    "the server was held up for {} ms; every deadline is put off",
                    by.as_millis()
                )
            }
        }
    }
}
