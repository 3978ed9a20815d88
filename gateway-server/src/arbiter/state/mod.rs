//! The arbiter's judgement: a pure function from what has happened to what is to be done.
//!
//! It keeps a wanted number of workers of the current generation and converges on it; starting,
//! reloading, scaling and replacing the dead are all the same movement. No clock, no system call.

mod convergence;
mod ending;
mod gates;
mod operations;
mod pool;
mod report;
mod view;

use std::collections::BTreeMap;
use std::time::Duration;

use super::death::{Death, Executioner};
use super::event::{Action, Event, Generation, Moment, Note, Policy, PoolId, Scope, WorkerId};
use super::progress::Progress;
use super::recycling::{Spent, Usage};
use super::roster::{Deadlines, Phase, Roster, Worker};
use super::wanted::Wanted;
use crate::orders::Order;
use crate::os::process::{EXEC_FAILED, Ended};
use pool::Pool;

/// All that the arbiter knows.
#[derive(Debug)]
pub(crate) struct State {
    policy: Policy,
    /// What will be decided once the generation that is prepared serves.
    next_policy: Policy,
    /// Never empty, and never fewer: one that nobody wants any more has no workers.
    pools: BTreeMap<PoolId, Pool>,
    workers: Roster,
    /// What new workers run; none until the first snapshot is taken.
    current: Option<Generation>,
    last_generation: Generation,
    reload: Reload,
    /// The only pool that it concerns, if it does not concern all.
    reload_of: Option<PoolId>,
    /// What was to be loaded anew while something else ran.
    reload_again: Wanted,
    upgrade: Progress,
    /// An upgrade was asked for while something else ran.
    upgrade_again: bool,
    /// The server was asked to stop, and does so at this time.
    leaving: Option<Duration>,
    /// Set once the server stops: what it exits with.
    stopping: Option<u8>,
    /// The operator has been told that the server is up.
    up: bool,
    last_event: Duration,
    proof: Proof,
}

/// What a master leaves to its successor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Saved {
    /// What is wanted in each pool; at least one.
    pub(super) pools: BTreeMap<PoolId, SavedPool>,
    /// The number of the last worker that was started.
    pub(super) last_worker: u32,
    /// What the successor's workers run.
    pub(super) generation: Generation,
    /// A reload is to follow.
    pub(super) reload_wanted: bool,
    /// Another upgrade is to follow.
    pub(super) upgrade_wanted: bool,
    /// The workers, all of older generations.
    pub(super) workers: Vec<(WorkerId, Worker)>,
}

/// How many workers of a pool a master has wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SavedPool {
    /// By the configuration.
    pub(super) configured: u32,
    /// Now.
    pub(super) target: u32,
    /// Before they all rested, if they do.
    pub(super) rested: Option<u32>,
}

/// How far a reload has come. Rolling ends when no worker of an older generation accepts any more.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reload {
    None,
    Preparing(Generation),
    /// The first worker of each pool starts, or waits for those of the others.
    Canary(Generation, Vec<WorkerId>),
    /// They serve, and a hook is asked what it thinks of them.
    Proving(Generation, Vec<WorkerId>),
    Rolling,
}

/// How far the hook has come that decides whether the server has started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Proof {
    #[default]
    Wanted,
    Sought,
    Given,
}

impl State {
    /// The state of a master that has done nothing yet.
    pub(crate) fn new(policy: Policy) -> Self {
        let most = policy.max_workers;
        let pool = |(id, workers): (&PoolId, &u32)| (*id, Pool::of((*workers).clamp(1, most)));
        Self {
            next_policy: policy.clone(),
            pools: policy.workers.iter().map(pool).collect(),
            workers: Roster::new(Deadlines::of(&policy), policy.limits),
            policy,
            current: None,
            last_generation: Generation(0),
            reload: Reload::None,
            reload_of: None,
            reload_again: Wanted::default(),
            upgrade: Progress::default(),
            upgrade_again: false,
            leaving: None,
            stopping: None,
            up: false,
            last_event: Duration::ZERO,
            proof: Proof::default(),
        }
    }

