//! What the master hears: signals, the words of its children, and their deaths.

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;

use super::admin::Admin;
use super::death::Death;
use super::deeds::outcome_of;
use super::event::{Event, Haste};
use super::hooks::Occasion;
use super::preparation::Preparation;
use super::recycling::Usage;
use super::upgrade::Checker;
use super::watcher::{FileWatcher, Heard};
use super::worker_handle::WorkerHandle;
use super::{Arbiter, memory, obituary};
use crate::orders::Report;
use crate::os::process::{self, Ended, Reaped};
use crate::os::signals::has_terminal;
use crate::prepare::{Goods, Parcel};
use crate::scoreboard::Counter;
use crate::tls;
use crate::value::ByteCount;

impl Arbiter {
    /// Sleeps until there is something to read or a deadline has come.
    pub(super) fn wait(&self) -> io::Result<()> {
        let prepared = self.preparation.as_ref().map(|one| one.deadline);
        let deadlines = [
            self.state.next_deadline(),
            prepared,
            self.renewal.reading().map(|one| one.deadline),
            self.supervisor.next_deadline(),
            self.control.next_deadline(),
            self.tickets.next_deadline(self.releases.config()),
            self.admin.as_ref().map(Admin::next_deadline),
        ];
        let timeout = match deadlines.into_iter().flatten().min() {
            None => PollTimeout::NONE,
            Some(deadline) => {
                // Rounded up, or the last fraction of a millisecond would be spent spinning.
                let left = deadline.saturating_sub(self.clock());
                let left = left + Duration::from_micros(999);
                PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
            }
        };
        let ears = self.workers.values().filter_map(WorkerHandle::ear);
        let mut fds: Vec<_> = std::iter::once(self.signals.as_fd())
            .chain(self.preparation.as_ref().map(Preparation::ear))
            .chain(self.file_watcher.as_ref().map(FileWatcher::ear))
            .chain(self.renewal.reading().map(Preparation::ear))
            .chain(self.checker.as_ref().and_then(Checker::ear))
            .chain(ears)
            .map(|fd| (fd, PollFlags::POLLIN))
            .chain(self.control.ears())
            .map(|(fd, flags)| PollFd::new(fd, flags))
            .collect();
        match poll(&mut fds, timeout) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            // More ears than this process may have files since somebody lowered that limit: they are
            // all asked now and then, until it is raised again.
            Err(Errno::EINVAL) => nap(timeout),
            Err(error) => Err(error.into()),
        }
    }

    /// Everything that has happened. Time comes first, so that after a pause of the whole machine
    /// nobody is judged by a clock that ran on; words come before the death of who spoke them.
    pub(super) fn collect(&mut self, events: &mut VecDeque<Event>) -> io::Result<()> {
        if self.state.tick_due(self.clock()) {
            for (id, worker) in &self.workers {
                events.push_back(Event::Beat(*id, worker.beat()));
                let requests = worker.counter(Counter::Requests);
                // Only asked for where it matters: it is a file to open and read.
                let limited = self.releases.config().max_rss.0 > 0;
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
                    Report::Retired => Event::Retired(*id),
                    Report::Failed(reason) => Event::Failed(*id, reason),
                    Report::Ready(app) => {
                        if worker.pool() == self.releases.first_pool() {
                            self.app = app;
                        }
                        Event::Ready(*id)
                    }
                });
            }
        }
        events.extend(self.hear_preparation());
        self.hear_renewal();
        self.hear_file_watcher(events);
        while let Some(signal) = self.signals.next()? {
            match signal {
                Signal::SIGTERM => events.push_back(Event::Stop(Haste::Graceful)),
                Signal::SIGINT | Signal::SIGQUIT => events.push_back(Event::Stop(Haste::Quick)),
                Signal::SIGHUP => events.push_back(self.reload_event()),
                Signal::SIGUSR2 => events.push_back(Event::Upgrade),
                Signal::SIGTTIN => events.push_back(Event::More),
                Signal::SIGTTOU => events.push_back(Event::Fewer),
                Signal::SIGCHLD => self.reap(events)?,
                Signal::SIGUSR1 => events.push_back(Event::Reopen),
                Signal::SIGWINCH if !has_terminal() => events.push_back(Event::Rest),
                Signal::SIGWINCH => {
                    let why = "is ignored: a terminal sends it whenever its size changes";
                    self.ignored.tell(signal, why);
                }
                other => self.ignored.tell(other, "means nothing to this server"),
            }
        }
        events.extend(self.hear_checker());
        self.hear_operators(events);
        Ok(())
    }

    pub(super) fn reap(&mut self, events: &mut VecDeque<Event>) -> io::Result<()> {
        while let Some(reaped) = process::reap()? {
            let Reaped { pid, ended, peak } = reaped;
            if let Some(event) = self.hooks.reaped(pid) {
                events.push_back(event);
                continue;
            }
            if let Some(preparation) = &mut self.preparation {
                preparation.reaped(pid);
            }
            if let Some(reading) = self.renewal.reading_mut() {
                reading.reaped(pid);
            }
            if let Some(watcher) = &mut self.file_watcher {
                watcher.reaped(pid);
            }
            let now = self.clock();
            if let Some(admin) = &mut self.admin {
                admin.reaped(pid, now);
            }
            if self.checker.as_ref().is_some_and(|one| one.pid() == pid) {
                events.extend(self.hear_checker());
                self.checker = None;
                events.push_back(Event::CheckEnded(ended));
                continue;
            }
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
            self.ledger.fold(id, worker.pool(), worker.page());
            if let Some(book) = &self.app_metrics {
                book.release(pid);
            }
            // What it started may hold its end of the socket, and never stop talking.
            for _ in 0..LAST_REPORTS {
                match worker.hear() {
                    Some(Report::Failed(reason)) => events.push_back(Event::Failed(id, reason)),
                    Some(_) => {}
                    None => break,
                }
            }
            if ended != Ended::Code(0) {
                obituary::tell_held(id, worker.page());
                let paths = self.releases.config_of(worker.pool()).apps.iter();
                let paths = paths.map(|app| app.path.as_deref().unwrap_or(Path::new("")));
                let apps: Vec<_> = worker.apps().iter().copied().zip(paths).collect();
                obituary::tell_last_words(id, worker.page(), &apps);
            }
            let death = Death {
                ended,
                peak: ByteCount(peak),
                out_of_memory: self.oom_kills.any_new(),
            };
            events.push_back(Event::Exited(id, death));
            self.run_hook(&Occasion::WorkerExit(id, &reaped));
        }
        Ok(())
    }

    /// What has become of the preparation that runs.
    pub(super) fn hear_preparation(&mut self) -> Option<Event> {
        let preparation = self.preparation.as_ref()?;
        let (generation, app) = (preparation.generation, preparation.app);
        let parcel = match preparation.hear() {
            Some(parcel) => parcel,
            None if self.clock() < preparation.deadline => return None,
            None => {
                let what = "reading the configuration and the application took too long";
                Parcel::Refused(vec![what.to_owned()])
            }
        };
        self.preparation = None;
        let Some(number) = app else {
            let received = self.releases.receive(generation, parcel);
            return Some(outcome_of(generation, received));
        };
        Some(
            match self.releases.replace_app(generation, number, parcel) {
                Ok((policy, pool)) => Event::PreparedOne(generation, policy, pool),
                Err(reason) => Event::PrepareFailed(generation, reason),
            },
        )
    }

    /// Reads certificates anew if that is wanted.
    pub(super) fn renew(&mut self) {
        let now = self.clock();
        if let Err(error) = self.renewal.begin(&self.image, &self.releases, now) {
            tracing::error!("cannot start a process to read certificates: {error}");
        }
    }

    /// Hands certificates that were read to the workers.
    pub(super) fn hear_renewal(&mut self) {
        let Some((generation, parcel)) = self.renewal.hear(self.clock()) else {
            return;
        };
        if generation != self.releases.serving_generation() {
            // What serves now may have been read before the change.
            return self.renewal.want();
        }
        match parcel {
            Parcel::Ready(Goods { tls: Some(tls), .. }) => {
                let workers = self.workers.values();
                for worker in workers.filter(|worker| worker.generation() == generation) {
                    worker.give_certificates(&tls);
                }
                self.releases.renew(tls);
                tracing::info!("certificates were read anew: new connections get them");
            }
            Parcel::Ready(_) => {}
            Parcel::Refused(reasons) => {
                let why = reasons.join("; ");
                tracing::error!("{why}; the certificates stay as they were");
            }
        }
    }

    pub(super) fn hear_file_watcher(&mut self, events: &mut VecDeque<Event>) {
        let heard = self.file_watcher.as_ref().and_then(FileWatcher::hear);
        match heard {
            None => {}
            Some(Heard::Changed(path)) => {
                tracing::info!("{path} has changed");
                let files = self.releases.config().tls_files();
                let own = files.map(|files| tls::watched(&files));
                if own.is_some_and(|own| own.contains(&path.as_str().into())) {
                    return self.renewal.want();
                }
                let before = events.len();
                if self.releases.config().all_apps().count() > 1 {
                    let changed = self.releases.loaded_from(Path::new(&path));
                    events.extend(changed.map(|name| Event::ReloadApp(name.to_owned())));
                }
                if events.len() == before {
                    events.push_back(Event::Reload);
                }
            }
            Some(Heard::Gone) => {
                tracing::warn!("files are watched no more: the process that did has ended");
                self.file_watcher = None;
            }
        }
    }

    pub(super) fn hear_checker(&mut self) -> Option<Event> {
        Some(match self.checker.as_mut()?.hear()? {
            Ok(()) => Event::CheckPassed,
            Err(reason) => Event::CheckFailed(reason),
        })
    }
}

/// Sleeps for [`NAP`], or until a deadline that comes before.
fn nap(timeout: PollTimeout) -> io::Result<()> {
    let rest = timeout.as_millis().map_or(NAP, |left| left.min(NAP));
    match poll(
        &mut [],
        PollTimeout::try_from(rest).unwrap_or(PollTimeout::ZERO),
    ) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Milliseconds between two hearings of a master that cannot wait for its ears.
const NAP: u32 = 50;
/// Most reports that are read of a worker that has ended; one that behaves sends three in its life.
const LAST_REPORTS: usize = 64;
/// Most reports of one worker that are read before the others get a hearing.
const REPORTS_AT_ONCE: usize = 16;
