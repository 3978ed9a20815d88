//! What the master does to workers: starting, telling, signalling, and giving them log files.

use std::collections::btree_map::{BTreeMap, Entry};
use std::os::fd::AsFd;
use std::rc::Rc;

use nix::sys::signal::Signal;

use super::Arbiter;
use super::event::{Event, Generation, PoolId, WorkerId};
use super::worker_handle::{Provisions, WorkerHandle};
use crate::log_files::LogFiles;
use crate::orders::Order;
use crate::shares;

impl Arbiter {
    pub(super) fn order(&mut self, worker: WorkerId, order: Order) {
        let Some(handle) = self.workers.get(&worker) else {
            return;
        };
        match order {
            // Nobody takes over all of its listeners: it empties them first.
            Order::Retire if self.releases.leaves_listeners(handle.generation()) => {
                handle.order(Order::Shutdown);
            }
            _ => handle.order(order),
        }
    }

    pub(super) fn spawn(
        &mut self,
        worker: WorkerId,
        (pool, slot): (PoolId, u32),
        generation: Generation,
        count: u32,
    ) -> Option<Event> {
        let release = self.releases.of(generation);
        let name = self.releases.pools().name_of(pool).unwrap_or_default();
        let mut pools = release.config.each_pool();
        let own = pools
            .find(|(one, _)| *one == name)
            .zip(release.supplies.get(&pool));
        let Some(((_, config), supply)) = own else {
            let reason = "its applications are there no more".to_owned();
            return Some(Event::SpawnFailed(worker, reason));
        };
        let shares = match self.shares.entry(pool) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => match shares::create() {
                Ok(shares) => place.insert(shares),
                Err(error) => return Some(Event::SpawnFailed(worker, error.to_string())),
            },
        };
        let tls = release.tls.as_ref().filter(|_| supply.is_secured);
        let provisions = Provisions {
            image: &self.image,
            environment: config,
            pool,
            config: supply.wire.as_fd(),
            shares: shares.as_fd(),
            metrics: self.app_metrics.as_ref().map(AsFd::as_fd),
            apps: &supply.apps,
            tls: tls.map(AsFd::as_fd),
            tickets: self.tickets.to_read(),
            logs: LogFiles::of(&release.config),
            listeners: &supply.listeners,
        };
        match WorkerHandle::start(&provisions, (worker, slot), count, generation) {
            Ok(handle) => {
                tracing::debug!("{worker} is process {}", handle.pid());
                if let Some(log) = &release.log {
                    handle.give_log(log);
                }
                self.workers.insert(worker, handle);
                None
            }
            Err(error) => Some(Event::SpawnFailed(worker, error.to_string())),
        }
    }

    /// Opens the log files by their names once more. What cannot be opened goes on where it was.
    pub(super) fn reopen_logs(&mut self) {
        let mut opened = BTreeMap::new();
        let mut open = |logs: &LogFiles| {
            let again = |logs: &LogFiles| {
                let file = logs.open().inspect_err(|error| {
                    tracing::error!("{error}; the log goes on where it was");
                });
                file.ok().flatten().map(Rc::new)
            };
            let file = opened.entry(logs.clone()).or_insert_with_key(again);
            file.clone()
        };
        for release in self.releases.iter_mut() {
            let again = open(&LogFiles::of(&release.config));
            release.log = again.or(release.log.take());
        }
        for worker in self.workers.values() {
            if let Some(file) = open(worker.logs()) {
                worker.give_log(&file);
            }
        }
        tracing::info!("log files are opened anew");
    }

    pub(super) fn signal(&self, worker: WorkerId, signal: Signal) {
        if let Some(worker) = self.workers.get(&worker) {
            worker.signal(signal);
        }
    }
}
