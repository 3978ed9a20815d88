//! A worker: one process with one event loop that serves connections until it is told to stop.
//!
//! It hears from the master over its order socket alone; when that closes, the master is gone and the
//! worker finishes what it has.

mod application;
mod plan;
mod serve;
mod serving;

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tokio::io::unix::AsyncFd;
use tokio::runtime::{Builder, LocalRuntime};

pub(crate) use plan::Plan;
pub(crate) use serving::{App, ServeError, ServeFailure, Serving, WorkerIdentity};

use crate::app_source::AppSource;
use crate::banner;
use crate::config::Config;
use crate::drain::{Drain, Phase};
use crate::logging;
use crate::net::Listener;
use crate::orders::{AppIdentity, Order, Received, Report};
use crate::os::fd::{self, Inherited};
use crate::os::{process, signals};
use crate::scoreboard::{Page, Slot};
use crate::value::LogLevel;

/// The first argument of a worker's command line. Nobody types it: without the descriptors that the
/// second one speaks of, the process ends at once.
pub(crate) const ROLE: &str = "--gatewayd-worker";

/// The life of a worker process that a master has started.
pub(crate) fn main(plan: &OsStr, source: AppSource) -> ExitCode {
    let boot = match Boot::from_inheritance(plan, source) {
        Ok(boot) => boot,
        Err(error) => {
            logging::init(LogLevel::Info);
            tracing::error!("{ROLE} is for gatewayd's own use: {error}");
            return ExitCode::from(ServeFailure::Other.exit_code());
        }
    };
    let Boot {
        config,
        orders,
        serving,
    } = boot;
    logging::init(config.log_level);
    let orders = Rc::new(orders);
    let failure = run(
        serving,
        config.worker_timeout,
        |drain| {
            let orders = fd::watch(Rc::clone(&orders))?;
            tokio::task::spawn_local(obey(orders, drain));
            Ok(())
        },
        |app| {
            // A master that is gone is noticed by the task that reads from it.
            let _ = Report::Ready(app).send(&orders);
        },
    );
    let Err(error) = failure else {
        return ExitCode::SUCCESS;
    };
    if Report::Failed(error.message.clone()).send(&orders).is_err() {
        tracing::error!("{error}");
    }
    ExitCode::from(error.kind.exit_code())
}

/// A server of one process: no master, no snapshot, for debuggers and profilers.
pub(crate) fn in_process(mut config: Config, source: AppSource) -> ExitCode {
    let started = Instant::now();
    config.fit_open_files(process::raise_file_limit());
    match serve_alone(config, source, started) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(error.kind.exit_code())
        }
    }
}

fn serve_alone(config: Config, source: AppSource, started: Instant) -> Result<(), ServeError> {
    let bound = Listener::bind_all(&config.bind, config.backlog).map_err(other)?;
    let addresses: Vec<_> = bound.iter().map(|one| one.address().clone()).collect();
    let listeners = bound
        .iter()
        .map(|listener| Ok((listener.address().clone(), listener.duplicate()?)))
        .collect::<io::Result<_>>()
        .map_err(other)?;
    let app = match source {
        AppSource::LinkedIn(module) => App::LinkedIn(module),
        AppSource::CommandLine => App::File(config.app.clone().unwrap_or_default()),
    };
    let serving = Serving {
        listeners,
        app,
        options: config.serve_options(),
        slot: Page::create().and_then(Slot::map).map_err(other)?,
        drain: Drain::default(),
        identity: WorkerIdentity {
            index: 0,
            count: 0,
            generation: 1,
        },
    };
    let path = config.app.clone();
    let graceful = config.graceful_timeout;
    run(
        serving,
        Duration::ZERO,
        |drain| {
            let signals = signals::SignalSource::open()?.watch()?;
            tokio::task::spawn_local(heed(signals, drain.clone(), graceful));
            tokio::task::spawn_local(async move {
                drain.wait().await;
                drop(bound);
            });
            Ok(())
        },
        |app| {
            tracing::info!(
                "{}",
                banner::line(&app, path.as_deref(), &addresses, 0, started.elapsed())
            );
        },
    )
}

/// What a worker process finds when it starts.
struct Boot {
    config: Config,
    orders: OwnedFd,
    serving: Serving,
}

