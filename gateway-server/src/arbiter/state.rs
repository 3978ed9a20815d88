//! The arbiter's judgement: a pure function from what has happened to what is to be done.
//!
//! It keeps a wanted number of workers of the current generation and converges on it; starting,
//! reloading, scaling and replacing the dead are all the same movement. No clock, no system call.

use std::collections::BTreeMap;
use std::time::Duration;

use super::event::{Action, Event, Generation, Haste, Moment, Note, WorkerId};
use crate::orders::Order;
use crate::os::process::{EXEC_FAILED, Ended};

/// What an operator has decided beforehand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    /// Workers wanted at start; at least 1.
    pub(crate) workers: u32,
    /// Most workers that may ever be wanted.
    pub(crate) max_workers: u32,
    /// How long a worker's heartbeat may stand still; zero: for ever.
    pub(crate) worker_timeout: Duration,
    /// How long a worker may take to become ready.
    pub(crate) boot_timeout: Duration,
    /// How long a worker may take to finish what it has begun.
    pub(crate) graceful_timeout: Duration,
}

/// All that the arbiter knows.
#[derive(Debug)]
pub(crate) struct State {
    policy: Policy,
    target: u32,
    workers: BTreeMap<WorkerId, Worker>,
    last_worker: u32,
    /// What new workers run; none until the first snapshot is taken.
    current: Option<Generation>,
    last_generation: Generation,
    reload: Reload,
    /// A reload was asked for while one ran.
    reload_again: bool,
    /// Set once the server stops: what it exits with.
    stopping: Option<u8>,
    /// Some worker has been ready at some time, so a failure to boot is no longer fatal.
    ever_ready: bool,
    /// The operator has been told that the server is up.
    up: bool,
    /// Failures in a row.
    failures: u32,
    /// No worker is started before.
    not_before: Duration,
    last_tick: Duration,
}

/// The master's view of a worker.
#[derive(Debug)]
struct Worker {
    slot: u32,
    generation: Generation,
    phase: Phase,
    was_ready: bool,
    /// It has been told to end.
    dismissed: bool,
    /// What it said before it went.
    last_words: Option<String>,
}

/// Where in its life a worker is; only ever further down this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Booting {
        deadline: Duration,
    },
    Ready {
        since: Duration,
        beat: u64,
        fresh: Duration,
        marked: Option<Duration>,
    },
    /// Told to finish.
    Draining {
        deadline: Duration,
    },
    /// Told to drop what it has.
    Stopping {
        deadline: Duration,
    },
    /// Sent ABRT.
    Aborting {
        deadline: Duration,
    },
    /// Sent KILL.
    Killed,
}

/// How far a reload has come. Rolling ends when no worker of an older generation serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reload {
    None,
    Copying(Generation),
    Canary(Generation, WorkerId),
    Rolling,
}

/// How often heartbeats are looked at.
pub(crate) const TICK: Duration = Duration::from_secs(1);
/// From ABRT, or from the order to stop now, to KILL.
pub(super) const LAST_GRACE: Duration = Duration::from_secs(2);
/// The master was held up if a tick comes this much too late.
pub(super) const LATE: Duration = Duration::from_secs(1);
/// A worker that has served for this long has not failed to start.
const STEADY: Duration = Duration::from_secs(5);
/// The pause after the first failure in a row; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Exit code when an application's start-up failed.
pub(super) const STARTUP_FAILED: u8 = 3;
/// Exit code when an application could not be loaded.
pub(super) const CANNOT_LOAD: u8 = 4;

