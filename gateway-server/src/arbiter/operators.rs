//! What operators' programs ask for on the control socket, and what they are told.

use std::collections::VecDeque;

use super::event::{Event, Haste, WorkerId};
use super::worker_handle::WorkerHandle;
use super::{Arbiter, memory};
use crate::app_source::AppSource;
use crate::config::{MAX_WORKERS, SETTINGS};
use crate::control::{Command, Reply, Status, WorkerStatus};
use crate::scoreboard::Counter;

impl Arbiter {
    /// What they ask for now.
    pub(super) fn hear_operators(&mut self, events: &mut VecDeque<Event>) {
        let now = self.clock();
        for asked in self.control.hear(now) {
            match self.carry_out(&asked.command, events) {
                Some(reply) => self.control.answer(&asked, &reply, now),
                None => self.control.have_wait(&asked),
            }
        }
    }

    /// Answers those who have waited for the end of what runs.
    pub(super) fn tell_operators(&mut self) {
        if self.state.is_settled() {
            let now = self.clock();
            self.control.tell_settled(now);
        }
    }

    /// The answer to a command, if there is one at once.
    fn carry_out(&self, command: &Command, events: &mut VecDeque<Event>) -> Option<Reply> {
        let (event, waits) = match command {
            Command::Status => {
                return Some(Reply {
                    status: Some(self.status()),
                    ..Reply::done()
                });
            }
            Command::Config => {
                let mut config = self.releases.config().clone();
                let settings = SETTINGS.iter();
                let shown = settings.map(|one| (one.name.to_owned(), one.show(&mut config)));
                return Some(Reply {
                    config: Some(shown.collect()),
                    ..Reply::done()
                });
            }
            Command::Wait => return None,
            Command::Reload { wait } => (self.reload_event(), *wait),
            Command::Upgrade { wait } => (Event::Upgrade, *wait),
            Command::Scale { workers } if !(1..=MAX_WORKERS).contains(workers) => {
                let why = format!("expected 1 to {MAX_WORKERS} workers, found {workers}");
                return Some(Reply::refused(why));
            }
            Command::Scale { workers } => (Event::Scale(*workers), false),
            Command::Kill { worker, now } => {
                let id = WorkerId(*worker);
                if !self.workers.contains_key(&id) {
                    let known = self.workers.keys().map(|id| id.0.to_string());
                    let known = known.collect::<Vec<_>>().join(", ");
                    let why = format!("there is no {id}; there are {known}");
                    return Some(Reply::refused(why));
                }
                let event = if *now {
                    Event::End(id)
                } else {
                    Event::Replace(id)
                };
                (event, false)
            }
            Command::Reopen => (Event::Reopen, false),
            Command::Drain => (Event::Rest, false),
            Command::Stop { quick, wait } => {
                let haste = if *quick {
                    Haste::Quick
                } else {
                    Haste::Graceful
                };
                (Event::Stop(haste), *wait)
            }
        };
        tracing::info!("an operator asks: {}", command.word());
        events.push_back(event);
        (!waits).then(Reply::done)
    }

    /// What HUP means: where the application is in the program, another program.
    pub(super) fn reload_event(&self) -> Event {
        match self.source {
            AppSource::CommandLine => Event::Reload,
            AppSource::LinkedIn(_) => Event::Upgrade,
        }
    }

    fn status(&self) -> Status {
        let release = self.releases.serving();
        let living = self.workers.values();
        let answered = living.map(|worker| worker.counter(Counter::Requests));
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            uptime_seconds: self.clock().as_secs(),
            phase: self.state.phase(),
            app: self.app.name.clone(),
            app_version: self.app.version.clone(),
            addresses: release.urls.clone(),
            generation: self.releases.serving_generation().0,
            workers_wanted: self.state.target(),
            requests: answered.fold(self.ledger.total(Counter::Requests), u64::wrapping_add),
            workers: self
                .workers
                .iter()
                .filter_map(|(id, handle)| self.worker_status(*id, handle))
                .collect(),
            last_operation: self.control.last_operation(self.clock()),
        }
    }

    fn worker_status(&self, id: WorkerId, handle: &WorkerHandle) -> Option<WorkerStatus> {
        let (place, phase) = self.state.whereabouts(id)?;
        Some(WorkerStatus {
            id: id.0,
            pid: handle.pid().as_raw(),
            place,
            generation: handle.generation().0,
            phase: phase.to_owned(),
            requests: handle.counter(Counter::Requests),
            requests_active: handle.counter(Counter::RequestsActive),
            connections_active: handle.counter(Counter::ConnectionsActive),
            memory: memory::held_by(handle.pid()).map(|held| held.0),
        })
    }
}
