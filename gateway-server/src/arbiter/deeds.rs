//! What the master does of what was decided.

use std::os::fd::AsFd;

use nix::sys::signal::Signal;

use super::Arbiter;
use super::admin::Admin;
use super::event::{Action, Event, Gate, Generation, Policy, Scope};
use super::hooks::{Occasion, Which};
use super::preparation::Preparation;
use super::releases::Succession;
use super::upgrade::{Checker, Estate};
use super::watcher::FileWatcher;

impl Arbiter {
    /// Carries out an action; what comes of it at once is the next event.
    pub(super) fn perform(&mut self, action: Action) -> Option<Event> {
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
    pub(super) fn watch_files(&mut self) {
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
    pub(super) fn run_hook(&mut self, occasion: &Occasion<'_>) {
        let (generation, release) = (self.releases.serving_generation(), self.releases.serving());
        if let Err(error) = self.hooks.start(&self.image, occasion, generation, release) {
            tracing::warn!("cannot start a process for a hook: {error}");
        }
    }
}

/// What has become of a preparation.
pub(super) fn outcome_of(generation: Generation, prepared: Result<Policy, String>) -> Event {
    match prepared {
        Ok(policy) => Event::Prepared(generation, policy),
        Err(reason) => Event::PrepareFailed(generation, reason),
    }
}
