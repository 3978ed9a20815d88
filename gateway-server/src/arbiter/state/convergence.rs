//! Towards the wanted number of workers of the current generation.

use std::time::Duration;

use super::{Reload, State, count};
use crate::arbiter::event::{Action, Generation, Note, WorkerId};
use crate::arbiter::roster::Worker;
use crate::orders::Order;

impl State {
    /// Workers that serve or will, without a canary.
    pub(super) fn live(&self) -> impl DoubleEndedIterator<Item = (WorkerId, &Worker)> {
        let canary = match self.reload {
            Reload::Canary(_, canary) | Reload::Proving(_, canary) => Some(canary),
            _ => None,
        };
        self.workers
            .iter()
            .filter(move |(id, worker)| worker.is_live() && Some(*id) != canary)
    }

    pub(super) fn ready_count(&self) -> u32 {
        count(self.live().filter(|(_, worker)| worker.is_ready()))
    }

    /// Live workers of the current generation that are not to be replaced.
    pub(super) fn fresh(&self) -> impl DoubleEndedIterator<Item = (WorkerId, &Worker)> {
        self.live()
            .filter(|(_, worker)| Some(worker.generation) == self.current && !worker.spent)
    }

    /// When the next worker may be started, if one is missing. What has to be replaced serves until
    /// its replacement is ready, so that capacity never falls.
    pub(super) fn next_spawn(&self) -> Option<Duration> {
        self.current?;
        let (fresh, live) = (count(self.fresh()), count(self.live()));
        if fresh >= self.target {
            return None;
        }
        let not_before = self.backoff.not_before();
        let is_old = |worker: &Worker| Some(worker.generation) != self.current;
        if live < self.target {
            return Some(not_before);
        }
        // One beyond the target while a reload rolls.
        if self.live().any(|(_, worker)| is_old(worker)) {
            return (live == self.target).then_some(not_before);
        }
        let is_booting = |worker: &Worker| worker.is_live() && !worker.is_ready();
        let booting = count(self.workers.iter().filter(|(_, worker)| is_booting(worker)));
        let at_once = (self.target / 4).max(1);
        let may = booting < at_once && live < self.target + at_once;
        may.then_some(not_before.max(self.hunger.not_before()))
    }

    pub(super) fn converge(&mut self, now: Duration, out: &mut Vec<Action>) {
        let Some(current) = self.current else { return };
        self.stop_useless(current, now, out);
        self.retire_surplus(current, now, out);
        while self.next_spawn().is_some_and(|at| now >= at) {
            self.spawn(current, now, out);
        }
    }

    /// Booting workers that nobody waits for any more: of an older generation, or beyond the target.
    pub(super) fn stop_useless(
        &mut self,
        current: Generation,
        now: Duration,
        out: &mut Vec<Action>,
    ) {
        let mut surplus = count(self.fresh()).saturating_sub(self.target);
        let mut useless = Vec::new();
        for (id, worker) in self.live().rev().filter(|(_, worker)| !worker.is_ready()) {
            if worker.generation != current {
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
    pub(super) fn retire_surplus(
        &mut self,
        current: Generation,
        now: Duration,
        out: &mut Vec<Action>,
    ) {
        while self.ready_count() > self.target {
            let ready = || self.live().filter(|(_, worker)| worker.is_ready());
            let old = ready().find(|(_, worker)| worker.generation != current);
            let old = old.or_else(|| ready().find(|(_, worker)| worker.spent));
            let draining = count(
                self.workers
                    .iter()
                    .filter(|(_, worker)| worker.is_draining()),
            );
            // Replacing does not pile up processes that take long to finish.
            if old.is_some() && self.target > 0 && draining >= self.target {
                return;
            }
            let Some((id, _)) = old.or_else(|| ready().next_back()) else {
                return;
            };
            self.workers.order(id, Order::Retire, now, out);
        }
    }

    pub(super) fn scale(&mut self, wanted: u32, out: &mut Vec<Action>) {
        let least = u32::from(self.rested.is_none());
        let target = wanted.clamp(least, self.policy.max_workers);
        if !self.is_ending() && target != self.target {
            self.target = target;
            self.rested = None;
            out.push(Action::Tell(Note::Target { workers: target }));
        }
    }

    /// All workers finish and nobody takes over; who connects waits in the backlog.
    pub(super) fn rest(&mut self, out: &mut Vec<Action>) {
        if !self.is_ending() && self.rested.is_none() {
            self.rested = Some(self.target);
            self.target = 0;
            out.push(Action::Tell(Note::Target { workers: 0 }));
        }
    }

    pub(super) fn tell_up(&mut self, now: Duration, out: &mut Vec<Action>) {
        let ready = self.target > 0 && self.ready_count() >= self.target;
        if !self.up && ready && self.is_proved(out) {
            self.up = true;
            out.push(Action::Tell(Note::Up {
                workers: self.target,
                took: now,
            }));
        }
    }
}
