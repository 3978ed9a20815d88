//! The workers as the master sees them: where in its life each one is, and what its deadline asks for.

use std::collections::BTreeMap;
use std::time::Duration;

use super::event::{Action, Generation, Moment, Note, Policy, PoolId, WorkerId};
use super::recycling::{Limits, Quota, Spent, Usage};
use crate::orders::Order;

/// All worker processes from their start until they are reaped.
#[derive(Debug)]
pub(super) struct Roster {
    workers: BTreeMap<WorkerId, Worker>,
    last: u32,
    deadlines: Deadlines,
    limits: Limits,
    last_tick: Duration,
}

/// How long the phases of a worker's life may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadlines {
    /// To finish what has begun.
    pub(super) graceful: Duration,
    /// Without a heartbeat; zero: for ever.
    pub(super) heartbeat: Duration,
}

/// The master's view of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Worker {
    pub(super) pool: PoolId,
    pub(super) slot: u32,
    pub(super) generation: Generation,
    pub(super) phase: Phase,
    /// How long it may take to become ready.
    pub(super) boot: Duration,
    pub(super) was_ready: bool,
    /// It has reached a limit: a replacement is due.
    pub(super) spent: bool,
    /// It has been told to end.
    pub(super) dismissed: bool,
    /// What it said before it went.
    pub(super) last_words: Option<String>,
}

/// Where in its life a worker is; only ever further down this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Loading and starting the application.
    Booting { deadline: Duration },
    /// Serving: since when, how much it may be used, the beat last seen and when it was new, and when it
    /// was found standing still.
    Ready {
        since: Duration,
        quota: Quota,
        beat: u64,
        fresh: Duration,
        marked: Option<Duration>,
    },
    /// Told to finish. Until it says that it accepts no more, it may; nobody waits for that word longer
    /// than this.
    Draining {
        deadline: Duration,
        may_accept: Option<Duration>,
    },
    /// Told to drop what it has.
    Stopping { deadline: Duration },
    /// Sent ABRT.
    Aborting { deadline: Duration },
    /// Sent KILL.
    Killed,
}

impl Phase {
    /// For people.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Booting { .. } => "booting",
            Self::Ready { .. } => "ready",
            Self::Draining { .. } => "draining",
            Self::Stopping { .. } => "stopping",
            Self::Aborting { .. } => "stuck",
            Self::Killed => "killed",
        }
    }
}

impl Worker {
    /// It serves or will.
    pub(super) fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Booting { .. } | Phase::Ready { .. })
    }

    /// It serves.
    pub(super) fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Ready { .. })
    }

    /// It finishes what it has begun.
    pub(super) fn is_draining(&self) -> bool {
        matches!(self.phase, Phase::Draining { .. })
    }

    /// It may still accept connections.
    pub(super) fn may_accept(&self) -> bool {
        match self.phase {
            Phase::Draining { may_accept, .. } => may_accept.is_some(),
            _ => self.is_live(),
        }
    }
}

impl Deadlines {
    /// Those of a policy.
    pub(super) fn of(policy: &Policy) -> Self {
        Self {
            graceful: policy.graceful_timeout,
            heartbeat: policy.worker_timeout,
        }
    }
}

impl Roster {
    /// Nobody yet.
    pub(super) fn new(deadlines: Deadlines, limits: Limits) -> Self {
        Self {
            workers: BTreeMap::new(),
            last: 0,
            deadlines,
            limits,
            last_tick: Duration::ZERO,
        }
    }

    /// Changes the deadlines of what begins, and the limits of who becomes ready, from now on.
    pub(super) fn judge_by(&mut self, deadlines: Deadlines, limits: Limits, now: Duration) {
        if !self.watches() {
            // No heartbeat was looked at before, so no tick is late.
            self.last_tick = now;
        }
        self.deadlines = deadlines;
        self.limits = limits;
    }

    /// Takes over those of a master before, the last of whom had this number.
    pub(super) fn adopt(&mut self, last: u32, workers: Vec<(WorkerId, Worker)>, now: Duration) {
        self.workers = workers.into_iter().collect();
        self.last = last;
        self.last_tick = now;
    }

    /// The number of the last worker that was started.
    pub(super) fn last(&self) -> u32 {
        self.last
    }

    /// A new worker of a pool, at the lowest place there that nobody holds, with so much time to become ready.
    pub(super) fn add(
        &mut self,
        pool: PoolId,
        generation: Generation,
        boot: Duration,
        now: Duration,
    ) -> (WorkerId, u32) {
        self.last += 1;
        let id = WorkerId(self.last);
        let others = || self.workers.values().filter(|worker| worker.pool == pool);
        let taken = |slot: &u32| others().any(|worker| worker.slot == *slot);
        let slot = (0..)
            .find(|slot| !taken(slot))
            .expect("fewer workers than numbers");
        let deadline = now + boot;
        let worker = Worker {
            pool,
            slot,
            generation,
            phase: Phase::Booting { deadline },
            boot,
            was_ready: false,
            spent: false,
            dismissed: false,
            last_words: None,
        };
        self.workers.insert(id, worker);
        (id, slot)
    }

