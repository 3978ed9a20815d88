//! A server of one process: no master, no snapshot, for debuggers and profilers.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;

use super::event_loop::run;
use super::obey::{Subject, obey};
use super::orphan;
use super::secured;
use super::serving::{App, Listening, ServeError, Serving, WorkerIdentity, other};
use super::settle::settle;
use crate::app_source::AppSource;
use crate::banner;
use crate::clock::Clock;
use crate::config::{AppConfig, Config};
use crate::drain::{Drain, LAST_GRACE, Phase};
use crate::log_files::LogFiles;
use crate::logging::AccessLog;
use crate::net::{self, BindError, Opened, Passed};
use crate::orders::{self, Report};
use crate::os::signals::{Ignored, SignalSource};
use crate::os::{fd, process};
use crate::prepare;
use crate::scoreboard::{Page, Slot};
use crate::start;
use crate::tls::TicketKeys;

/// Serves in this process until it is told to stop.
pub(crate) fn in_process(mut config: Config, source: AppSource) -> ExitCode {
    let started = Instant::now();
    config.fit_max_connections(process::raise_file_limit());
    match serve(config, source, started) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(error.kind.exit_code())
        }
    }
}

fn serve(mut config: Config, source: AppSource, started: Instant) -> Result<(), ServeError> {
    let passed = Passed::take(&config.bind, fd::adopt);
    warn_of_what_a_master_does(&config);
    process::forget_private_variables();
    // Before any thread exists, so that all of them leave the signals to ours.
    let signals = SignalSource::open().map_err(other)?;
    let _pid_file = start::pid_file(config.pid.as_deref(), &signals).map_err(other)?;
    let options = config.listen_options();
    let bound = start::patiently(&signals, BindError::is_in_use, || {
        net::open_all(&config.bind, &options, &[], &passed)
    })
    .map_err(other)?;
    let tls = match prepare::read_tls(&config).map_err(other)? {
        Some(material) => Some((material, TicketKeys::create().map_err(other)?)),
        None => None,
    };
    let tickets = tls.as_ref().map(|(_, file)| TicketKeys::map(file));
    let tickets = tickets.transpose().map_err(other)?;
    process::set_variables(config.environment());
    settle(&config, 0).map_err(other)?;
    config.bind = bound.iter().map(Opened::bind).collect();
    let urls: Vec<_> = bound.iter().map(Opened::url).collect();
    let listeners: io::Result<_> = bound.iter().map(duplicate).collect();
    let drain = Drain::default();
    let access_log = config.access_log.as_ref();
    let access_log = access_log.map(|target| AccessLog::of(target, config.access_manner()));
    let access_log = access_log.transpose().map_err(other)?;
    let logs = LogFiles::of(&config);
    // The thread that heeds signals is to the loop what a master is.
    let (master, orders) = orders::pair().map_err(other)?;
    orphan::end_in_time(&orders, config.graceful_timeout).map_err(other)?;
    if let Some(file) = logs.open().map_err(other)? {
        orders::send_log(&master, &file).map_err(other)?;
    }
    let engine = |(material, file): (OwnedFd, File)| {
        secured::engine(material, file.into(), &config.serve_options())
    };
    let serving = Serving {
        listeners: listeners.map_err(other)?,
        tls: tls.map(engine).transpose().map_err(other)?,
        apps: apps(&config, source),
        access_log: access_log.clone(),
        options: config.serve_options(),
        clock: Clock::new(),
        slot: Page::create().and_then(Slot::map).map_err(other)?,
        shares: None,
        app_metrics: None,
        drain: drain.clone(),
        identity: WorkerIdentity {
            id: 1,
            index: 0,
            count: 0,
            generation: 1,
        },
    };
    let watch = Watch {
        signals,
        drain: drain.clone(),
        delay: config.drain_delay,
        graceful: config.graceful_timeout,
        end: None,
        logs,
        orders: master,
        ignored: Ignored::default(),
    };
    let subject = Subject {
        drain: drain.clone(),
        clock: serving.clock.clone(),
        access_log,
        engine: serving.tls.clone(),
        graceful: config.graceful_timeout,
    };
    thread::Builder::new()
        .name("signals".into())
        .spawn(|| watch.heed())
        .map_err(other)?;
    let (clock, lifetime) = (serving.clock.clone(), config.tls_ticket_lifetime);
    let served_apps = config.apps.clone();
    run(
        serving,
        Duration::ZERO,
        || {
            let orders = fd::watch(Rc::new(orders))?;
            tokio::task::spawn_local(obey(orders, subject));
            if let Some(tickets) = tickets {
                tokio::task::spawn_local(replace_keys(tickets, clock, lifetime));
            }
            tokio::task::spawn_local(async move {
                drain.wait().await;
                bound
                    .iter()
                    .for_each(|one| one.listener.turn_newcomers_away());
                // What is not accepted by now is the serving loop's, which has sockets of its own.
                drop(bound);
            });
            Ok(())
        },
        |report| {
            let Report::Ready(app) = report else { return };
            let took = started.elapsed();
            let served = banner::Served::of(&app, served_apps.iter().map(AppConfig::shown));
            tracing::info!("{}", banner::line(&served, &urls, 0, took));
        },
    )
}

