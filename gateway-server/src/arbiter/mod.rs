//! The master process: holds the listeners, starts workers and sees to it that there are enough.
//!
//! What to do is decided in [`state`]; this file waits for events and carries out actions. One thread,
//! no runtime, and nothing that waits for anything but the next event.

mod backoff;
mod death;
mod event;
mod memory;
mod recycling;
mod roster;
mod state;
#[cfg(test)]
mod tests;
mod worker_handle;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::OsStr;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;

use crate::app_source::AppSource;
use crate::banner;
use crate::config::{Config, MAX_WORKERS};
use crate::net::{ListenAddress, Listener};
use crate::orders::{AppIdentity, Order, Report};
use crate::os::memfd;
use crate::os::process::{self, Image, Reaped};
use crate::os::signals::SignalSource;
use crate::scoreboard::Counter;
use crate::snapshot;
use crate::value::ByteCount;
use crate::workbench::{Outcome, Workbench};
use death::Death;
use event::{Action, Event, Generation, Haste, Loudness, Moment, Note, WorkerId};
use memory::OomKills;
use recycling::{Limits, Usage};
use state::{Policy, State};
use worker_handle::{Provisions, WorkerHandle};

/// Runs the master until it is told to stop; `name` is the program's, for its workers.
pub(crate) fn run(name: &OsStr, config: Config, source: AppSource) -> ExitCode {
    match Arbiter::new(name, config, source).and_then(Arbiter::serve) {
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
    started: Instant,
    config: Config,
    /// The configuration as workers read it.
    wire: OwnedFd,
    source: AppSource,
    image: Image,
    signals: SignalSource,
    listeners: Vec<Listener>,
    addresses: Vec<ListenAddress>,
    /// The copies of the application that workers may still be started from.
    snapshots: BTreeMap<Generation, OwnedFd>,
    workers: BTreeMap<WorkerId, WorkerHandle>,
    /// What the application calls itself.
    app: AppIdentity,
    oom_kills: OomKills,
    /// Requests answered by workers that are gone.
    requests: u64,
    /// Workers that were told to retire and may not have heard it yet.
    retiring: BTreeSet<WorkerId>,
    /// What `gatewayd dev` is to hear.
    untold: Option<Outcome>,
}

impl Arbiter {
    fn new(name: &OsStr, mut config: Config, source: AppSource) -> anyhow::Result<Self> {
        let started = Instant::now();
        let signals = SignalSource::open()?;
        config.fit_open_files(process::raise_file_limit());
        let image = Image::running(name)?;
        let listeners = Listener::bind_all(&config.bind, config.backlog)?;
        let addresses: Vec<_> = listeners.iter().map(|one| one.address().clone()).collect();
        // Workers are told where they listen, not where they were asked to.
        config.bind.clone_from(&addresses);
        let state = State::new(Policy {
            workers: config.workers,
            max_workers: MAX_WORKERS,
            worker_timeout: config.worker_timeout,
            boot_timeout: config.boot_timeout,
            graceful_timeout: config.graceful_timeout,
            drain_delay: config.drain_delay,
            limits: Limits {
                requests: config.max_requests,
                age: config.max_age,
                memory: config.max_rss,
                jitter: config.recycle_jitter,
            },
        });
        Ok(Self {
            state,
            started,
            wire: memfd::sealed("gatewayd-config", &config.to_wire())?,
            config,
            source,
            image,
            signals,
            listeners,
            addresses,
            snapshots: BTreeMap::new(),
            workers: BTreeMap::new(),
            app: AppIdentity::default(),
            oom_kills: OomKills::watch(),
            requests: 0,
            retiring: BTreeSet::new(),
            untold: None,
        })
    }

    fn serve(mut self) -> anyhow::Result<u8> {
        let mut events = VecDeque::from([Event::Started]);
        loop {
            while let Some(event) = events.pop_front() {
                for action in self.state.handle(event, self.moment()) {
                    if let Action::Exit(code) = action {
                        if code == 0 {
                            tracing::info!("stopped; {} requests served", self.requests);
                        }
                        return Ok(code);
                    }
                    events.extend(self.perform(action));
                }
            }
            self.tell_dev();
            self.wait()?;
            self.collect(&mut events)?;
        }
    }

    fn moment(&self) -> Moment {
        #[expect(clippy::cast_possible_truncation, reason = "any 32 bits of it will do")]
        let chance = RandomState::new().build_hasher().finish() as u32;
        Moment {
            now: self.started.elapsed(),
            chance,
        }
    }

    /// Sleeps until there is something to read or a deadline has come.
    fn wait(&self) -> io::Result<()> {
        let timeout = match self.state.next_deadline() {
            None => PollTimeout::NONE,
            Some(deadline) => {
                // Rounded up, or the last fraction of a millisecond would be spent spinning.
                let left = deadline.saturating_sub(self.started.elapsed());
                let left = left + Duration::from_micros(999);
                PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
            }
        };
        let ears = self.workers.values().filter_map(WorkerHandle::ear);
        let mut fds: Vec<_> = std::iter::once(self.signals.as_fd())
            .chain(ears)
            .map(|fd| PollFd::new(fd, PollFlags::POLLIN))
            .collect();
        match poll(&mut fds, timeout) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Everything that has happened. Time comes first, so that after a pause of the whole machine
    /// nobody is judged by a clock that ran on; words come before the death of who spoke them.
    fn collect(&mut self, events: &mut VecDeque<Event>) -> io::Result<()> {
        if self.state.tick_due(self.started.elapsed()) {
            for (id, worker) in &self.workers {
                events.push_back(Event::Beat(*id, worker.beat()));
                let requests = worker.counter(Counter::Requests);
                // Only asked for where it matters: it is a file to open and read.
                let limited = self.config.max_rss.0 > 0;
                let memory = limited.then(|| memory::held_by(worker.pid())).flatten();
                let memory = memory.unwrap_or(ByteCount(0));
                events.push_back(Event::Used(*id, Usage { requests, memory }));
            }
            events.push_back(Event::Tick);
        } else {
            events.push_back(Event::Woken);
        }
        for (id, worker) in &mut self.workers {
            for _ in 0..REPORTS_AT_ONCE {
                let Some(report) = worker.hear() else { break };
                events.push_back(match report {
                    Report::Retired => {
                        self.retiring.remove(id);
                        continue;
                    }
                    Report::Failed(reason) => Event::Failed(*id, reason),
                    Report::Ready(app) => {
                        self.app = app;
                        Event::Ready(*id)
                    }
                });
            }
        }
        while let Some(signal) = self.signals.next()? {
            match signal {
                Signal::SIGTERM => events.push_back(Event::Stop(Haste::Graceful)),
                Signal::SIGINT | Signal::SIGQUIT => events.push_back(Event::Stop(Haste::Quick)),
                Signal::SIGHUP => events.push_back(Event::Reload),
                Signal::SIGTTIN => events.push_back(Event::More),
                Signal::SIGTTOU => events.push_back(Event::Fewer),
                Signal::SIGCHLD => self.reap(events)?,
                other => tracing::debug!("{other} means nothing to this server"),
            }
        }
        Ok(())
    }

    fn reap(&mut self, events: &mut VecDeque<Event>) -> io::Result<()> {
        while let Some(Reaped { pid, ended, peak }) = process::reap()? {
            let id = self
                .workers
                .iter()
                .find(|(_, worker)| worker.pid() == pid)
                .map(|(id, _)| *id);
            // As process 1 of a container we inherit other people's children.
            let Some(id) = id else { continue };
            let Some(mut worker) = self.workers.remove(&id) else {
                continue;
            };
            self.requests = self
                .requests
                .wrapping_add(worker.counter(Counter::Requests));
            while let Some(report) = worker.hear() {
                if let Report::Failed(reason) = report {
                    events.push_back(Event::Failed(id, reason));
                }
            }
            self.retiring.remove(&id);
            let death = Death {
                ended,
                peak: ByteCount(peak),
                out_of_memory: self.oom_kills.any_new(),
            };
            events.push_back(Event::Exited(id, death));
        }
        Ok(())
    }

    /// Carries out an action; what comes of it at once is the next event.
    fn perform(&mut self, action: Action) -> Option<Event> {
        match action {
            Action::Snapshot(generation) => return Some(self.snapshot(generation)),
            Action::Forget(generation) => drop(self.snapshots.remove(&generation)),
            Action::Spawn {
                worker,
                slot,
                generation,
                count,
            } => {
                return self.spawn(worker, slot, generation, count);
            }
            Action::Order(worker, order) => {
                if let Some(handle) = self.workers.get(&worker) {
                    if order == Order::Retire {
                        self.retiring.insert(worker);
                    }
                    handle.order(order);
                }
            }
            Action::Abort(worker) => self.signal(worker, Signal::SIGABRT),
            Action::Kill(worker) => self.signal(worker, Signal::SIGKILL),
            Action::CloseListeners => {
                for listener in &self.listeners {
                    listener.turn_newcomers_away();
                }
                self.listeners.clear();
            }
            Action::Tell(note) => self.tell(&note),
            Action::Exit(_) => {}
        }
        None
    }

    fn snapshot(&mut self, generation: Generation) -> Event {
        let missing = |path: &PathBuf| self.config.workbench.is_some() && !path.exists();
        if let (AppSource::CommandLine, Some(path)) = (self.source, &self.config.app)
            && !missing(path)
        {
            match snapshot::take(path) {
                Ok(copy) => drop(self.snapshots.insert(generation, copy)),
                Err(error) => return Event::SnapshotFailed(generation, error.to_string()),
            }
        }
        Event::SnapshotTaken(generation)
    }

    fn spawn(
        &mut self,
        worker: WorkerId,
        slot: u32,
        generation: Generation,
        count: u32,
    ) -> Option<Event> {
        let provisions = Provisions {
            image: &self.image,
            config: self.wire.as_fd(),
            app: self.snapshots.get(&generation).map(AsFd::as_fd),
            listeners: &self.listeners,
        };
        match WorkerHandle::start(&provisions, slot, count, generation) {
            Ok(handle) => {
                tracing::debug!("{worker} is process {}", handle.pid());
                self.workers.insert(worker, handle);
                None
            }
            Err(error) => Some(Event::SpawnFailed(worker, error.to_string())),
        }
    }

    fn signal(&self, worker: WorkerId, signal: Signal) {
        if let Some(worker) = self.workers.get(&worker) {
            worker.signal(signal);
        }
    }

    /// Tells `gatewayd dev` the last outcome, once no worker of before answers anybody new.
    fn tell_dev(&mut self) {
        if self.retiring.is_empty()
            && let Some(outcome) = self.untold.take()
            && let Some(folder) = &self.config.workbench
        {
            Workbench::at(folder).tell(&outcome);
        }
    }

    fn tell(&mut self, note: &Note) {
        self.untold = outcome(note).or(self.untold.take());
        if let Note::Up { workers, took } = note {
            let path = self.config.app.as_deref();
            // Under `dev` it is but a link, and may lead nowhere yet.
            let path = path.filter(|_| self.config.workbench.is_none());
            let line = banner::line(&self.app, path, &self.addresses, *workers, *took);
            return tracing::info!("{line}");
        }
        match note.loudness() {
            Loudness::Error => tracing::error!("{note}"),
            Loudness::Warn => tracing::warn!("{note}"),
            Loudness::Info => tracing::info!("{note}"),
            Loudness::Debug => tracing::debug!("{note}"),
        }
    }
}

/// What `gatewayd dev` waits to hear.
fn outcome(note: &Note) -> Option<Outcome> {
    match note {
        Note::Up { .. } => Some(Outcome::Up),
        Note::Reloaded { .. } => Some(Outcome::Serving),
        Note::ReloadFailed { reason } => Some(Outcome::Refused(reason.clone())),
        _ => None,
    }
}

/// Most reports of one worker that are read before the others get a hearing.
const REPORTS_AT_ONCE: usize = 16;