impl State {
    /// The state of a master that has done nothing yet.
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            policy,
            target: policy.workers.clamp(1, policy.max_workers),
            workers: BTreeMap::new(),
            last_worker: 0,
            current: None,
            last_generation: Generation(0),
            reload: Reload::None,
            reload_again: false,
            stopping: None,
            ever_ready: false,
            up: false,
            failures: 0,
            not_before: Duration::ZERO,
            last_tick: Duration::ZERO,
        }
    }

    /// Takes note of an event and says what to do, in order.
    pub(crate) fn handle(&mut self, event: Event, moment: Moment) -> Vec<Action> {
        let mut out = Vec::new();
        let now = moment.now;
        match event {
            Event::Woken => {}
            Event::Started => {
                self.last_tick = now;
                self.copy(&mut out);
            }
            Event::Tick => self.tick(now, &mut out),
            Event::Beat(worker, number) => self.beat(worker, number, now),
            Event::Ready(worker) => self.ready(worker, now, &mut out),
            Event::Failed(worker, reason) => {
                if let Some(worker) = self.workers.get_mut(&worker) {
                    worker.last_words.get_or_insert(reason);
                }
            }
            Event::SpawnFailed(worker, reason) => {
                if self.workers.remove(&worker).is_some() {
                    let reason = format!("cannot start a worker: {reason}");
                    self.boot_failed(worker, reason, 1, moment, &mut out);
                }
            }
            Event::Exited(worker, ended) => self.exited(worker, ended, moment, &mut out),
            Event::SnapshotTaken(generation) => self.copied(generation, now, &mut out),
            Event::SnapshotFailed(generation, reason) => {
                self.copy_failed(generation, reason, now, &mut out);
            }
            Event::Stop(haste) => self.stop(haste, now, &mut out),
            Event::Reload => self.ask_reload(&mut out),
            Event::More => self.scale(self.target.saturating_add(1), &mut out),
            Event::Fewer => self.scale(self.target.saturating_sub(1), &mut out),
        }
        self.deadlines(now, &mut out);
        if self.stopping.is_none() {
            self.converge(now, &mut out);
            self.finish_reload(&mut out);
            self.tell_up(now, &mut out);
        }
        if let Some(code) = self.stopping.filter(|_| self.workers.is_empty()) {
            out.push(Action::Exit(code));
        }
        out
    }

    /// When to wake at the latest, if nothing happens before.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        let phases = self
            .workers
            .values()
            .filter_map(|worker| match worker.phase {
                Phase::Booting { deadline }
                | Phase::Draining { deadline }
                | Phase::Stopping { deadline }
                | Phase::Aborting { deadline } => Some(deadline),
                Phase::Ready { .. } | Phase::Killed => None,
            });
        let tick = self.ticks().then_some(self.last_tick + TICK);
        let missing = self.stopping.is_none() && self.current.is_some() && self.is_short();
        let spawn = missing.then_some(self.not_before);
        phases.chain(tick).chain(spawn).min()
    }

    /// Whether a tick is due.
    pub(crate) fn tick_due(&self, now: Duration) -> bool {
        self.ticks() && now >= self.last_tick + TICK
    }

    // Heartbeats need a look only while somebody's is watched; the rest of the time the master sleeps.
    fn ticks(&self) -> bool {
        !self.policy.worker_timeout.is_zero()
            && self
                .workers
                .values()
                .any(|worker| matches!(worker.phase, Phase::Ready { .. }))
    }

    // Starting a generation.

    fn copy(&mut self, out: &mut Vec<Action>) {
        self.last_generation.0 += 1;
        if self.current.is_some() {
            out.push(Action::Tell(Note::Reloading {
                generation: self.last_generation,
            }));
        }
        self.reload = Reload::Copying(self.last_generation);
        out.push(Action::Snapshot(self.last_generation));
    }

    fn copied(&mut self, generation: Generation, now: Duration, out: &mut Vec<Action>) {
        if self.stopping.is_some() || self.reload != Reload::Copying(generation) {
            return out.push(Action::Forget(generation));
        }
        if self.current.is_some() {
            let canary = self.spawn(generation, now, out);
            self.reload = Reload::Canary(generation, canary);
        } else {
            self.current = Some(generation);
            self.reload = Reload::None;
        }
    }

    fn copy_failed(
        &mut self,
        generation: Generation,
        reason: String,
        now: Duration,
        out: &mut Vec<Action>,
    ) {
        if self.stopping.is_some() || self.reload != Reload::Copying(generation) {
            return;
        }
        if self.current.is_none() {
            return self.give_up(reason, CANNOT_LOAD, now, out);
        }
        self.reload_failed(generation, &reason, out);
    }

    fn ask_reload(&mut self, out: &mut Vec<Action>) {
        if self.stopping.is_some() {
            return;
        }
        if self.reload == Reload::None && self.current.is_some() {
            self.copy(out);
        } else if !self.reload_again {
            self.reload_again = true;
            out.push(Action::Tell(Note::ReloadLater));
        }
    }

    fn reload_failed(&mut self, generation: Generation, reason: &str, out: &mut Vec<Action>) {
        let reason = format!("{reason}; the reload is off, the running generation goes on");
        out.push(Action::Tell(Note::ReloadFailed { reason }));
        out.push(Action::Forget(generation));
        self.reload = Reload::None;
    }

    fn finish_reload(&mut self, out: &mut Vec<Action>) {
        if self.reload == Reload::Rolling
            && let Some(generation) = self.current
            && self
                .live()
                .all(|(_, worker)| worker.generation == generation)
            && self.ready_count() >= self.target
        {
            self.reload = Reload::None;
            out.push(Action::Tell(Note::Reloaded { generation }));
        }
        if self.reload_again && self.reload == Reload::None && self.current.is_some() {
            self.reload_again = false;
            self.copy(out);
        }
    }

    // The life of a worker.

    fn spawn(&mut self, generation: Generation, now: Duration, out: &mut Vec<Action>) -> WorkerId {
        self.last_worker += 1;
        let id = WorkerId(self.last_worker);
        let taken = |slot: &u32| self.workers.values().any(|worker| worker.slot == *slot);
        let slot = (0..)
            .find(|slot| !taken(slot))
            .expect("fewer workers than numbers");
        let deadline = now + self.policy.boot_timeout;
        let phase = Phase::Booting { deadline };
        let worker = Worker {
            slot,
            generation,
            phase,
            was_ready: false,
            dismissed: false,
            last_words: None,
        };
        self.workers.insert(id, worker);
        out.push(Action::Spawn {
            worker: id,
            slot,
            generation,
            count: self.target,
        });
        id
    }

    fn ready(&mut self, id: WorkerId, now: Duration, out: &mut Vec<Action>) {
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        if !matches!(worker.phase, Phase::Booting { .. }) {
            return;
        }
        if !self.policy.worker_timeout.is_zero() && self.last_tick + TICK < now {
            // Nobody's heartbeat was watched before, so no tick is late.
            self.last_tick = now;
        }
        worker.phase = Phase::Ready {
            since: now,
            beat: 0,
            fresh: now,
            marked: None,
        };
        worker.was_ready = true;
        self.ever_ready = true;
        out.push(Action::Tell(Note::WorkerReady {
            worker: id,
            slot: worker.slot,
        }));
        if let Reload::Canary(generation, canary) = self.reload
            && canary == id
        {
            out.extend(self.current.replace(generation).map(Action::Forget));
            self.reload = Reload::Rolling;
            self.failures = 0;
            self.not_before = Duration::ZERO;
        }
    }

    fn beat(&mut self, id: WorkerId, number: u64, now: Duration) {
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

    /// A heartbeat that stands still marks its worker; still standing a full tick later, the worker is
    /// aborted. If it was the master that stood still, everybody starts anew.
    fn tick(&mut self, now: Duration, out: &mut Vec<Action>) {
        let late = now.saturating_sub(self.last_tick + TICK);
        self.last_tick = now;
        if late > LATE {
            out.push(Action::Tell(Note::Late { by: late }));
        }
        for (id, worker) in &mut self.workers {
            match &mut worker.phase {
                Phase::Booting { deadline } if late > LATE => *deadline += late,
                Phase::Ready { fresh, marked, .. } if late > LATE => {
                    (*fresh, *marked) = (now, None);
                }
                Phase::Ready { fresh, marked, .. } => {
                    let silent = now.saturating_sub(*fresh);
                    if silent < self.policy.worker_timeout {
                        continue;
                    }
                    match marked {
                        None => *marked = Some(now),
                        Some(since) if now.saturating_sub(*since) >= TICK => {
                            out.push(Action::Tell(Note::Stuck {
                                worker: *id,
                                silent,
                            }));
                            out.push(Action::Abort(*id));
                            worker.phase = Phase::Aborting {
                                deadline: now + LAST_GRACE,
                            };
                        }
                        Some(_) => {}
                    }
                }
                _ => {}
            }
        }
    }

    fn deadlines(&mut self, now: Duration, out: &mut Vec<Action>) {
        let Policy {
            boot_timeout,
            graceful_timeout,
            ..
        } = self.policy;
        for (id, worker) in &mut self.workers {
            let last = now + LAST_GRACE;
            match worker.phase {
                Phase::Booting { deadline } if now >= deadline => {
                    let note = Note::BootTimeout {
                        worker: *id,
                        after: boot_timeout,
                    };
                    worker.last_words.get_or_insert_with(|| note.to_string());
                    out.push(Action::Tell(note));
                    out.push(Action::Abort(*id));
                    worker.phase = Phase::Aborting { deadline: last };
                }
                Phase::Draining { deadline } if now >= deadline => {
                    let note = Note::GracefulTimeout {
                        worker: *id,
                        after: graceful_timeout,
                    };
                    out.push(Action::Tell(note));
                    out.push(Action::Order(*id, Order::StopNow));
                    worker.phase = Phase::Stopping { deadline: last };
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

    fn exited(&mut self, id: WorkerId, ended: Ended, moment: Moment, out: &mut Vec<Action>) {
        let Some(worker) = self.workers.remove(&id) else {
            return;
        };
        let how = match ended {
            Ended::Code(code) => format!("exited with code {code}"),
            Ended::Signal(signal) => format!("was ended by {signal}"),
        };
        if self.stopping.is_some() || worker.dismissed {
            let killed = worker.phase == Phase::Killed || !worker.was_ready;
            return out.push(Action::Tell(match ended {
                Ended::Code(0) => Note::WorkerDone { worker: id },
                _ if killed => Note::WorkerDone { worker: id },
                _ => Note::WorkerBroke { worker: id, how },
            }));
        }
        if !worker.was_ready {
            let code = match ended {
                Ended::Code(EXEC_FAILED) => 1,
                Ended::Code(code @ (1 | 3 | 4)) => u8::try_from(code).unwrap_or(STARTUP_FAILED),
                _ => STARTUP_FAILED,
            };
            let reason = worker
                .last_words
                .unwrap_or_else(|| format!("a worker {how} while starting"));
            return self.boot_failed(id, reason, code, moment, out);
        }
        out.push(Action::Tell(Note::WorkerLost { worker: id, how }));
        let steady = match worker.phase {
            Phase::Ready { since, .. } => moment.now.saturating_sub(since) >= STEADY,
            _ => true,
        };
        if steady {
            self.failures = 0;
        } else {
            self.pause(moment);
        }
    }

    fn boot_failed(
        &mut self,
        id: WorkerId,
        reason: String,
        code: u8,
        moment: Moment,
        out: &mut Vec<Action>,
    ) {
        if self.stopping.is_some() {
            return;
        }
        if let Reload::Canary(generation, canary) = self.reload
            && canary == id
        {
            return self.reload_failed(generation, &reason, out);
        }
        if !self.ever_ready {
            return self.give_up(reason, code, moment.now, out);
        }
        let pause = self.pause(moment);
        out.push(Action::Tell(Note::BootFailed {
            worker: id,
            reason,
            pause,
        }));
    }

    /// Doubles the pause with each failure in a row; half of it is up to chance.
    fn pause(&mut self, moment: Moment) -> Duration {
        let doubled = FIRST_PAUSE.saturating_mul(1 << self.failures.min(10));
        let half = doubled.min(LONGEST_PAUSE) / 2;
        let pause = half + half.mul_f64(f64::from(moment.chance) / f64::from(u32::MAX));
        self.failures = self.failures.saturating_add(1);
        self.not_before = moment.now + pause;
        pause
    }

    // Convergence.

    /// Workers that serve or will, without a canary.
    fn live(&self) -> impl Iterator<Item = (WorkerId, &Worker)> {
        let canary = match self.reload {
            Reload::Canary(_, canary) => Some(canary),
            _ => None,
        };
        self.workers
            .iter()
            .filter(move |(id, worker)| {
                matches!(worker.phase, Phase::Booting { .. } | Phase::Ready { .. })
                    && Some(**id) != canary
            })
            .map(|(id, worker)| (*id, worker))
    }

    fn ready_count(&self) -> u32 {
        count(
            self.live()
                .filter(|(_, worker)| matches!(worker.phase, Phase::Ready { .. })),
        )
    }

    fn draining_count(&self) -> u32 {
        count(
            self.workers
                .values()
                .filter(|one| matches!(one.phase, Phase::Draining { .. })),
        )
    }

    /// Whether workers of the current generation are missing.
    fn is_short(&self) -> bool {
        let fresh = self
            .live()
            .filter(|(_, worker)| Some(worker.generation) == self.current);
        count(fresh) < self.target && self.room() > 0
    }

    /// How many workers may be started now: up to the target, and one beyond while some run an older
    /// generation, so that capacity never falls during a reload.
    fn room(&self) -> u32 {
        let old = self
            .live()
            .any(|(_, worker)| Some(worker.generation) != self.current);
        (self.target + u32::from(old)).saturating_sub(count(self.live()))
    }

    fn converge(&mut self, now: Duration, out: &mut Vec<Action>) {
        let Some(current) = self.current else { return };
        self.stop_useless(current, now, out);
        self.retire_surplus(current, now, out);
        while now >= self.not_before && self.is_short() {
            self.spawn(current, now, out);
        }
    }

    /// Booting workers that nobody waits for any more: of an older generation, or beyond the target.
    fn stop_useless(&mut self, current: Generation, now: Duration, out: &mut Vec<Action>) {
        let booting = |worker: &Worker| matches!(worker.phase, Phase::Booting { .. });
        let fresh = self
            .live()
            .filter(|(_, worker)| worker.generation == current);
        let surplus = count(fresh).saturating_sub(self.target) as usize;
        let youngest = self
            .live()
            .filter(|(_, w)| w.generation == current && booting(w));
        let mut useless: Vec<WorkerId> = youngest.map(|(id, _)| id).collect();
        useless.reverse();
        useless.truncate(surplus);
        let old = self
            .live()
            .filter(|(_, w)| w.generation != current && booting(w));
        useless.extend(old.map(|(id, _)| id));
        for id in useless {
            self.order(id, Order::StopNow, now, out);
        }
    }

    /// Ready workers beyond the target retire, the oldest generation first, then the youngest worker.
    fn retire_surplus(&mut self, current: Generation, now: Duration, out: &mut Vec<Action>) {
        while self.ready_count() > self.target {
            let ready = self
                .live()
                .filter(|(_, w)| matches!(w.phase, Phase::Ready { .. }));
            let mut ready: Vec<_> = ready.map(|(id, w)| (w.generation, id)).collect();
            ready.sort_unstable();
            let old = ready
                .first()
                .filter(|(generation, _)| *generation != current);
            // A reload does not pile up processes that take long to finish.
            if old.is_some() && self.draining_count() >= self.target {
                return;
            }
            let Some((_, id)) = old.or(ready.last()).copied() else {
                return;
            };
            self.order(id, Order::Retire, now, out);
        }
    }

    fn scale(&mut self, wanted: u32, out: &mut Vec<Action>) {
        let target = wanted.clamp(1, self.policy.max_workers);
        if self.stopping.is_none() && target != self.target {
            self.target = target;
            out.push(Action::Tell(Note::Target { workers: target }));
        }
    }

    fn tell_up(&mut self, now: Duration, out: &mut Vec<Action>) {
        if !self.up && self.ready_count() >= self.target {
            self.up = true;
            out.push(Action::Tell(Note::Up {
                workers: self.target,
                took: now,
            }));
        }
    }

    // The end.

    fn stop(&mut self, haste: Haste, now: Duration, out: &mut Vec<Action>) {
        if self.stopping.is_some() {
            out.push(Action::Tell(Note::StoppingNow));
            for (id, worker) in &mut self.workers {
                if worker.phase != Phase::Killed {
                    out.push(Action::Kill(*id));
                    worker.phase = Phase::Killed;
                }
            }
            return;
        }
        out.push(Action::Tell(Note::Stopping(haste)));
        let order = match haste {
            Haste::Graceful => Order::Shutdown,
            Haste::Quick => Order::StopNow,
        };
        self.end(order, 0, now, out);
    }

    fn give_up(&mut self, reason: String, code: u8, now: Duration, out: &mut Vec<Action>) {
        out.push(Action::Tell(Note::CannotStart { reason }));
        self.end(Order::StopNow, code, now, out);
    }

    fn end(&mut self, order: Order, code: u8, now: Duration, out: &mut Vec<Action>) {
        self.stopping = Some(code);
        out.push(Action::CloseListeners);
        let ids: Vec<WorkerId> = self.workers.keys().copied().collect();
        for id in ids {
            self.order(id, order, now, out);
        }
    }

    /// Tells a worker, unless it has been told as much; one that still boots has nothing to finish.
    fn order(&mut self, id: WorkerId, order: Order, now: Duration, out: &mut Vec<Action>) {
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        let stopping = Phase::Stopping {
            deadline: now + LAST_GRACE,
        };
        let draining = Phase::Draining {
            deadline: now + self.policy.graceful_timeout,
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
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