    /// The state of a master that goes on where another has stopped, all of whose workers it replaces.
    /// A number of workers that was changed by signals stays until the configuration says another.
    pub(crate) fn succeed(policy: Policy, saved: Saved, now: Duration) -> Self {
        let mut state = Self::new(policy);
        for (id, before) in saved.pools {
            let pool = state.pools.entry(id).or_default();
            if state.policy.workers.get(&id) == Some(&before.configured) {
                pool.target = before.target.min(state.policy.max_workers);
                pool.rested = before.rested;
            }
        }
        for (_, worker) in &saved.workers {
            state.pools.entry(worker.pool).or_default();
        }
        for pool in state.pools.values_mut() {
            (pool.since, pool.ever_ready) = (saved.generation, true);
        }
        state.current = Some(saved.generation);
        state.last_generation = saved.generation;
        state.reload = Reload::Rolling;
        if saved.reload_wanted {
            state.reload_again.want(Scope::Everything);
        }
        state.upgrade_again = saved.upgrade_wanted;
        state.workers.adopt(saved.last_worker, saved.workers, now);
        state.up = true;
        state.last_event = now;
        state
    }

    /// What a successor whose workers run `generation` needs to know.
    pub(crate) fn save(&self, generation: Generation) -> Saved {
        let workers = self.workers.iter();
        let pool = |(id, configured): (&PoolId, &u32)| {
            let pool = &self.pools[id];
            let saved = SavedPool {
                configured: *configured,
                target: pool.target,
                rested: pool.rested,
            };
            (*id, saved)
        };
        Saved {
            pools: self.policy.workers.iter().map(pool).collect(),
            last_worker: self.workers.last(),
            generation,
            reload_wanted: !self.reload_again.is_empty(),
            upgrade_wanted: self.upgrade_again,
            workers: workers.map(|(id, one)| (id, one.clone())).collect(),
        }
    }

    /// Takes note of an event and says what to do, in order.
    pub(crate) fn handle(&mut self, event: Event, moment: Moment) -> Vec<Action> {
        let mut out = Vec::new();
        let mut passed = None;
        let now = moment.now;
        self.forgive(now, &mut out);
        match event {
            Event::Woken => {}
            Event::Started => self.boot(&mut out),
            Event::Tick => self.workers.tick(now, &mut out),
            Event::Beat(worker, number) => self.workers.beat(worker, number, now),
            Event::Used(worker, used) => self.used(worker, used, moment, &mut out),
            Event::Ready(worker) => self.ready(worker, moment, &mut out),
            Event::Retired(worker) => self.retired(worker, moment, &mut out),
            Event::Failed(worker, reason) => self.workers.hear(worker, reason),
            Event::SpawnFailed(worker, reason) => {
                if let Some(gone) = self.workers.remove(worker) {
                    let reason = format!("cannot start a worker: {reason}");
                    self.boot_failed(gone.pool, worker, reason, 1, moment, &mut out);
                }
            }
            Event::Exited(worker, death) => self.exited(worker, death, moment, &mut out),
            Event::Prepared(generation, policy) => {
                self.prepared(generation, policy, None, now, &mut out);
            }
            Event::PreparedOne(generation, policy, pool) => {
                self.prepared(generation, policy, Some(pool), now, &mut out);
            }
            Event::PrepareFailed(generation, reason) => {
                self.prepare_failed(generation, reason, now, &mut out);
            }
            Event::Stop(haste) => self.stop(haste, now, &mut out),
            Event::Reload => self.ask_reload(Scope::Everything, &mut out),
            Event::ReloadApp(name) => self.ask_reload(Scope::App(name), &mut out),
            Event::Upgrade => self.ask_upgrade(now, &mut out),
            Event::CheckFailed(reason) => self.upgrade.hear(reason),
            Event::CheckRefused(reason) => {
                self.upgrade.refuse();
                Self::upgrade_failed(&reason, &mut out);
            }
            Event::CheckPassed => passed = self.upgrade.pass(),
            Event::CheckEnded(ended) => {
                let how = || format!("the new program {ended} without a word");
                if let Some(reason) = self.upgrade.ended(how) {
                    Self::upgrade_failed(&reason, &mut out);
                }
            }
            Event::StillHere(reason) => {
                if self.upgrade.dismiss(now, &mut out) {
                    Self::upgrade_failed(&reason, &mut out);
                }
            }
            Event::Adopted => out.push(Action::Tell(Note::Upgraded {
                workers: count(self.workers.iter()),
            })),
            Event::More => self.scale_first(|now| now.saturating_add(1), &mut out),
            Event::Fewer => self.scale_first(|now| now.saturating_sub(1), &mut out),
            Event::Scale(None, wanted) => self.scale_first(|_| wanted, &mut out),
            Event::Scale(Some(pool), wanted) => {
                // It was there when this was asked for.
                if self.policy.workers.contains_key(&pool) {
                    self.scale(pool, wanted, &mut out);
                }
            }
            Event::Replace(worker) => {
                if self.workers.spend(worker) {
                    let why = Spent::Asked;
                    out.push(Action::Tell(Note::WorkerSpent { worker, why }));
                }
            }
            Event::End(worker) => self.workers.kill(worker, &mut out),
            Event::Rest => self.rest(&mut out),
            Event::Reopen => out.push(Action::ReopenLogs),
            Event::HookEnded(gate, outcome) => self.hook_ended(gate, outcome, now, &mut out),
        }
        self.workers.expire(now, &mut out);
        if self.leaving.is_some_and(|leaving| now >= leaving) {
            self.finish(now, &mut out);
        }
        if self.upgrade.expire(now, &mut out) {
            let within = self.policy.boot_timeout.as_secs();
            let reason = format!("the new program was not ready {within} s after its start");
            Self::upgrade_failed(&reason, &mut out);
        }
        if self.stopping.is_none() {
            self.converge(now, &mut out);
            self.finish_reload(&mut out);
            self.go_on(now, &mut out);
            self.tell_up(now, &mut out);
        }
        let alone = self.workers.iter().next().is_none() && !self.upgrade.is_busy();
        if let Some(code) = self.stopping.filter(|_| alone) {
            out.push(Action::Exit(code));
        }
        // Last, so that the successor finds everything done that was decided.
        out.extend(passed);
        out
    }