/// Says what of the surroundings and of the configuration does nothing here.
fn warn_of_what_a_master_does(config: &Config) {
    if std::env::var_os("NOTIFY_SOCKET").is_some() {
        tracing::warn!(
            "a server of one process tells the service manager nothing: use --workers 1"
        );
    }
    let hooks = [
        &config.hook_boot,
        &config.hook_ready,
        &config.hook_reload,
        &config.hook_worker_exit,
    ];
    if hooks.iter().any(|hook| hook.is_some()) {
        tracing::warn!("a server of one process runs no hooks: use --workers 1");
    }
}

/// The same socket once more, for the serving loop.
fn duplicate(opened: &Opened) -> io::Result<Listening> {
    let listener = &opened.listener;
    Ok(Listening {
        address: listener.address().clone(),
        manner: opened.manner,
        socket: listener.duplicate()?,
        tenure: listener.tenure(),
    })
}

/// The applications by their paths, so that debuggers and profilers find their symbols.
fn apps(config: &Config, source: AppSource) -> Vec<App> {
    match source {
        AppSource::LinkedIn(module) => vec![App::LinkedIn(module)],
        AppSource::CommandLine => {
            let paths = config.apps.iter().map(|one| one.path.clone());
            paths
                .map(|path| App::File(path.unwrap_or_default()))
                .collect()
        }
    }
}

/// Replaces the key of TLS session tickets again and again, which is a master's to do.
async fn replace_keys(tickets: TicketKeys, clock: Clock, lifetime: Duration) {
    loop {
        clock.sleep(lifetime).await;
        if let Err(error) = tickets.turn() {
            tracing::error!("the key of TLS session tickets stays as it was: {error}");
        }
    }
}

/// What the master is to a worker, as a thread: an application that holds up the event loop must not
/// keep the process from ending.
struct Watch {
    signals: SignalSource,
    drain: Drain,
    delay: Duration,
    graceful: Duration,
    /// When what has begun has had its time.
    end: Option<Instant>,
    logs: LogFiles,
    orders: OwnedFd,
    ignored: Ignored,
}

impl Watch {
    fn heed(mut self) {
        loop {
            if let Err(error) = self.wait().and_then(|()| self.obey()) {
                return tracing::error!("cannot read signals: {error}");
            }
            self.expire();
        }
    }

    /// TERM finishes what has begun, INT and QUIT drop it, a second one means now.
    fn obey(&mut self) -> io::Result<()> {
        while let Some(signal) = self.signals.next()? {
            let first = self.drain.phase() == Phase::Serving;
            match signal {
                Signal::SIGTERM if first => {
                    self.leave();
                }
                Signal::SIGINT | Signal::SIGQUIT if first => {
                    tracing::info!("stopping");
                    self.go(Phase::Stopping, LAST_GRACE);
                }
                Signal::SIGTERM | Signal::SIGINT | Signal::SIGQUIT => {
                    tracing::info!("stopping at once");
                    process::exit_now(0);
                }
                Signal::SIGUSR1 => self.reopen_log(),
                Signal::SIGHUP => {
                    self.reopen_log();
                    self.ignored.tell(
                        signal,
                        "reopens logs and reloads nothing in a server of one process",
                    );
                }
                Signal::SIGCHLD => {}
                other => self
                    .ignored
                    .tell(other, "means nothing to a server of one process"),
            }
        }
        Ok(())
    }

    fn reopen_log(&self) {
        let sent = self.logs.open().and_then(|file| match file {
            Some(file) => orders::send_log(&self.orders, &file),
            None => Ok(()),
        });
        match sent {
            Ok(()) => tracing::info!("log files are opened anew"),
            Err(error) => tracing::error!("{error}; the log goes on where it was"),
        }
    }

    fn expire(&mut self) {
        if self.end.is_none_or(|end| Instant::now() < end) {
            return;
        }
        match self.drain.phase() {
            Phase::Serving | Phase::Announced => return self.finish(),
            Phase::Stopping => {}
            _ => {
                let graceful = self.graceful.as_secs_f32();
                tracing::warn!("requests have not finished within {graceful} s; they are dropped");
                return self.go(Phase::Stopping, LAST_GRACE);
            }
        }
        tracing::warn!("the application does not let go; ending the process");
        process::exit_now(0);
    }

    fn leave(&mut self) {
        if self.delay.is_zero() {
            return self.finish();
        }
        let delay = self.delay.as_secs_f32();
        tracing::info!("applications know that the end is near; serving for another {delay} s");
        self.go(Phase::Announced, self.delay);
    }

    fn finish(&mut self) {
        tracing::info!("finishing what has begun, then stopping");
        if self.graceful.is_zero() {
            return self.go(Phase::Stopping, LAST_GRACE);
        }
        self.go(Phase::ShuttingDown, self.graceful);
    }

    fn go(&mut self, phase: Phase, time: Duration) {
        self.drain.advance(phase);
        self.end = Some(Instant::now() + time);
    }

    fn wait(&self) -> io::Result<()> {
        let left = self
            .end
            .map(|end| end.saturating_duration_since(Instant::now()));
        let timeout = left.map_or(PollTimeout::NONE, |left| {
            PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
        });
        match poll(
            &mut [PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)],
            timeout,
        ) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