    /// A worker that has been reaped, or never was.
    pub(super) fn remove(&mut self, id: WorkerId) -> Option<Worker> {
        self.workers.remove(&id)
    }

    /// All workers, in the order of their starts.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (WorkerId, &Worker)> {
        self.workers.iter().map(|(id, worker)| (*id, worker))
    }

    /// Notes why a worker is going to end; the first word counts.
    pub(super) fn hear(&mut self, id: WorkerId, reason: String) {
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.last_words.get_or_insert(reason);
        }
    }

    /// Whose a worker is.
    pub(super) fn pool_of(&self, id: WorkerId) -> PoolId {
        let worker = self.workers.get(&id);
        worker.map_or(PoolId::MAIN, |worker| worker.pool)
    }

    /// Whether a worker is on its way to serve.
    pub(super) fn boots(&self, id: WorkerId) -> bool {
        let worker = self.workers.get(&id);
        worker.is_some_and(|worker| matches!(worker.phase, Phase::Booting { .. }))
    }

    /// Notes that a worker serves; its place, unless it was not booting.
    pub(super) fn ready(&mut self, id: WorkerId, moment: Moment) -> Option<u32> {
        let now = moment.now;
        if !self.watches() {
            // No heartbeat was looked at before, so no tick is late.
            self.last_tick = now;
        }
        let worker = self.workers.get_mut(&id)?;
        let Phase::Booting { .. } = worker.phase else {
            return None;
        };
        worker.phase = Phase::Ready {
            since: now,
            quota: self.limits.quota(moment.chance),
            beat: 0,
            fresh: now,
            marked: None,
        };
        worker.was_ready = true;
        Some(worker.slot)
    }

    /// Notes that a worker accepts no more; how old it is if nobody has told it to, so that it is due for
    /// replacement.
    pub(super) fn retired(&mut self, id: WorkerId, now: Duration) -> Option<Duration> {
        let worker = self.workers.get_mut(&id)?;
        match &mut worker.phase {
            Phase::Draining { may_accept, .. } => {
                *may_accept = None;
                None
            }
            Phase::Ready { since, .. } if !worker.spent => {
                worker.spent = true;
                Some(now.saturating_sub(*since))
            }
            _ => None,
        }
    }

    /// Notes the number in a worker's heartbeat. Only a change means anything.
    pub(super) fn beat(&mut self, id: WorkerId, number: u64, now: Duration) {
        if let Some(worker) = self.workers.get_mut(&id)
            && let Phase::Ready {
                beat,
                fresh,
                marked,
                ..
            } = &mut worker.phase
            && *beat != number
        {
            (*beat, *fresh, *marked) = (number, now, None);
        }
    }

    /// Notes what a worker has used; the limit that it has reached by that, and how old it is, if it is
    /// the first.
    pub(super) fn used(
        &mut self,
        id: WorkerId,
        used: Usage,
        now: Duration,
    ) -> Option<(Spent, Duration)> {
        let worker = self.workers.get_mut(&id).filter(|worker| !worker.spent)?;
        let Phase::Ready { since, quota, .. } = worker.phase else {
            return None;
        };
        let age = now.saturating_sub(since);
        let spent = quota.spent(used, age)?;
        worker.spent = true;
        Some((spent, age))
    }

    /// Marks a worker that serves for replacement; whether it was not before.
    pub(super) fn spend(&mut self, id: WorkerId) -> bool {
        let worker = self.workers.get_mut(&id);
        worker
            .is_some_and(|worker| worker.is_ready() && !std::mem::replace(&mut worker.spent, true))
    }

    /// Tells a worker, unless it has been told as much; one that still boots has nothing to finish.
    pub(super) fn order(
        &mut self,
        id: WorkerId,
        order: Order,
        now: Duration,
        out: &mut Vec<Action>,
    ) {
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        let order = if self.deadlines.graceful.is_zero() {
            Order::StopNow
        } else {
            order
        };
        let stopping = Phase::Stopping {
            deadline: now + LAST_GRACE,
        };
        let draining = Phase::Draining {
            deadline: now + self.deadlines.graceful,
            may_accept: Some(now + RETIRING),
        };
        let (phase, order) = match (worker.phase, order) {
            (Phase::Booting { .. }, _) => (stopping, Order::StopNow),
            (Phase::Ready { .. } | Phase::Draining { .. }, Order::StopNow) => (stopping, order),
            (Phase::Ready { .. }, _) => (draining, order),
            // It retires within its own deadline; now nobody else accepts.
            (phase @ Phase::Draining { .. }, Order::Shutdown) => (phase, order),
            _ => return,
        };
        worker.phase = phase;
        worker.dismissed = true;
        out.push(Action::Order(id, order));
    }

    /// Tells everybody.
    pub(super) fn order_all(&mut self, order: Order, now: Duration, out: &mut Vec<Action>) {
        let ids: Vec<WorkerId> = self.workers.keys().copied().collect();
        for id in ids {
            self.order(id, order, now, out);
        }
    }

    /// Kills everybody who has not been killed.
    pub(super) fn kill_all(&mut self, out: &mut Vec<Action>) {
        let ids: Vec<WorkerId> = self.workers.keys().copied().collect();
        for id in ids {
            self.kill(id, out);
        }
    }

    /// Kills a worker that has not been killed.
    pub(super) fn kill(&mut self, id: WorkerId, out: &mut Vec<Action>) {
        if let Some(worker) = self.workers.get_mut(&id)
            && worker.phase != Phase::Killed
        {
            out.push(Action::Kill(id));
            worker.phase = Phase::Killed;
        }
    }

    /// A heartbeat that stands still marks its worker; still standing a full tick later, the worker is
    /// aborted.
    pub(super) fn tick(&mut self, now: Duration, out: &mut Vec<Action>) {
        self.last_tick = now;
        for (id, worker) in &mut self.workers {
            let Phase::Ready { fresh, marked, .. } = &mut worker.phase else {
                continue;
            };
            let silent = now.saturating_sub(*fresh);
            let watched = !self.deadlines.heartbeat.is_zero();
            if !watched || silent < self.deadlines.heartbeat {
                continue;
            }
            let since = *marked.get_or_insert(now);
            if now.saturating_sub(since) >= TICK {
                let stuck = Note::Stuck {
                    worker: *id,
                    silent,
                };
                out.extend([Action::Tell(stuck), Action::Abort(*id)]);
                worker.phase = Phase::Aborting {
                    deadline: now + LAST_GRACE,
                };
            }
        }
    }

    /// The master was held up: every deadline is put off by the pause, every heartbeat counts from
    /// now.
    pub(super) fn forgive(&mut self, pause: Duration, now: Duration) {
        self.last_tick = now;
        for worker in self.workers.values_mut() {
            match &mut worker.phase {
                Phase::Ready { fresh, marked, .. } => (*fresh, *marked) = (now, None),
                Phase::Draining {
                    deadline,
                    may_accept,
                } => {
                    *deadline += pause;
                    *may_accept = may_accept.map(|until| until + pause);
                }
                Phase::Booting { deadline }
                | Phase::Stopping { deadline }
                | Phase::Aborting { deadline } => *deadline += pause,
                Phase::Killed => {}
            }
        }
    }

    /// Moves everybody on whose deadline has come.
    pub(super) fn expire(&mut self, now: Duration, out: &mut Vec<Action>) {
        let graceful = self.deadlines.graceful;
        for (id, worker) in &mut self.workers {
            let last = now + LAST_GRACE;
            match worker.phase {
                Phase::Booting { deadline } if now >= deadline => {
                    let note = Note::BootTimeout {
                        worker: *id,
                        after: worker.boot,
                    };
                    worker.last_words.get_or_insert_with(|| note.to_string());
                    out.push(Action::Tell(note));
                    out.push(Action::Abort(*id));
                    worker.phase = Phase::Aborting { deadline: last };
                }
                Phase::Draining { deadline, .. } if now >= deadline => {
                    out.push(Action::Tell(Note::GracefulTimeout {
                        worker: *id,
                        after: graceful,
                    }));
                    out.push(Action::Order(*id, Order::StopNow));
                    worker.phase = Phase::Stopping { deadline: last };
                }
                Phase::Draining {
                    deadline,
                    may_accept: Some(until),
                } if now >= until => {
                    worker.phase = Phase::Draining {
                        deadline,
                        may_accept: None,
                    };
                }
                Phase::Stopping { deadline } | Phase::Aborting { deadline } if now >= deadline => {
                    out.push(Action::Tell(Note::Killed { worker: *id }));
                    out.push(Action::Kill(*id));
                    worker.phase = Phase::Killed;
                }
                _ => {}
            }
        }
    }

    /// When the next deadline or tick comes.
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        let phases = self
            .workers
            .values()
            .filter_map(|worker| match worker.phase {
                Phase::Draining {
                    deadline,
                    may_accept,
                } => Some(may_accept.map_or(deadline, |until| until.min(deadline))),
                Phase::Booting { deadline }
                | Phase::Stopping { deadline }
                | Phase::Aborting { deadline } => Some(deadline),
                Phase::Ready { .. } | Phase::Killed => None,
            });
        let tick = self.watches().then_some(self.last_tick + TICK);
        phases.chain(tick).min()
    }

    /// Whether a tick is due.
    pub(super) fn tick_due(&self, now: Duration) -> bool {
        self.watches() && now >= self.last_tick + TICK
    }

    /// Whether anybody is looked at with every tick; the rest of the time the master sleeps.
    fn watches(&self) -> bool {
        let looks = !self.deadlines.heartbeat.is_zero() || self.limits.any();
        looks && self.workers.values().any(Worker::is_ready)
    }
}

/// How often heartbeats are looked at.
pub(super) const TICK: Duration = Duration::from_secs(1);
/// How long a reload waits for a worker's word that it accepts no more. One that is stuck cannot give it,
/// and accepts nobody meanwhile.
pub(super) const RETIRING: Duration = Duration::from_secs(10);
/// From ABRT, or from the order to stop now, to KILL.
pub(super) const LAST_GRACE: Duration = Duration::from_secs(2);
