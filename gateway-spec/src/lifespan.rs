//! [`Startup`]: what an application learns before it serves, and how it says that it cannot.

use std::fmt;

use crate::abi::export::{Host, Metrics};

/// What the host tells an application instance when it starts.
#[derive(Debug, Default)]
pub struct Startup {
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) argument: Vec<u8>,
    pub(crate) mount: Vec<u8>,
    pub(crate) worker: Worker,
    pub(crate) host: Host,
    pub(crate) commands_only: bool,
}

/// Which of the server's workers this is.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worker {
    /// From 0.
    pub index: u32,
    /// How many workers serve this application, at least 1.
    pub count: u32,
    /// Threads of this worker that call the application, at least 1.
    pub threads: u32,
}

/// Why an application cannot start: told to the operator, once, word for word.
#[derive(Clone, Debug)]
pub struct StartupError {
    message: String,
}

impl Startup {
    /// The value of a setting of the application's own configuration.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<&str> {
        self.settings
            .iter()
            .find(|(other, _)| other == key)
            .map(|(_, value)| value.as_str())
    }

    /// All settings, in the host's order.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        self.settings
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The free-form argument: what stands after `--` on gatewayd's command line.
    #[must_use]
    pub fn argument(&self) -> &[u8] {
        &self.argument
    }

    /// The raw prefix under which the application is mounted, empty at the root.
    #[must_use]
    pub fn mount(&self) -> &[u8] {
        &self.mount
    }

    /// Whether the application is there for its commands alone (`gatewayd routes app.so`), and no request will come: what
    /// only requests need may be missing then.
    #[must_use]
    pub fn is_for_commands(&self) -> bool {
        self.commands_only
    }

    /// Which worker this is.
    #[must_use]
    pub fn worker(&self) -> Worker {
        self.worker
    }

    /// The host: logging, and asking for the end.
    #[must_use]
    pub fn host(&self) -> Host {
        self.host
    }

    /// What the application counts for its operators; without a server that keeps metrics it counts nothing.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        Metrics::of(self.host)
    }
}

impl Worker {
    /// For hosts: worker `index` of `count`, with so many threads.
    #[must_use]
    pub const fn new(index: u32, count: u32, threads: u32) -> Self {
        Self {
            index,
            count,
            threads,
        }
    }
}

impl Default for Worker {
    fn default() -> Self {
        Self {
            index: 0,
            count: 1,
            threads: 1,
        }
    }
}

impl StartupError {
    /// Says what is wrong and where: `settings.toml: no database_url`.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}

impl fmt::Display for StartupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

// Not an `Error` itself, so that `?` can turn every error into it.
impl<E: std::error::Error> From<E> for StartupError {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message.push_str(": ");
            message.push_str(&error.to_string());
            cause = error.source();
        }
        Self { message }
    }
}
