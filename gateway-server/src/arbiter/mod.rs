//! The master process: holds the listeners, starts workers and sees to it that there are enough.
//!
//! What to do is decided in [`state`]; this file waits for events and carries out actions. One thread,
//! no runtime, and nothing that waits for anything but the next event.

mod admin;
mod backoff;
mod changes;
mod control;
mod death;
mod event;
mod hearing;
mod hooks;
mod ledger;
mod memory;
mod obituary;
mod operators;
mod pool_names;
mod preparation;
mod progress;
mod recycling;
mod release;
mod releases;
mod renewal;
mod roster;
mod showing;
mod staff;
mod state;
mod status;
mod supervisor;
#[cfg(test)]
mod tests;
mod tickets;
mod upgrade;
mod wanted;
mod watcher;
mod worker_handle;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::app_metrics::Book;
use crate::app_source::AppSource;
use crate::banner;
use crate::config::{AppConfig, Config};
use crate::logging;
use crate::net::{BindError, LockFile, Passed};
use crate::orders::AppIdentity;
use crate::os::fd;
use crate::os::process::{self, Image};
use crate::os::signals::{Ignored, SignalSource};
use crate::prepare;
use crate::scoreboard::Counter;
use crate::start;
use crate::workbench::{Outcome, Workbench};
use admin::Admin;
use control::Control;
use event::{
    Action, Event, Gate, Generation, Loudness, Moment, Note, Policy, PoolId, Scope, WorkerId,
};
use hooks::{Hooks, Occasion, Which};
use ledger::Ledger;
use memory::OomKills;
use pool_names::PoolNames;
use preparation::Preparation;
use release::{Release, ReleaseError, policy};
use releases::{Releases, Succession};
use renewal::Renewal;
use state::State;
use supervisor::Supervisor;
use tickets::Tickets;
use upgrade::{Checker, Estate, Inheritance, Start};
use watcher::FileWatcher;
use worker_handle::WorkerHandle;

pub(crate) use upgrade::{ADOPT_ROLE, CHECK_ROLE, Check};

/// Runs the master until it is told to stop; `name` is the program's, for its workers, and `words` what
/// stands behind it on the command line, to be read again at each reload.
pub(crate) fn run(
    name: &OsStr,
    words: Vec<OsString>,
    config: Config,
    source: AppSource,
) -> ExitCode {
    until_the_end(Arbiter::new(name, words, config, source), Event::Started)
}

