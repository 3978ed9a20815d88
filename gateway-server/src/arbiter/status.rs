//! What the master says of itself to operators' programs.

use std::cmp::Reverse;
use std::time::Duration;

use super::event::{PoolId, WorkerId};
use super::worker_handle::WorkerHandle;
use super::{Arbiter, memory};
use crate::board::WorkerState;
use crate::clock::monotonic_ns;
use crate::control::{MOST_REQUESTS, PoolStatus, RequestStatus, Status, WorkerStatus};
use crate::scoreboard::{Counter, InFlight};

impl Arbiter {
    pub(super) fn status(&self) -> Status {
        let release = self.releases.serving();
        let pools: Vec<_> = self.pools_status().collect();
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
            requests: self.requests_of(|_| true),
            pools,
            workers: self
                .workers
                .iter()
                .filter_map(|(id, handle)| self.worker_status(*id, handle))
                .collect(),
            requests_in_flight: self.requests_in_flight(),
            last_operation: self.control.last_operation(self.clock()),
        }
    }

    /// The pools that there are to be, and those of whom workers are left.
    fn pools_status(&self) -> impl Iterator<Item = PoolStatus> {
        let release = self.releases.serving();
        let there = |id: PoolId| {
            let mut workers = self.workers.values();
            release.supplies.contains_key(&id) || workers.any(|worker| worker.pool() == id)
        };
        let pools = self.state.targets().filter(move |(id, _)| there(*id));
        pools.map(move |(id, target)| {
            let supply = release.supplies.get(&id);
            let apps = supply.map(|_| &self.releases.config_of(id).apps);
            let ready = self.state.rows().filter(|(worker, _, state)| {
                let pool = self.workers.get(worker).map(WorkerHandle::pool);
                pool == Some(id) && *state == WorkerState::Ready
            });
            PoolStatus {
                name: self.releases.title_of(id).to_owned(),
                apps: apps
                    .into_iter()
                    .flatten()
                    .map(|app| app.name.clone())
                    .collect(),
                addresses: supply.map(|supply| supply.urls.clone()).unwrap_or_default(),
                workers_wanted: target,
                workers_ready: u32::try_from(ready.count()).unwrap_or(u32::MAX),
                requests: self.requests_of(|pool| pool == id),
            }
        })
    }

    /// Requests answered in these pools, by those who are gone as well.
    fn requests_of(&self, counts: impl Fn(PoolId) -> bool) -> u64 {
        let living = self.workers.values().filter(|one| counts(one.pool()));
        let living = living.map(|worker| worker.counter(Counter::Requests));
        let gone = self.ledger.totals().iter().filter(|(id, _)| counts(**id));
        let gone = gone.map(|(_, totals)| totals[Counter::Requests.index()]);
        living.chain(gone).fold(0, u64::wrapping_add)
    }

    fn worker_status(&self, id: WorkerId, handle: &WorkerHandle) -> Option<WorkerStatus> {
        let (place, phase) = self.state.whereabouts(id)?;
        Some(WorkerStatus {
            id: id.0,
            pid: handle.pid().as_raw(),
            pool: self.releases.title_of(handle.pool()).to_owned(),
            place,
            generation: handle.generation().0,
            phase: phase.to_owned(),
            requests: handle.counter(Counter::Requests),
            requests_active: handle.counter(Counter::RequestsActive),
            connections_active: handle.counter(Counter::ConnectionsActive),
            memory: memory::held_by(handle.pid()).map(|held| held.0),
        })
    }

    /// What workers hold, the oldest first: of what an application is called with for the
    /// first time nobody knows the age, and it stands before all others.
    fn requests_in_flight(&self) -> Vec<RequestStatus> {
        let now = monotonic_ns();
        let mut all: Vec<(WorkerId, InFlight)> = Vec::new();
        for (id, handle) in &self.workers {
            all.extend(handle.in_flight(now).into_iter().map(|one| (*id, one)));
        }
        all.sort_by_key(|(_, one)| Reverse(one.age.unwrap_or(Duration::MAX)));
        all.truncate(MOST_REQUESTS);
        all.into_iter()
            .map(|(worker, one)| RequestStatus {
                worker: worker.0,
                app: one.app,
                method: one.method,
                path: one.path,
                id: one.id.map(|id| id.to_string()),
                age_seconds: one.age.map(|age| age.as_secs_f64()),
                running: one.running,
            })
            .collect()
    }
}
