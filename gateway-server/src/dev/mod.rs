//! `gatewayd dev`: builds a cargo package, serves it, and builds it again whenever its sources change.
//!
//! The server is an ordinary master with one worker, a child process. A good build is put where the
//! master loads from, and `HUP` does the rest: the worker of before serves until the new one is ready.
//! The two sides meet in a folder, the [`Workbench`].

mod build;
mod error_page;
mod event;
mod package;
mod watch;
mod wish;

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::logging;
use crate::os::process;
use crate::os::signals::SignalSource;
use crate::workbench::{Outcome, Workbench};
use build::Recipe;
use error_page::Page;
use event::{Event, heed, listen};
use package::{Failure, Package};
use watch::Watch;
use wish::{HELP, Instead, Judge, Wish};

/// The first argument of the server that `dev` starts; the second is the workbench.
pub(crate) const ROLE: &str = "--gatewayd-dev";

/// Runs until it is told to stop, or the server ends; `args` are the words behind `dev`, and `judge` knows
/// the server's options.
///
/// Returns what the server exited with, 1 if the files cannot be watched, 2 for a wrong command line.
pub(crate) fn run(name: &OsStr, args: &[OsString], judge: Judge) -> ExitCode {
    let asked = Wish::parse(args, judge).and_then(|wish| Ok((wish.manifest()?, wish)));
    let (manifest, wish) = match asked {
        Ok(asked) => asked,
        Err(Instead::Help) => {
            // Whoever closed the pipe has read enough.
            let _ = io::stdout().write_all(HELP.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(Instead::Complaints(wrong)) => {
            let lines = wrong.iter().map(|words| format!("gatewayd: {words}\n"));
            let text = lines.collect::<String>() + "Try `gatewayd dev --help`.\n";
            let _ = io::stderr().write_all(text.as_bytes());
            return ExitCode::from(USAGE);
        }
    };
    logging::init(Default::default());
    match Dev::start(name, manifest, &wish).and_then(Dev::run) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The server, to come up.
    Starting,
    /// A change.
    Idle,
    /// Cargo.
    Building,
    /// The server, to take this build over.
    Reloading(Stamp),
}

struct Dev {
    folder: TempDir,
    bench: Workbench,
    recipe: Recipe,
    server: Child,
    sender: Sender<Event>,
    events: Receiver<Event>,
    watch: Watch,
    phase: Phase,
    /// What the package is made of, until a manifest changes.
    package: Option<Package>,
    /// Cargo's process, and with it its group.
    cargo: Option<Pid>,
    /// When the first and the last change came that no build has seen.
    changed: Option<(Instant, Instant)>,
    /// Which file is being served.
    serving: Option<Stamp>,
    started: Instant,
}

impl Dev {
    fn start(name: &OsStr, manifest: PathBuf, wish: &Wish) -> anyhow::Result<Self> {
        // Before any thread exists, so that all of them leave the signals to one.
        let signals = SignalSource::open()?;
        let folder = tempfile::Builder::new().prefix("gatewayd-dev-").tempdir()?;
        let bench = Workbench::at(folder.path());
        let page = Page::new("Building", "The first build is under way.\n");
        bench.show(&page.html, &page.text)?;
        let outcomes = bench.outcomes()?;
        let (sender, events) = mpsc::channel();
        let tell = sender.clone();
        let mut watch = Watch::new(move |path| {
            let _ = tell.send(Event::Changed(path.to_owned()));
        })
        .context("cannot watch files")?;
        let home = manifest.parent().unwrap_or(Path::new("/"));
        watch
            .follow(home, None)
            .with_context(|| format!("cannot watch {}", home.display()))?;
        bench.note_package(home)?;
        let mut command = Command::new("/proc/self/exe");
        command
            .arg0(name)
            .arg(ROLE)
            .arg(bench.folder())
            .args(SERVER_DEFAULTS)
            .args(&wish.server)
            .stdin(Stdio::null());
        process::ends_with_us(&mut command);
        let server = command.spawn().context("cannot start the server")?;
        let tell = sender.clone();
        thread::spawn(move || heed(&signals, &tell));
        let tell = sender.clone();
        thread::spawn(move || listen(outcomes, &tell));
        Ok(Self {
            folder,
            bench,
            recipe: Recipe {
                manifest,
                options: wish.cargo.clone(),
                coloured: io::IsTerminal::is_terminal(&io::stderr()),
            },
            server,
            sender,
            events,
            watch,
            phase: Phase::Starting,
            package: None,
            cargo: None,
            changed: None,
            serving: None,
            started: Instant::now(),
        })
    }

    fn run(mut self) -> anyhow::Result<u8> {
        let code = loop {
            match self.next()? {
                None => self.build(),
                Some(Event::Signal(Signal::SIGCHLD)) => {
                    if let Some(status) = self.server.try_wait()? {
                        let died =
                            |signal| 128_u8.saturating_add(u8::try_from(signal).unwrap_or(0));
                        let code = status.code().map(|code| u8::try_from(code).unwrap_or(1));
                        break code.or(status.signal().map(died)).unwrap_or(1);
                    }
                }
                Some(Event::Signal(signal)) => self.stop(signal),
                Some(Event::Changed(path)) => self.change(&path),
                Some(Event::Cargo(process)) => {
                    self.cargo = i32::try_from(process).ok().map(Pid::from_raw)
                }
                Some(Event::Package(package)) => self.know(package),
                Some(Event::Built(built)) => {
                    self.cargo = None;
                    self.built(built);
                }
                Some(Event::Outcome(outcome)) => self.learn(outcome),
            }
        };
        if let Some(cargo) = self.cargo {
            process::send_group(cargo, Signal::SIGKILL);
        }
        self.folder.close()?;
        Ok(code)
    }

    /// The next event; none when it is time to build.
    fn next(&self) -> anyhow::Result<Option<Event>> {
        let due = self.changed.filter(|_| self.phase == Phase::Idle);
        let Some((first, last)) = due else {
            return Ok(Some(self.events.recv()?));
        };
        let at = (last + QUIET).min(first + PATIENCE);
        let left = at.saturating_duration_since(Instant::now());
        match self.events.recv_timeout(left) {
            Ok(event) => Ok(Some(event)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(gone @ RecvTimeoutError::Disconnected) => Err(gone.into()),
        }
    }

    fn change(&mut self, path: &Path) {
        // An event without a path says that some were lost.
        if path.file_name().is_none_or(|name| name == "Cargo.toml") {
            self.package = None;
        }
        let now = Instant::now();
        let (first, _) = self.changed.unwrap_or((now, now));
        self.changed = Some((first, now));
    }

    fn build(&mut self) {
        self.phase = Phase::Building;
        self.changed = None;
        self.started = Instant::now();
        tracing::info!("dev: building {}", self.name());
        let (recipe, known, sender) = (
            self.recipe.clone(),
            self.package.clone(),
            self.sender.clone(),
        );
        thread::spawn(move || {
            // Once nobody listens, the process is about to end.
            let tell = |event| drop(sender.send(event));
            let running = |process| tell(Event::Cargo(process));
            let package = known.map_or_else(
                || {
                    let package = recipe.package(running)?;
                    tell(Event::Package(package.clone()));
                    Ok(package)
                },
                Ok,
            );
            let built = package.and_then(|package| recipe.build(&package, running));
            tell(Event::Built(built));
        });
    }

    fn know(&mut self, package: Package) {
        self.package = Some(package);
        self.follow();
    }

    /// Watches what there is to watch by now.
    fn follow(&mut self) {
        let Some(package) = &self.package else { return };
        for folder in &package.folders {
            if let Err(error) = self.watch.follow(folder, Some(&package.target)) {
                tracing::warn!("dev: cannot watch {}: {error}", folder.display());
            }
        }
    }

    fn built(&mut self, built: Result<PathBuf, Failure>) {
        self.follow();
        self.phase = Phase::Idle;
        match built.and_then(|module| {
            self.offer(&module)
                .map_err(|error| cannot_serve(&module, &error))
        }) {
            Ok(Some(stamp)) => self.phase = Phase::Reloading(stamp),
            Ok(None) => {
                self.bench.clear();
                tracing::info!("dev: {} is as it was", self.name());
            }
            Err(failure) => self.show(&failure),
        }
    }

    /// Has the server load `module`, unless it serves it already.
    fn offer(&self, module: &Path) -> io::Result<Option<Stamp>> {
        let stamp = stamp(module)?;
        if self.serving == Some(stamp) {
            return Ok(None);
        }
        let took = self.started.elapsed().as_secs_f32();
        tracing::info!("dev: built {} in {took:.1} s", self.name());
        self.bench.put(module)?;
        process::send(self.server(), Signal::SIGHUP);
        Ok(Some(stamp))
    }

    fn learn(&mut self, outcome: Outcome) {
        match (outcome, self.phase) {
            (Outcome::Up, Phase::Starting) => {
                self.phase = Phase::Idle;
                self.build();
            }
            (Outcome::Serving, Phase::Reloading(stamp)) => {
                self.phase = Phase::Idle;
                self.serving = Some(stamp);
                self.bench.clear();
                tracing::info!("dev: serving {}", self.name());
            }
            (Outcome::Refused(reason), Phase::Reloading(_)) => {
                self.phase = Phase::Idle;
                self.show(&Failure {
                    title: format!("{} does not start", self.name()),
                    output: format!("{reason}\n"),
                });
            }
            // The operator's own HUP, sent to the server.
            _ => {}
        }
    }

    fn show(&self, failure: &Failure) {
        let Failure { title, output } = failure;
        let remains = if self.serving.is_some() {
            "; the last good build goes on"
        } else {
            ""
        };
        let page = Page::new(title, output);
        if let Err(error) = self.bench.show(&page.html, &page.text) {
            tracing::error!("dev: cannot write the page: {error}");
        }
        tracing::error!("dev: {title}{remains}");
    }

    /// Ends what it has started; the server's end is its own.
    fn stop(&self, signal: Signal) {
        let signal = match signal {
            // The terminal is gone.
            Signal::SIGHUP => Signal::SIGTERM,
            Signal::SIGINT | Signal::SIGQUIT | Signal::SIGTERM => signal,
            _ => return,
        };
        process::send(self.server(), signal);
        if let Some(cargo) = self.cargo {
            process::send_group(cargo, Signal::SIGTERM);
        }
    }

    fn server(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.server.id()).expect("process ids fit"))
    }

    fn name(&self) -> String {
        self.package.as_ref().map_or_else(
            || self.recipe.manifest.display().to_string(),
            |package| package.name.clone(),
        )
    }
}

/// What differs when a file has been written.
type Stamp = (u64, u64, i64, i64);

fn stamp(module: &Path) -> io::Result<Stamp> {
    let file = std::fs::metadata(module)?;
    Ok((file.ino(), file.size(), file.mtime(), file.mtime_nsec()))
}

fn cannot_serve(module: &Path, error: &io::Error) -> Failure {
    Failure {
        title: "The build cannot be served".to_owned(),
        output: format!("{}: {error}\n", module.display()),
    }
}

const USAGE: u8 = 2;
/// What the operator may override: one worker is enough for one person, who does not wait long for
/// an application that hangs.
const SERVER_DEFAULTS: [&str; 2] = ["--workers=1", "--boot-timeout=15s"];
/// A build begins when nothing has changed for so long: an editor writes several files at once.
const QUIET: Duration = Duration::from_millis(100);
/// Or when changes have gone on for so long.
const PATIENCE: Duration = Duration::from_secs(2);
