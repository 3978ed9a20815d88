//! What operators' programs ask for on the control socket, and what they are told.

use std::collections::VecDeque;

use super::Arbiter;
use super::event::{Event, Haste, WorkerId};
use crate::app_source::AppSource;
use crate::config::{MAX_WORKERS, SETTINGS};
use crate::control::{Command, Reply};

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
                let shown = settings.map(|one| (one.name.to_owned(), one.veiled(&mut config)));
                return Some(Reply {
                    config: Some(shown.collect()),
                    ..Reply::done()
                });
            }
            Command::Wait => return None,
            Command::Reload { app: None, wait } => (self.reload_event(), *wait),
            Command::Reload {
                app: Some(app),
                wait,
            } => {
                if self.releases.number_of(app).is_none() {
                    return Some(self.no_such(app));
                }
                let event = match self.source {
                    AppSource::CommandLine => Event::ReloadApp(app.clone()),
                    AppSource::LinkedIn(_) => self.reload_event(),
                };
                (event, *wait)
            }
            Command::Upgrade { wait } => (Event::Upgrade, *wait),
            Command::Scale { workers, .. } if !(1..=MAX_WORKERS).contains(workers) => {
                let why = format!("expected 1 to {MAX_WORKERS} workers, found {workers}");
                return Some(Reply::refused(why));
            }
            Command::Scale { workers, app } => {
                let pool = app
                    .as_ref()
                    .map(|app| self.releases.pool_with(app).ok_or(app));
                match pool.transpose() {
                    Ok(pool) => (Event::Scale(pool, *workers), false),
                    Err(app) => return Some(self.no_such(app)),
                }
            }
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

    fn no_such(&self, app: &str) -> Reply {
        let known = self.releases.config().all_apps();
        let known: Vec<_> = known.map(|app| app.name.as_str()).collect();
        let known = known.join(", ");
        Reply::refused(format!("there is no application {app}; there are {known}"))
    }

    /// What HUP means: where the application is in the program, another program.
    pub(super) fn reload_event(&self) -> Event {
        match self.source {
            AppSource::CommandLine => Event::Reload,
            AppSource::LinkedIn(_) => Event::Upgrade,
        }
    }
}
