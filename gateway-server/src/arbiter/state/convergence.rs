//! Towards the wanted number of workers of the current generation, in each pool.

use std::time::Duration;

use super::{Reload, State, count};
use crate::arbiter::event::{Action, Note, PoolId, WorkerId};
use crate::arbiter::roster::Worker;
use crate::orders::Order;

impl State {
    /// Workers of a pool that serve or will, without a canary.
    pub(super) fn live_of(
        &self,
        pool: PoolId,
    ) -> impl DoubleEndedIterator<Item = (WorkerId, &Worker)> {
        let canaries = match &self.reload {
            Reload::Canary(_, canaries) | Reload::Proving(_, canaries) => canaries.as_slice(),
            _ => &[],
        };
        self.of(pool)
            .filter(move |(id, worker)| worker.is_live() && !canaries.contains(id))
    }

    /// All of a pool.
    pub(super) fn of(&self, pool: PoolId) -> impl DoubleEndedIterator<Item = (WorkerId, &Worker)> {
        let workers = self.workers.iter();
        workers.filter(move |(_, worker)| worker.pool == pool)
    }

    pub(super) fn ready_count(&self, pool: PoolId) -> u32 {
        count(self.live_of(pool).filter(|(_, worker)| worker.is_ready()))
    }

    /// Live workers of a pool that are not to be replaced.
    fn fresh(&self, pool: PoolId) -> impl DoubleEndedIterator<Item = (WorkerId, &Worker)> {
        let since = self.pools[&pool].since;
        self.live_of(pool)
            .filter(move |(_, worker)| worker.generation >= since && !worker.spent)
    }

    /// When the next worker of any pool may be started, if one is missing.
    pub(super) fn next_spawn(&self) -> Option<Duration> {
        let pools = self.pools.keys();
        pools.filter_map(|pool| self.next_spawn_of(*pool)).min()
    }

    /// When the next worker may be started, if one is missing. What has to be replaced serves until
    /// its replacement is ready, so that capacity never falls.
    fn next_spawn_of(&self, id: PoolId) -> Option<Duration> {
        self.current?;
        let pool = &self.pools[&id];
        let (fresh, live) = (count(self.fresh(id)), count(self.live_of(id)));
        if fresh >= pool.target {
            return None;
        }
        let not_before = pool.backoff.not_before();
        if live < pool.target {
            return Some(not_before);
        }
        // One beyond the target while a reload rolls.
        let is_old = |worker: &Worker| worker.generation < pool.since;
        if self.live_of(id).any(|(_, worker)| is_old(worker)) {
            return (live == pool.target).then_some(not_before);
        }
        let is_booting = |worker: &Worker| worker.is_live() && !worker.is_ready();
        let booting = count(self.of(id).filter(|(_, worker)| is_booting(worker)));
        let at_once = (pool.target / 4).max(1);
        let may = booting < at_once && live < pool.target + at_once;
        may.then_some(pool.not_before())
    }

    pub(super) fn converge(&mut self, now: Duration, out: &mut Vec<Action>) {
        let Some(current) = self.current else { return };
        let pools: Vec<PoolId> = self.pools.keys().copied().collect();
        for pool in pools {
            self.stop_useless(pool, now, out);
            self.retire_surplus(pool, now, out);
            while self.next_spawn_of(pool).is_some_and(|at| now >= at) {
                self.spawn(pool, current, now, out);
            }
        }
    }

    /// Booting workers that nobody waits for any more: of an older generation, or beyond the target.
    fn stop_useless(&mut self, pool: PoolId, now: Duration, out: &mut Vec<Action>) {
        let (target, since) = (self.pools[&pool].target, self.pools[&pool].since);
        let mut surplus = count(self.fresh(pool)).saturating_sub(target);
        let mut useless = Vec::new();
        let live = self.live_of(pool).rev();
        for (id, worker) in live.filter(|(_, worker)| !worker.is_ready()) {
            if worker.generation < since {
                useless.push(id);
            } else if surplus > 0 {
                surplus -= 1;
                useless.push(id);
            }
        }
        for id in useless {
            self.workers.order(id, Order::StopNow, now, out);
        }
    }

    /// Ready workers beyond the target retire: the oldest generation first, then who has reached a
    /// limit, then the youngest.
    fn retire_surplus(&mut self, pool: PoolId, now: Duration, out: &mut Vec<Action>) {
        let (target, since) = (self.pools[&pool].target, self.pools[&pool].since);
        while self.ready_count(pool) > target {
            let ready = || self.live_of(pool).filter(|(_, worker)| worker.is_ready());
            let old = ready().find(|(_, worker)| worker.generation < since);
            let old = old.or_else(|| ready().find(|(_, worker)| worker.spent));
            let draining = count(self.of(pool).filter(|(_, worker)| worker.is_draining()));
            // Replacing does not pile up processes that take long to finish.
            if old.is_some() && target > 0 && draining >= target {
                return;
            }
            let Some((id, _)) = old.or_else(|| ready().next_back()) else {
                return;
            };
            self.workers.order(id, Order::Retire, now, out);
        }
    }

    pub(super) fn scale(&mut self, id: PoolId, wanted: u32, out: &mut Vec<Action>) {
        let ending = self.is_ending();
        let Some(pool) = self.pools.get_mut(&id) else {
            return;
        };
        let least = u32::from(pool.rested.is_none());
        let target = wanted.clamp(least, self.policy.max_workers);
        if !ending && target != pool.target {
            pool.target = target;
            pool.rested = None;
            let note = Note::Target {
                pool: id,
                workers: target,
            };
            out.push(Action::Tell(note));
        }
    }

    /// Another number in the first pool, which is that of the server's own addresses if it has any.
    pub(super) fn scale_first(&mut self, wanted: impl FnOnce(u32) -> u32, out: &mut Vec<Action>) {
        if let Some((id, _)) = self.policy.workers.first_key_value() {
            let id = *id;
            let wanted = wanted(self.pools[&id].target);
            self.scale(id, wanted, out);
        }
    }

    /// All workers finish and nobody takes over; who connects waits in the backlog.
    pub(super) fn rest(&mut self, out: &mut Vec<Action>) {
        if self.is_ending() {
            return;
        }
        for (id, pool) in &mut self.pools {
            if pool.rested.is_none() && self.policy.workers.contains_key(id) {
                pool.rested = Some(pool.target);
                pool.target = 0;
                out.push(Action::Tell(Note::Target {
                    pool: *id,
                    workers: 0,
                }));
            }
        }
    }

    pub(super) fn tell_up(&mut self, now: Duration, out: &mut Vec<Action>) {
        let pools = || self.pools.iter();
        let workers = pools().map(|(_, pool)| pool.target).sum();
        let ready = pools().all(|(id, pool)| self.ready_count(*id) >= pool.target);
        if !self.up && ready && workers > 0 && self.is_proved(out) {
            self.up = true;
            out.push(Action::Tell(Note::Up { workers, took: now }));
        }
    }
}
