//! [`load`]: from a file to a [`Hosted`] application that has started.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

use super::Hosted;
use crate::abi::host::{Config, HostTable, Module, Services, StartFailure};
use crate::abi::import::Loaded;
use crate::abi::load::LoadError;
use crate::abi::log_level;
use crate::lifespan::Worker;

/// What an application is told at its start.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// The application's own settings.
    pub settings: Vec<(String, String)>,
    /// The free-form argument.
    pub argument: Vec<u8>,
    /// The raw prefix under which it is mounted, for its information; empty at the root.
    pub mount: Vec<u8>,
    /// How many threads call it: 1 unless told.
    pub threads: u32,
}

/// Why an application cannot be hosted.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadFailure {
    /// The file is no module for this host.
    Load(LoadError),
    /// The application does not start.
    Start(StartFailure),
}

/// Whether an application has asked for the end, and with which exit code.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<Mutex<Asked>>);

#[derive(Debug, Default)]
struct Asked {
    code: Option<i32>,
    waker: Option<Waker>,
}

impl Options {
    /// Nothing said.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Stop {
    /// Waits until the application asks its server to stop; answers the exit code.
    pub async fn asked(&self) -> i32 {
        std::future::poll_fn(|cx| {
            let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match asked.code {
                Some(code) => Poll::Ready(code),
                None => {
                    asked.waker = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

/// Loads an application and starts it. Its log goes to the `log` facade: an application's target
/// behind `gateway.app.`, as much as [`log::max_level`] lets through at this moment.
///
/// # Errors
///
/// [`LoadFailure`] says which file and why.
pub async fn load(
    path: impl AsRef<Path>,
    options: Options,
) -> Result<(Hosted<Loaded>, Stop), LoadFailure> {
    let module = crate::abi::load::load(path.as_ref()).map_err(LoadFailure::Load)?;
    let stop = Stop::default();
    let loaded = start(&module, options, stop.clone()).await?;
    Ok((Hosted::new(loaded), stop))
}

async fn start(module: &Module, options: Options, stop: Stop) -> Result<Loaded, LoadFailure> {
    let table = HostTable::leak(ToLog(stop), "gateway-spec hosting", level());
    let config = Config {
        settings: options.settings,
        argument: options.argument,
        mount: options.mount,
        worker: Worker::new(0, 1, options.threads.max(1)),
        check_only: false,
        commands_only: false,
    };
    let starting = Loaded::start(module, table, &config);
    starting.await.map_err(LoadFailure::Start)
}

/// The application's log, and its wish to end.
struct ToLog(Stop);

impl Services for ToLog {
    fn log(
        &self,
        level: u32,
        target: &[u8],
        message: &[u8],
        pairs: &mut dyn Iterator<Item = (&[u8], &[u8])>,
    ) {
        let level = match level {
            log_level::ERROR => log::Level::Error,
            log_level::WARN => log::Level::Warn,
            log_level::INFO => log::Level::Info,
            log_level::DEBUG => log::Level::Debug,
            _ => log::Level::Trace,
        };
        let target = format!("gateway.app.{}", String::from_utf8_lossy(target));
        // Control characters would let one record pass for two.
        let mut line = escaped(message);
        for (key, value) in pairs {
            line.push_str(&format!(" {}={}", escaped(key), escaped(value)));
        }
        log::log!(target: &target, level, "{line}");
    }

    fn request_shutdown(&self, code: i32) {
        let waker = {
            let mut asked = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
            asked.code.get_or_insert(code);
            asked.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

fn escaped(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    if !text.contains(char::is_control) {
        return text.into_owned();
    }
    let escape = |character: char| -> String {
        match character {
            character if character.is_control() => character.escape_default().collect(),
            character => character.into(),
        }
    };
    text.chars().map(escape).collect()
}

fn level() -> u32 {
    match log::max_level() {
        log::LevelFilter::Off => log_level::OFF,
        log::LevelFilter::Error => log_level::ERROR,
        log::LevelFilter::Warn => log_level::WARN,
        log::LevelFilter::Info => log_level::INFO,
        log::LevelFilter::Debug => log_level::DEBUG,
        log::LevelFilter::Trace => log_level::TRACE,
    }
}

impl fmt::Display for LoadFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load(error) => error.fmt(f),
            Self::Start(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for LoadFailure {}
