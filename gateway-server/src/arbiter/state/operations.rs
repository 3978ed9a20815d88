//! What an operator asks for while the server runs: another generation, another program. One at a time;
//! what is asked for meanwhile follows, once.

use std::time::Duration;

use super::pool::Pool;
use super::{CANNOT_LOAD, Proof, Reload, State};
use crate::arbiter::event::{Action, Generation, Note, Policy, PoolId, Scope};
use crate::arbiter::roster::LAST_GRACE;
use crate::orders::Order;

impl State {
    pub(super) fn prepare(&mut self, scope: Scope, out: &mut Vec<Action>) {
        self.last_generation.0 += 1;
        let generation = self.last_generation;
        if self.current.is_some() {
            let scope = scope.clone();
            out.push(Action::Tell(Note::Reloading { generation, scope }));
        }
        self.reload = Reload::Preparing(generation);
        out.push(Action::Prepare(generation, scope));
    }

    pub(super) fn prepared(
        &mut self,
        generation: Generation,
        policy: Policy,
        only: Option<PoolId>,
        now: Duration,
        out: &mut Vec<Action>,
    ) {
        if self.is_ending() || self.reload != Reload::Preparing(generation) {
            return out.push(Action::Forget(generation));
        }
        let pools: Vec<PoolId> = policy.workers.keys().copied().collect();
        self.next_policy = policy;
        self.reload_of = only;
        if self.current.is_some() {
            let mut canaries = Vec::new();
            for pool in pools
                .into_iter()
                .filter(|one| only.is_none_or(|only| only == *one))
            {
                self.pools.entry(pool).or_default();
                canaries.push(self.spawn(pool, generation, now, out));
            }
            self.reload = Reload::Canary(generation, canaries);
        } else {
            self.current = Some(generation);
            self.reload = Reload::None;
        }
    }

    pub(super) fn prepare_failed(
        &mut self,
        generation: Generation,
        reason: String,
        now: Duration,
        out: &mut Vec<Action>,
    ) {
        if self.is_ending() || self.reload != Reload::Preparing(generation) {
            return;
        }
        if self.current.is_none() {
            return self.give_up(reason, CANNOT_LOAD, now, out);
        }
        self.reload_failed(generation, &reason, now, out);
    }

    pub(super) fn ask_reload(&mut self, scope: Scope, out: &mut Vec<Action>) {
        if self.is_ending() {
            return;
        }
        if scope == Scope::Everything {
            out.push(Action::ReopenLogs);
        }
        let rested = self
            .pools
            .iter()
            .filter_map(|(id, pool)| Some((*id, pool.rested?)));
        for (pool, before) in rested.collect::<Vec<_>>() {
            self.scale(pool, before, out);
        }
        if self.is_free() {
            self.prepare(scope, out);
        } else if self.reload_again.want(scope) {
            out.push(Action::Tell(Note::ReloadLater));
        }
    }

    pub(super) fn reload_failed(
        &mut self,
        generation: Generation,
        reason: &str,
        now: Duration,
        out: &mut Vec<Action>,
    ) {
        if let Reload::Canary(_, canaries) | Reload::Proving(_, canaries) = self.reload.clone() {
            for canary in canaries {
                self.workers.order(canary, Order::Retire, now, out);
            }
        }
        let reason = format!("{reason}; the reload is off, the running generation goes on");
        out.push(Action::Tell(Note::ReloadFailed { reason }));
        out.push(Action::Forget(generation));
        self.reload = Reload::None;
    }

    pub(super) fn finish_reload(&mut self, out: &mut Vec<Action>) {
        let has_rolled = |(id, pool): (&PoolId, &Pool)| {
            let mut old = self
                .of(*id)
                .filter(|(_, worker)| worker.generation < pool.since);
            !old.any(|(_, worker)| worker.may_accept()) && self.ready_count(*id) >= pool.target
        };
        if self.reload == Reload::Rolling
            && let Some(generation) = self.current
            && self.pools.iter().all(has_rolled)
        {
            self.reload = Reload::None;
            out.push(Action::Tell(Note::Reloaded { generation }));
        }
    }

    /// Whether each pool has had a worker that was ready.
    pub(super) fn is_proven(&self) -> bool {
        let wanted = self.policy.workers.keys();
        wanted.into_iter().all(|id| self.pools[id].ever_ready)
    }

    /// Whether another operation may begin.
    pub(super) fn is_free(&self) -> bool {
        let proving = self.proof == Proof::Sought;
        !proving && self.reload == Reload::None && !self.upgrade.is_busy() && self.current.is_some()
    }

    pub(super) fn ask_upgrade(&mut self, now: Duration, out: &mut Vec<Action>) {
        if self.is_ending() {
            return;
        }
        if self.is_free() && self.is_proven() {
            self.check(now, out);
        } else if !self.upgrade_again {
            self.upgrade_again = true;
            out.push(Action::Tell(Note::UpgradeLater));
        }
    }

    pub(super) fn check(&mut self, now: Duration, out: &mut Vec<Action>) {
        self.last_generation.0 += 1;
        let generation = self.last_generation;
        out.push(Action::Tell(Note::Upgrading { generation }));
        // The new program watches over its first worker by the same timeout, and has better words.
        let within = self.policy.boot_timeout + self.policy.gates.within;
        let deadline = now + within + LAST_GRACE * 2;
        out.push(self.upgrade.begin(generation, deadline));
    }

    /// Begins what was asked for while something else ran.
    pub(super) fn go_on(&mut self, now: Duration, out: &mut Vec<Action>) {
        if self.is_free() && self.is_proven() && std::mem::take(&mut self.upgrade_again) {
            self.check(now, out);
        }
        if self.is_free()
            && let Some(scope) = self.reload_again.take()
        {
            self.prepare(scope, out);
        }
    }

    pub(super) fn upgrade_failed(reason: &str, out: &mut Vec<Action>) {
        let reason = format!("{reason}; the upgrade is off, the running program goes on");
        out.push(Action::Tell(Note::UpgradeFailed { reason }));
    }
}
