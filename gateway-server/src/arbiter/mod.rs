//! The master process: holds the listeners, starts workers and sees to it that there are enough.
//!
//! What to do is decided in [`state`]; this file waits for events and [`deeds`] carries out actions. One
//! thread, no runtime, and nothing that waits for anything but the next event.

mod admin;
mod backoff;
mod beginning;
mod changes;
mod control;
mod death;
mod deeds;
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
mod telling;
#[cfg(test)]
mod tests;
mod tickets;
mod upgrade;
mod wanted;
mod watcher;
mod worker_handle;

use std::collections::{BTreeMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::app_metrics::Book;
use crate::app_source::AppSource;
use crate::config::Config;
use crate::logging;
use crate::net::LockFile;
use crate::orders::AppIdentity;
use crate::os::process::Image;
use crate::os::signals::{Ignored, SignalSource};
use crate::scoreboard::Counter;
use admin::Admin;
use control::Control;
use event::{Action, Event, Moment, PoolId, WorkerId};
use hooks::Hooks;
use ledger::Ledger;
use memory::OomKills;
use preparation::Preparation;
use releases::Releases;
use renewal::Renewal;
use state::State;
use supervisor::Supervisor;
use tickets::Tickets;
use upgrade::{Checker, Inheritance, Start};
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
    /// The new program, while it is checked.
    checker: Option<Checker>,
    hooks: Hooks,
    control: Control,
}

impl Arbiter {
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
}