impl Boot {
    /// Takes over what the master left. Nothing else has been opened in this process before.
    fn from_inheritance(plan: &OsStr, source: AppSource) -> anyhow::Result<Self> {
        let plan = Plan::parse(plan).ok_or_else(not_ours)?;
        let mut inherited = Inherited::claim(plan.descriptors())?;
        signals::disregard()?;
        process::set_name(&format!("gatewayd/{}", plan.identity.index));
        let mut take = |number| inherited.take(number).ok_or_else(not_ours);
        let config = Config::from_wire(&read_all(&File::from(take(plan.config)?))?)?;
        let orders = take(plan.orders)?;
        let slot = Slot::map(take(plan.slot)?)?;
        let app = match (source, plan.app) {
            (AppSource::LinkedIn(module), _) => App::LinkedIn(module),
            (AppSource::CommandLine, Some(copy)) => App::Snapshot {
                copy: take(copy)?,
                path: config.app.clone().unwrap_or_default(),
            },
            (AppSource::CommandLine, None) => return Err(not_ours().into()),
        };
        let sockets = plan
            .listeners
            .iter()
            .map(|number| take(*number))
            .collect::<Result<Vec<_>, _>>()?;
        let serving = Serving {
            listeners: config.bind.iter().cloned().zip(sockets).collect(),
            app,
            options: config.serve_options(),
            slot,
            drain: Drain::default(),
            identity: plan.identity,
        };
        Ok(Self {
            config,
            orders,
            serving,
        })
    }
}

/// The one serving loop of both forms: heartbeat, the source of orders, the connections.
fn run(
    serving: Serving,
    worker_timeout: Duration,
    listen: impl FnOnce(Drain) -> io::Result<()>,
    ready: impl FnOnce(AppIdentity),
) -> Result<(), ServeError> {
    let runtime: LocalRuntime = Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build_local(Default::default())
        .map_err(other)?;
    let served = runtime.block_on(async {
        listen(serving.drain.clone()).map_err(other)?;
        if !worker_timeout.is_zero() {
            tokio::task::spawn_local(beat(serving.slot.clone(), worker_timeout));
        }
        serve::serve(serving, ready).await
    });
    // A blocking task that never ends must not keep the process.
    runtime.shutdown_background();
    served
}

/// Several beats within each timeout, and one a second at most.
async fn beat(slot: Slot, worker_timeout: Duration) {
    let pause = (worker_timeout / 4).clamp(Duration::from_millis(1), Duration::from_secs(1));
    loop {
        slot.beat();
        tokio::time::sleep(pause).await;
    }
}

/// Does what the master orders, until the master is gone.
async fn obey(orders: AsyncFd<Rc<OwnedFd>>, drain: Drain) {
    loop {
        let Ok(mut readable) = orders.readable().await else {
            return;
        };
        match Order::receive(orders.get_ref()) {
            Received::Message(Order::Retire) => drain.advance(Phase::Retiring),
            Received::Message(Order::Shutdown) => drain.advance(Phase::ShuttingDown),
            Received::Message(Order::StopNow) => drain.advance(Phase::Stopping),
            Received::Garbage => tracing::warn!("an order from the master was not understood"),
            Received::Nothing => readable.clear_ready(),
            Received::Closed => {
                tracing::warn!("the master is gone; finishing what has begun");
                return drain.advance(Phase::ShuttingDown);
            }
        }
    }
}

/// Does what signals say in a server of one process: TERM finishes what has begun, within the graceful
/// timeout; INT and QUIT, or a second one, stop now.
async fn heed(signals: AsyncFd<signals::SignalSource>, drain: Drain, graceful: Duration) {
    loop {
        let Ok(mut readable) = signals.readable().await else {
            return;
        };
        match signals.get_ref().next() {
            Ok(Some(Signal::SIGTERM)) if drain.phase() == Phase::Serving => {
                drain.advance(Phase::ShuttingDown);
                let drain = drain.clone();
                tokio::task::spawn_local(async move {
                    tokio::time::sleep(graceful).await;
                    drain.advance(Phase::Stopping);
                });
            }
            Ok(Some(Signal::SIGTERM | Signal::SIGINT | Signal::SIGQUIT)) => {
                drain.advance(Phase::Stopping);
            }
            Ok(Some(signal)) => tracing::debug!("{signal} means nothing without workers"),
            Ok(None) => readable.clear_ready(),
            Err(error) => return tracing::error!("cannot read signals: {error}"),
        }
    }
}

/// The whole of a file, without moving the position that other processes share.
fn read_all(file: &File) -> io::Result<Vec<u8>> {
    let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

fn not_ours() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        "expected what a gatewayd master passes on",
    )
}

fn other(error: impl ToString) -> ServeError {
    ServeError {
        kind: ServeFailure::Other,
        message: error.to_string(),
    }
}
