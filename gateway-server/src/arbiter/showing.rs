//! What the master shows to operators.

use std::collections::BTreeMap;
use std::os::fd::AsFd;

use super::Arbiter;
use super::event::PoolId;
use super::ledger::Ledger;
use crate::board::{Board, PoolRow, WorkerRow};
use crate::clock::monotonic_ns;

impl Arbiter {
    /// Shows operators how things stand now, if anybody may look.
    pub(super) fn show(&mut self) {
        if self.admin.is_none() {
            return;
        }
        let (board, now) = (self.board(), self.clock());
        let config = self.releases.serving().wire.as_fd();
        if let (Some(admin), Some(book)) = (&mut self.admin, &self.app_metrics) {
            let files = [config, book.as_fd()];
            admin.show(&self.image, files, &self.workers, &board, now);
        }
    }

    fn board(&self) -> Board {
        let Ledger {
            started,
            last_reload,
            ..
        } = &self.ledger;
        let rows = self.state.rows().filter_map(|(id, slot, state)| {
            let worker = self.workers.get(&id)?;
            Some(WorkerRow {
                id: id.0,
                pid: worker.pid().as_raw().unsigned_abs(),
                pool: worker.pool().0,
                slot,
                generation: worker.generation().0,
                state,
            })
        });
        let app = [&*self.app.name, &*self.app.version];
        Board {
            started: *started,
            written_ns: monotonic_ns(),
            pid: std::process::id(),
            app: app.join(" ").trim().to_owned(),
            urls: self.releases.serving().urls.clone(),
            stage: self.state.stage(),
            target: self.state.target(),
            last_worker: self.state.last_worker(),
            generation: self.state.generation(),
            tallies: self.ledger.tallies().collect(),
            last_reload: last_reload.clone(),
            errors: self.ledger.errors(),
            pools: self.pool_rows(),
            workers: rows.collect(),
        }
    }

    /// All pools there have been: counters do not end with who has counted.
    fn pool_rows(&self) -> Vec<PoolRow> {
        let (targets, totals) = (self.state.targets(), self.ledger.totals());
        let mut pools: BTreeMap<PoolId, u32> = totals.keys().map(|id| (*id, 0)).collect();
        pools.extend(targets);
        let row = |(id, target): (PoolId, u32)| {
            let there = self.releases.serving().supplies.contains_key(&id);
            let apps = there.then(|| &self.releases.config_of(id).apps);
            PoolRow {
                id: id.0,
                name: self.releases.title_of(id).to_owned(),
                apps: apps
                    .into_iter()
                    .flatten()
                    .map(|app| app.name.clone())
                    .collect(),
                target,
                totals: totals.get(&id).cloned().unwrap_or_default(),
            }
        };
        pools.into_iter().map(row).collect()
    }
}