/// Goes on as the master that this process was before, with what the `argument` says it has left.
pub(crate) fn adopt(
    argument: &OsStr,
    name: OsString,
    words: Vec<OsString>,
    source: AppSource,
) -> ExitCode {
    match Inheritance::claim(argument, name, words) {
        Ok(inheritance) => {
            logging::init(inheritance.config.log_style());
            until_the_end(Arbiter::succeed(inheritance, source), Event::Adopted)
        }
        Err(error) => {
            logging::init(Default::default());
            tracing::error!("{ADOPT_ROLE} is for gatewayd's own use: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn until_the_end(arbiter: anyhow::Result<Arbiter>, first: Event) -> ExitCode {
    match arbiter.and_then(|arbiter| arbiter.serve(first)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The hands to [`State`]'s head.
struct Arbiter {
    state: State,
    /// When this program began, and what the server's clock said then.
    started: (Instant, Duration),
    /// What workers tell each other of their connections.
    shares: BTreeMap<PoolId, File>,
    /// What applications count, if anybody reads that.
    app_metrics: Option<Book>,
    tickets: Tickets,
    source: AppSource,
    image: Image,
    start: Start,
    signals: SignalSource,
    releases: Releases,
    preparation: Option<Preparation>,
    file_watcher: Option<FileWatcher>,
    renewal: Renewal,
    supervisor: Supervisor,
    workers: BTreeMap<WorkerId, WorkerHandle>,
    /// What the application calls itself.
    app: AppIdentity,
    oom_kills: OomKills,
    /// Held for as long as the master lives.
    pid_file: Option<LockFile>,
    ignored: Ignored,
    ledger: Ledger,
    /// What shows all this to operators, if anything.
    admin: Option<Admin>,
    /// Workers that were told to retire and may not have heard it yet.
    retiring: BTreeSet<WorkerId>,
    /// What `gatewayd dev` is to hear.
    untold: Option<Outcome>,
    /// The new program, while it is checked.
    checker: Option<Checker>,
    hooks: Hooks,
    control: Control,
}

impl Arbiter {
    fn new(
        name: &OsStr,
        words: Vec<OsString>,
        mut config: Config,
        source: AppSource,
    ) -> anyhow::Result<Self> {
        let started = Instant::now();
        let binds: Vec<_> = config
            .each_pool()
            .flat_map(|(_, one)| one.bind.clone())
            .collect();
        let passed = Passed::take(&binds, fd::adopt);
        let mut pools = PoolNames::default();
        let signals = SignalSource::open()?;
        let files = process::raise_file_limit();
        config.fit_max_connections(files);
        let image = Image::running(name)?;
        let pid_file = start::pid_file(config.pid.as_deref(), &signals)?;
        let tls = prepare::read_tls(&config)?;
        let mut release = start::patiently(&signals, ReleaseError::is_in_use, || {
            Release::new(config.clone(), Vec::new(), None, &[], &passed, &mut pools)
        })?;
        release.tls = tls;
        let admin = start::patiently(&signals, BindError::is_in_use, || {
            Admin::open(&config, None)
        })?;
        Ok(Self {
            state: State::new(policy(&config, &mut pools)),
            started: (started, Duration::ZERO),
            shares: BTreeMap::new(),
            tickets: Tickets::new(None, Duration::ZERO, &config)?,
            app_metrics: config.is_observed().then(|| Book::open(None)).transpose()?,
            control: Control::open(&config),
            source,
            image,
            start: Start {
                name: name.to_owned(),
                words,
                program: process::start_path(name),
            },
            signals,
            releases: Releases::new(release, passed, files, pools),
            preparation: None,
            file_watcher: None,
            renewal: Renewal::default(),
            supervisor: Supervisor::from_environment(),
            workers: BTreeMap::new(),
            app: AppIdentity::default(),
            oom_kills: OomKills::watch(),
            pid_file,
            ignored: Ignored::default(),
            ledger: Ledger::new(Duration::ZERO),
            admin,
            retiring: BTreeSet::new(),
            untold: None,
            checker: None,
            hooks: Hooks::default(),
        })
    }

    /// The master that this process was before, with another program.
    fn succeed(inheritance: Inheritance, source: AppSource) -> anyhow::Result<Self> {
        let started = Instant::now();
        let signals = SignalSource::open()?;
        let files = process::raise_file_limit();
        let Inheritance {
            mut config,
            listeners: open,
            state: saved,
            ..
        } = inheritance;
        config.fit_max_connections(files);
        changes::tell_kept(&changes::keep(&mut config, &inheritance.kept));
        let admin = Admin::open(&config, inheritance.admin)?;
        let passed = inheritance.passed;
        let before = inheritance.binds;
        let mut pools = inheritance.pools;
        let release = Release::of_successor(
            config,
            inheritance.apps,
            inheritance.tls,
            &open,
            &passed,
            before,
            &mut pools,
        )?;
        let policy = policy(&release.config, &mut pools);
        let releases =
            Releases::of_successor(saved.generation, release, &open, passed, files, pools);
        Ok(Self {
            control: Control::succeed(releases.config(), inheritance.control),
            tickets: Tickets::new(inheritance.tickets, inheritance.clock, releases.config())?,
            app_metrics: releases
                .config()
                .is_observed()
                .then(|| Book::open(inheritance.app_metrics))
                .transpose()?,
            state: State::succeed(policy, saved, inheritance.clock),
            started: (started, inheritance.clock),
            shares: BTreeMap::new(),
            source,
            image: inheritance.image,
            start: inheritance.start,
            signals,
            releases,
            preparation: None,
            file_watcher: None,
            renewal: Renewal::default(),
            supervisor: Supervisor::from_environment(),
            ignored: Ignored::default(),
            workers: inheritance.workers,
            app: AppIdentity::default(),
            oom_kills: OomKills::watch(),
            pid_file: inheritance.pid_file,
            ledger: Ledger::succeed(inheritance.clock, inheritance.totals),
            admin,
            retiring: BTreeSet::new(),
            untold: None,
            checker: None,
            hooks: Hooks::default(),
        })
    }

    fn serve(mut self, first: Event) -> anyhow::Result<u8> {
        self.watch_files();
        let mut events = VecDeque::from([first]);
        // A child may have ended before anybody asked for word of it.
        self.reap(&mut events)?;
        loop {
            while let Some(event) = events.pop_front() {
                for action in self.state.handle(event, self.moment()) {
                    if let Action::Exit(code) = action {
                        if self.hooks.is_busy() {
                            // Each of them is bounded in time, and ends with another event.
                            continue;
                        }
                        if code == 0 {
                            let requests = self.ledger.total(Counter::Requests);
                            tracing::info!("stopped; {requests} requests served");
                        }
                        self.releases.sweep();
                        return Ok(code);
                    }
                    if let (Action::Become(_), false) = (&action, events.is_empty()) {
                        // What has been read already, the successor cannot read again.
                        events.push_back(Event::CheckPassed);
                        continue;
                    }
                    events.extend(self.perform(action));
                }
            }
            self.tell_dev();
            self.tell_operators();
            self.supervisor.keep_alive(self.clock());
            self.tickets.turn(self.clock(), self.releases.config());
            self.renew();
            self.show();
            self.wait()?;
            self.collect(&mut events)?;
        }
    }

    fn moment(&self) -> Moment {
        #[expect(clippy::cast_possible_truncation, reason = "any 32 bits of it will do")]
        let chance = RandomState::new().build_hasher().finish() as u32;
        Moment {
            now: self.clock(),
            chance,
        }
    }

    /// Time since the server started, whichever program it was then.
    fn clock(&self) -> Duration {
        let (started, before) = self.started;
        before + started.elapsed()
    }

    /// Carries out an action; what comes of it at once is the next event.
    fn perform(&mut self, action: Action) -> Option<Event> {
        match action {
            Action::Prepare(generation, scope) => return self.prepare(generation, &scope),
            Action::Forget(generation) => self.forget(generation),
            Action::Spawn {
                worker,
                pool,
                slot,
                generation,
                count,
            } => {
                return self.spawn(worker, (pool, slot), generation, count);
            }
            Action::RunHook(gate) => return self.ask(gate),
            Action::ReopenLogs => self.reopen_logs(),
            Action::Check(generation) => return self.check(generation),
            Action::EndCheck => self.checker.iter().for_each(Checker::end),
            Action::KillCheck => self.checker.iter().for_each(Checker::kill),
            Action::Become(_) => return Some(self.hand_over()),
            Action::Order(worker, order) => self.order(worker, order),
            Action::Abort(worker) => self.signal(worker, Signal::SIGABRT),
            Action::Kill(worker) => self.signal(worker, Signal::SIGKILL),
            Action::CloseListeners => {
                // Nothing is begun any more.
                (self.preparation, self.file_watcher) = (None, None);
                self.renewal.end();
                self.hooks.end(Which::Gates);
                self.releases.close_listeners();
            }
            Action::Tell(note) => self.tell(&note),
            Action::Exit(_) => {}
        }
        None
    }

    /// The first generation is prepared here, where nobody waits for anything else yet.
    fn prepare(&mut self, generation: Generation, scope: &Scope) -> Option<Event> {
        if let Some(prepared) = self.releases.prepare_first(generation, self.source) {
            return Some(outcome_of(generation, prepared));
        }
        let deadline = self.clock() + self.releases.config().boot_timeout;
        let started = match scope {
            Scope::Everything => {
                Preparation::start(&self.image, &self.start.words, generation, deadline)
            }
            Scope::App(name) => {
                let Some(number) = self.releases.number_of(name) else {
                    // It was there when this was asked for.
                    let reason = format!("there is no application {name} any more");
                    return Some(Event::PrepareFailed(generation, reason));
                };
                let config = self.releases.serving().wire.as_fd();
                Preparation::of_app(&self.image, config, number, generation, deadline)
            }
        };
        match started {
            Ok(preparation) => {
                self.preparation = Some(preparation);
                None
            }
            Err(error) => {
                let reason = format!("cannot start a process to read the configuration: {error}");
                Some(Event::PrepareFailed(generation, reason))
            }
        }
    }

    /// Watches what the configuration in force asks for.
    fn watch_files(&mut self) {
        let watches = self.file_watcher.as_ref();
        if watches.is_some_and(|watcher| watcher.suits(self.releases.config())) {
            return;
        }
        self.file_watcher =
            FileWatcher::start(&self.image, self.releases.config()).unwrap_or_else(|error| {
                tracing::warn!("cannot watch files: {error}");
                None
            });
    }

    fn check(&mut self, generation: Generation) -> Option<Event> {
        match self.estate().check(generation) {
            Ok(checker) => {
                tracing::debug!("the new program is checked in process {}", checker.pid());
                self.checker = Some(checker);
                None
            }
            Err(error) => Some(Event::CheckRefused(error.to_string())),
        }
    }

    /// Becomes the new program; whoever returns has not.
    fn hand_over(&mut self) -> Event {
        let path = self.start.program.display().to_string();
        // The successor has others.
        self.file_watcher = None;
        self.admin.iter_mut().for_each(Admin::end);
        let Some(checker) = &self.checker else {
            return Event::StillHere(format!("{path}: nobody has checked this program"));
        };
        let error = self.estate().hand_over(checker);
        self.watch_files();
        Event::StillHere(format!("{path}: cannot become this program: {error}"))
    }

    fn estate(&self) -> Estate<'_> {
        Estate {
            start: &self.start,
            state: &self.state,
            clock: self.clock(),
            control: self.control.listener(),
            ledger: &self.ledger,
            admin: self.admin.as_ref().and_then(Admin::listener),
            pid_file: self.pid_file.as_ref(),
            tickets: self.tickets.as_fd(),
            app_metrics: self.app_metrics.as_ref().map(AsFd::as_fd),
            releases: &self.releases,
            workers: &self.workers,
        }
    }

    /// A generation is over: the one that served, or one that was tried and failed.
    fn forget(&mut self, generation: Generation) {
        if self
            .preparation
            .as_ref()
            .is_some_and(|one| one.generation == generation)
        {
            self.preparation = None;
        }
        if self.releases.forget(generation) == Succession::Changed {
            self.watch_files();
        }
    }

    /// Asks the hook that something waits for.
    fn ask(&mut self, gate: Gate) -> Option<Event> {
        let generation = match gate {
            Gate::Boot => self.releases.serving_generation(),
            Gate::Ready(generation) => generation,
        };
        let release = self.releases.of(generation);
        let occasion = Occasion::Gate(gate);
        let started = self
            .hooks
            .start(&self.image, &occasion, generation, release);
        let reason = |error| format!("cannot start a process for a hook: {error}");
        started
            .err()
            .map(|error| Event::HookEnded(gate, Err(reason(error))))
    }

    /// Runs a hook that nothing waits for, by the configuration in force.
    fn run_hook(&mut self, occasion: &Occasion<'_>) {
        let (generation, release) = (self.releases.serving_generation(), self.releases.serving());
        if let Err(error) = self.hooks.start(&self.image, occasion, generation, release) {
            tracing::warn!("cannot start a process for a hook: {error}");
        }
    }

    /// Tells `gatewayd dev` the last outcome, once no worker of before answers anybody new.
    fn tell_dev(&mut self) {
        if self.retiring.is_empty()
            && let Some(outcome) = self.untold.take()
            && let Some(folder) = &self.releases.config().workbench
        {
            Workbench::at(folder).tell(&outcome);
        }
    }

    fn tell(&mut self, note: &Note) {
        self.untold = outcome(note).or(self.untold.take());
        self.supervisor.tell(note);
        if let Some(outcome) = hooks::outcome(note) {
            self.run_hook(&Occasion::Reload(outcome));
        }
        if let Note::StoppingNow = note {
            self.hooks.end(Which::All);
        }
        self.control.note(note, self.clock());
        self.ledger.note(note);
        if let Note::Up { workers, took } = note {
            let release = self.releases.serving();
            // Under `dev` it is but a link, and may lead nowhere yet.
            let is_file = release.config.workbench.is_none();
            let apps: Vec<_> = release.config.all_apps().map(AppConfig::shown).collect();
            let apps = apps.into_iter();
            let apps = apps.map(|(name, path)| (name, path.filter(|_| is_file)));
            let served = banner::Served::of(&self.app, apps);
            let line = banner::line(&served, &release.urls, *workers, *took);
            return tracing::info!("{line}");
        }
        if let Note::Target { pool, .. } = note
            && let Some(name) = self.releases.pools().name_of(*pool)
        {
            return tracing::info!("{name}: {note}");
        }
        if let Note::GracefulTimeout { worker, .. } = note
            && let Some(handle) = self.workers.get(worker)
            && !obituary::tell_held(*worker, handle.page())
        {
            return tracing::info!("{worker} has no request left and closes what is idle");
        }
        match note.loudness() {
            Loudness::Error => tracing::error!("{note}"),
            Loudness::Warn => tracing::warn!("{note}"),
            Loudness::Info => tracing::info!("{note}"),
            Loudness::Debug => tracing::debug!("{note}"),
        }
    }
}

/// What has become of a preparation.
fn outcome_of(generation: Generation, prepared: Result<Policy, String>) -> Event {
    match prepared {
        Ok(policy) => Event::Prepared(generation, policy),
        Err(reason) => Event::PrepareFailed(generation, reason),
    }
}

/// What `gatewayd dev` waits to hear.
fn outcome(note: &Note) -> Option<Outcome> {
    match note {
        Note::Up { .. } => Some(Outcome::Up),
        Note::Reloaded { .. } => Some(Outcome::Serving),
        Note::ReloadFailed { reason } | Note::UpgradeFailed { reason } => {
            Some(Outcome::Refused(reason.clone()))
        }
        _ => None,
    }
}
