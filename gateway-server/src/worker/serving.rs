//! What the serving loop is given, and how it ends.

use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use gateway_spec::abi::GwModule;

use crate::app_metrics::Sheet;
use crate::clock::Clock;
use crate::drain::Drain;
use crate::logging::AccessLog;
use crate::net::{ListenAddress, Manner, Tenure};
use crate::options::ServeOptions;
use crate::scoreboard::Slot;
use crate::shares::Shares;
use crate::tls::Engine;

/// Everything a serving loop needs.
#[derive(Debug)]
pub(crate) struct Serving {
    /// Where to accept from.
    pub(crate) listeners: Vec<Listening>,
    /// What TLS connections begin from, where TLS is spoken.
    pub(crate) tls: Option<Rc<Engine>>,
    /// What to serve, in the order of the options.
    pub(crate) apps: Vec<App>,
    /// Where a line for each request goes, if anywhere.
    pub(crate) access_log: Option<Rc<AccessLog>>,
    /// How.
    pub(crate) options: ServeOptions,
    /// What turns with time.
    pub(crate) clock: Clock,
    /// Where to count.
    pub(crate) slot: Slot,
    /// What the other workers have; nothing in a server of one process.
    pub(crate) shares: Option<Shares>,
    /// Where applications count, if anybody reads that.
    pub(crate) app_metrics: Option<Sheet>,
    /// When to end.
    pub(crate) drain: Drain,
    /// Who we are.
    pub(crate) identity: WorkerIdentity,
}

/// A socket to accept from.
#[derive(Debug)]
pub(crate) struct Listening {
    /// Where it is bound.
    pub(crate) address: ListenAddress,
    /// What is spoken there.
    pub(crate) manner: Manner,
    /// Nonblocking.
    pub(crate) socket: OwnedFd,
    /// Whether it ends with us.
    pub(crate) tenure: Tenure,
}

/// The application, in the form that it is loaded in.
#[derive(Debug)]
pub(crate) enum App {
    /// A sealed copy of the file. To be kept open for the life of the process: the C library knows a
    /// loaded object by its name, which holds the descriptor's number.
    Snapshot {
        /// The copy.
        copy: OwnedFd,
        /// Where the file was, for messages.
        path: PathBuf,
    },
    /// The file itself, so that a profiler finds its symbols.
    File(PathBuf),
    /// This program.
    LinkedIn(&'static GwModule),
}

impl App {
    /// The path to load, if there is anything to load.
    pub(crate) fn load_path(&self) -> Option<PathBuf> {
        match self {
            Self::Snapshot { copy, .. } => {
                let link = PathBuf::from(format!("/proc/self/fd/{}", copy.as_raw_fd()));
                Some(place_of(&link).unwrap_or(link))
            }
            Self::File(path) => Some(path.clone()),
            Self::LinkedIn(_) => None,
        }
    }

    /// The path as the operator gave it, for messages.
    pub(crate) fn shown_path(&self) -> Option<&Path> {
        match self {
            Self::Snapshot { path, .. } | Self::File(path) => Some(path),
            Self::LinkedIn(_) => None,
        }
    }
}

/// Where the file is that a descriptor's link leads to; none if it is in memory alone. A file is loaded
/// by its own name, so that what it looks for beside itself is found.
fn place_of(link: &Path) -> Option<PathBuf> {
    let place = fs::read_link(link).ok()?;
    let (found, meant) = (fs::metadata(&place).ok()?, fs::metadata(link).ok()?);
    let same = (found.dev(), found.ino()) == (meant.dev(), meant.ino());
    same.then_some(place)
}

/// Which worker of how many this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WorkerIdentity {
    /// Its number, by which operators know it: no other worker of the server has had it.
    pub(crate) id: u32,
    /// The place that the worker holds among those alive, from 0. While workers are being replaced it
    /// may be beyond `count`.
    pub(crate) index: u32,
    /// How many workers there are to be; 0 in a server of one process.
    pub(crate) count: u32,
    /// Which snapshot of the application it runs: 1, and one more for each reload.
    pub(crate) generation: u32,
}

/// Why a worker cannot serve. The message is for the operator and begins with the file's name.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct ServeError {
    /// Which kind of failure.
    pub(crate) kind: ServeFailure,
    /// The words for it.
    pub(crate) message: String,
}

/// The kinds of failure, told apart by the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServeFailure {
    /// The application cannot be loaded: missing, foreign, of another version.
    Load,
    /// The application was loaded and its start-up failed.
    Startup,
    /// Anything else.
    Other,
}

impl ServeFailure {
    /// What the process exits with.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Other => 1,
            Self::Startup => 3,
            Self::Load => 4,
        }
    }
}

/// A failure in the system's words.
pub(super) fn other(error: impl ToString) -> ServeError {
    ServeError {
        kind: ServeFailure::Other,
        message: error.to_string(),
    }
}