    /// When to wake at the latest, if nothing happens before.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        let spawn = self.next_spawn().filter(|_| self.stopping.is_none());
        let own = spawn.into_iter().chain(self.leaving);
        let own = own.chain(self.upgrade.next_deadline());
        self.workers.next_deadline().into_iter().chain(own).min()
    }

    /// Whether a tick is due.
    pub(crate) fn tick_due(&self, now: Duration) -> bool {
        self.workers.tick_due(now)
    }

    /// Whoever waits for us wakes us at each deadline. If one was missed by much, this process or the
    /// whole machine stood still, nobody knows since when, and nobody had the time that the deadlines
    /// allow.
    fn forgive(&mut self, now: Duration, out: &mut Vec<Action>) {
        let due = self.next_deadline().map(|due| due.max(self.last_event));
        let late = due.map(|due| now.saturating_sub(due));
        if let Some(by) = late.filter(|late| *late > LATE) {
            out.push(Action::Tell(Note::Late { by }));
            let pause = now.saturating_sub(self.last_event);
            self.workers.forgive(pause, now);
            self.upgrade.forgive(pause);
            self.leaving = self.leaving.map(|leaving| leaving + pause);
        }
        self.last_event = now;
    }

    fn spawn(
        &mut self,
        pool: PoolId,
        generation: Generation,
        now: Duration,
        out: &mut Vec<Action>,
    ) -> WorkerId {
        let is_current = Some(generation) == self.current;
        let (count, boot) = match is_current {
            true => (self.pools[&pool].wanted(), self.policy.boot_timeout),
            false => (self.next_target(pool), self.next_policy.boot_timeout),
        };
        let (worker, slot) = self.workers.add(pool, generation, boot, now);
        out.push(Action::Spawn {
            worker,
            pool,
            slot,
            generation,
            count,
        });
        worker
    }

    fn ready(&mut self, id: WorkerId, moment: Moment, out: &mut Vec<Action>) {
        let complete = self.workers.boots(id) && self.is_last_canary(id);
        if complete && !self.next_policy.gates.ready {
            self.adopt(moment.now, out);
        }
        let Some(slot) = self.workers.ready(id, moment) else {
            return;
        };
        if let Some(pool) = self.pools.get_mut(&self.workers.pool_of(id)) {
            pool.ever_ready = true;
        }
        if self.leaving.is_some() {
            out.push(Action::Order(id, Order::Announce));
        }
        out.push(Action::Tell(Note::WorkerReady { worker: id, slot }));
        if complete {
            self.canaries_ready(out);
        }
    }

    /// Whether this is a canary, and all others are ready.
    fn is_last_canary(&self, id: WorkerId) -> bool {
        let Reload::Canary(_, canaries) = &self.reload else {
            return false;
        };
        let mut others = canaries.iter().filter(|other| **other != id);
        canaries.contains(&id) && !others.any(|other| self.workers.boots(*other))
    }

    /// What the new generation's configuration decides is in force from now on.
    fn adopt(&mut self, now: Duration, out: &mut Vec<Action>) {
        let ids: Vec<PoolId> = self.pools.keys().copied().collect();
        let targets: Vec<_> = ids
            .into_iter()
            .map(|id| (id, self.next_target(id)))
            .collect();
        let before = std::mem::replace(&mut self.policy, self.next_policy.clone());
        self.workers
            .judge_by(Deadlines::of(&self.policy), self.policy.limits, now);
        for (id, target) in targets {
            let Some(pool) = self.pools.get_mut(&id) else {
                continue;
            };
            let (was, is) = [&before, &self.policy]
                .map(|one| one.workers.contains_key(&id))
                .into();
            match &mut pool.rested {
                // Nobody is to be told of what comes or goes with its addresses.
                _ if !was || !is => (pool.target, pool.rested) = (target, None),
                Some(before) => *before = target,
                None => self.scale(id, target, out),
            }
        }
    }

    /// How many workers there will be: those that an operator has asked for by signals, until
    /// somebody changes the configured number.
    fn next_target(&self, pool: PoolId) -> u32 {
        let configured = |policy: &Policy| policy.workers.get(&pool).copied();
        match configured(&self.next_policy) {
            None => 0,
            next if next == configured(&self.policy) => self.pools[&pool].wanted(),
            Some(next) => next.clamp(1, self.next_policy.max_workers),
        }
    }

    /// A worker that has reached a limit serves on until a replacement is ready.
    fn used(&mut self, id: WorkerId, used: Usage, moment: Moment, out: &mut Vec<Action>) {
        let Some((why, age)) = self.workers.used(id, used, moment.now) else {
            return;
        };
        out.push(Action::Tell(Note::WorkerSpent { worker: id, why }));
        let pool = self.pools.entry(self.workers.pool_of(id)).or_default();
        if matches!(why, Spent::Memory(_)) && age < STEADY {
            let pause = pool.hunger.fail(moment);
            out.push(Action::Tell(Note::Hungry { worker: id, pause }));
        } else {
            pool.hunger.reset();
        }
    }

    /// A worker that accepts no more by its application's own wish is replaced; not at once if that wish
    /// came with the start, which the next would repeat.
    fn retired(&mut self, id: WorkerId, moment: Moment, out: &mut Vec<Action>) {
        let Some(age) = self.workers.retired(id, moment.now) else {
            return;
        };
        let why = Spent::Retired;
        out.push(Action::Tell(Note::WorkerSpent { worker: id, why }));
        let pool = self.pools.entry(self.workers.pool_of(id)).or_default();
        if age < STEADY {
            pool.backoff.fail(moment);
        }
    }

    fn exited(&mut self, id: WorkerId, death: Death, moment: Moment, out: &mut Vec<Action>) {
        let Some(worker) = self.workers.remove(id) else {
            return;
        };
        let ended = death.ended;
        let how = death
            .words(match worker.phase {
                Phase::Killed => Executioner::Ourselves,
                _ => Executioner::Unknown,
            })
            .to_string();
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
            return self.boot_failed(worker.pool, id, reason, code, moment, out);
        }
        if self.canary_lost(id, &how, moment.now, out) {
            return;
        }
        out.push(Action::Tell(Note::WorkerLost { worker: id, how }));
        let steady = match worker.phase {
            Phase::Ready { since, .. } => moment.now.saturating_sub(since) >= STEADY,
            _ => true,
        };
        let pool = self.pools.entry(worker.pool).or_default();
        if steady {
            pool.backoff.reset();
        } else {
            pool.backoff.fail(moment);
        }
    }

    fn boot_failed(
        &mut self,
        pool: PoolId,
        id: WorkerId,
        reason: String,
        code: u8,
        moment: Moment,
        out: &mut Vec<Action>,
    ) {
        if self.stopping.is_some() {
            return;
        }
        if let Reload::Canary(generation, canaries) = &self.reload
            && canaries.contains(&id)
        {
            return self.reload_failed(*generation, &reason, moment.now, out);
        }
        let pool = self.pools.entry(pool).or_default();
        if !pool.ever_ready {
            return self.give_up(reason, code, moment.now, out);
        }
        let pause = pool.backoff.fail(moment);
        out.push(Action::Tell(Note::BootFailed {
            worker: id,
            reason,
            pause,
        }));
    }
}

/// The master was held up if it wakes this much too late.
const LATE: Duration = Duration::from_secs(1);
/// A worker that has served for this long has not failed to start.
const STEADY: Duration = Duration::from_secs(5);
/// Exit code when an application's start-up failed.
const STARTUP_FAILED: u8 = 3;
/// Exit code when an application could not be loaded.
pub(super) const CANNOT_LOAD: u8 = 4;

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
