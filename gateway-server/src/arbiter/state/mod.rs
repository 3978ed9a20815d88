//! The arbiter's judgement: a pure function from what has happened to what is to be done.
//!
//! It keeps a wanted number of workers of the current generation and converges on it; starting,
//! reloading, scaling and replacing the dead are all the same movement. No clock, no system call.

mod convergence;
mod ending;
mod gates;
mod operations;
mod report;
mod view;

use std::time::Duration;

use super::backoff::Backoff;
use super::death::{Death, Executioner};
use super::event::{Action, Event, Generation, Moment, Note, Policy, WorkerId};
use super::progress::Progress;
use super::recycling::{Spent, Usage};
use super::roster::{Deadlines, Phase, Roster, Worker};
use crate::orders::Order;
use crate::os::process::{EXEC_FAILED, Ended};

/// All that the arbiter knows.
#[derive(Debug)]
pub(crate) struct State {
    policy: Policy,
    /// What will be decided once the generation that is prepared serves.
    next_policy: Policy,
    target: u32,
    /// How many workers there were to be before an operator sent them to rest.
    rested: Option<u32>,
    workers: Roster,
    /// What new workers run; none until the first snapshot is taken.
    current: Option<Generation>,
    last_generation: Generation,
    reload: Reload,
    /// A reload was asked for while one ran.
    reload_again: bool,
    upgrade: Progress,
    /// An upgrade was asked for while something else ran.
    upgrade_again: bool,
    /// The server was asked to stop, and does so at this time.
    leaving: Option<Duration>,
    /// Set once the server stops: what it exits with.
    stopping: Option<u8>,
    /// Some worker has been ready at some time, so a failure to boot is no longer fatal.
    ever_ready: bool,
    /// The operator has been told that the server is up.
    up: bool,
    backoff: Backoff,
    /// Of replacing workers that hold too much memory as soon as they start.
    hunger: Backoff,
    last_event: Duration,
    proof: Proof,
}

/// What a master leaves to its successor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Saved {
    /// Workers wanted by the configuration.
    pub(super) configured: u32,
    /// Workers wanted.
    pub(super) target: u32,
    /// Workers wanted before they all rested, if they do.
    pub(super) rested: Option<u32>,
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

/// How far a reload has come. Rolling ends when no worker of an older generation serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reload {
    None,
    Preparing(Generation),
    Canary(Generation, WorkerId),
    /// The canary serves, and a hook is asked what it thinks of it.
    Proving(Generation, WorkerId),
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
        Self {
            policy,
            next_policy: policy,
            target: policy.workers.clamp(1, policy.max_workers),
            rested: None,
            workers: Roster::new(Deadlines::of(&policy), policy.limits),
            current: None,
            last_generation: Generation(0),
            reload: Reload::None,
            reload_again: false,
            upgrade: Progress::default(),
            upgrade_again: false,
            leaving: None,
            stopping: None,
            ever_ready: false,
            up: false,
            backoff: Backoff::default(),
            hunger: Backoff::default(),
            last_event: Duration::ZERO,
            proof: Proof::default(),
        }
    }

    /// The state of a master that goes on where another has stopped, all of whose workers it replaces.
    /// A number of workers that was changed by signals stays until the configuration says another.
    pub(crate) fn succeed(policy: Policy, saved: Saved, now: Duration) -> Self {
        let mut state = Self::new(policy);
        if saved.configured == policy.workers {
            state.target = saved.target.min(policy.max_workers);
            state.rested = saved.rested;
        }
        state.current = Some(saved.generation);
        state.last_generation = saved.generation;
        state.reload = Reload::Rolling;
        state.reload_again = saved.reload_wanted;
        state.upgrade_again = saved.upgrade_wanted;
        state.workers.adopt(saved.last_worker, saved.workers, now);
        state.ever_ready = true;
        state.up = true;
        state.last_event = now;
        state
    }

    /// What a successor whose workers run `generation` needs to know.
    pub(crate) fn save(&self, generation: Generation) -> Saved {
        let workers = self.workers.iter();
        Saved {
            configured: self.policy.workers,
            target: self.target,
            rested: self.rested,
            last_worker: self.workers.last(),
            generation,
            reload_wanted: self.reload_again,
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
            Event::Failed(worker, reason) => self.workers.hear(worker, reason),
            Event::SpawnFailed(worker, reason) => {
                if self.workers.remove(worker).is_some() {
                    let reason = format!("cannot start a worker: {reason}");
                    self.boot_failed(worker, reason, 1, moment, &mut out);
                }
            }
            Event::Exited(worker, death) => self.exited(worker, death, moment, &mut out),
            Event::Prepared(generation, policy) => {
                self.prepared(generation, policy, now, &mut out);
            }
            Event::PrepareFailed(generation, reason) => {
                self.prepare_failed(generation, reason, now, &mut out);
            }
            Event::Stop(haste) => self.stop(haste, now, &mut out),
            Event::Reload => self.ask_reload(&mut out),
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
            Event::More => self.scale(self.target.saturating_add(1), &mut out),
            Event::Fewer => self.scale(self.target.saturating_sub(1), &mut out),
            Event::Scale(wanted) => self.scale(wanted, &mut out),
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

    fn spawn(&mut self, generation: Generation, now: Duration, out: &mut Vec<Action>) -> WorkerId {
        let is_current = Some(generation) == self.current;
        let (count, boot) = match is_current {
            true => (self.rested.unwrap_or(self.target), self.policy.boot_timeout),
            false => (self.next_target(), self.next_policy.boot_timeout),
        };
        let (worker, slot) = self.workers.add(generation, boot, now);
        out.push(Action::Spawn {
            worker,
            slot,
            generation,
            count,
        });
        worker
    }

    fn ready(&mut self, id: WorkerId, moment: Moment, out: &mut Vec<Action>) {
        let is_canary = matches!(self.reload, Reload::Canary(_, canary) if canary == id);
        if is_canary && self.workers.boots(id) && !self.next_policy.gates.ready {
            self.adopt(moment.now, out);
        }
        let Some(slot) = self.workers.ready(id, moment) else {
            return;
        };
        self.ever_ready = true;
        if self.leaving.is_some() {
            out.push(Action::Order(id, Order::Announce));
        }
        out.push(Action::Tell(Note::WorkerReady { worker: id, slot }));
        if let Reload::Canary(generation, canary) = self.reload
            && canary == id
        {
            self.canary_ready(generation, canary, out);
        }
    }

    /// What the new generation's configuration decides is in force from now on.
    fn adopt(&mut self, now: Duration, out: &mut Vec<Action>) {
        let target = self.next_target();
        self.policy = self.next_policy;
        self.workers
            .judge_by(Deadlines::of(&self.policy), self.policy.limits, now);
        match &mut self.rested {
            Some(before) => *before = target,
            None => self.scale(target, out),
        }
    }

    /// How many workers there will be: those that an operator has asked for by signals, until
    /// somebody changes the configured number.
    fn next_target(&self) -> u32 {
        match self.next_policy.workers {
            same if same == self.policy.workers => self.rested.unwrap_or(self.target),
            other => other,
        }
    }

    /// A worker that has reached a limit serves on until a replacement is ready.
    fn used(&mut self, id: WorkerId, used: Usage, moment: Moment, out: &mut Vec<Action>) {
        let Some((why, age)) = self.workers.used(id, used, moment.now) else {
            return;
        };
        out.push(Action::Tell(Note::WorkerSpent { worker: id, why }));
        if matches!(why, Spent::Memory(_)) && age < STEADY {
            let pause = self.hunger.fail(moment);
            out.push(Action::Tell(Note::Hungry { worker: id, pause }));
        } else {
            self.hunger.reset();
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
            return self.boot_failed(id, reason, code, moment, out);
        }
        if self.canary_lost(id, &how, out) {
            return;
        }
        out.push(Action::Tell(Note::WorkerLost { worker: id, how }));
        let steady = match worker.phase {
            Phase::Ready { since, .. } => moment.now.saturating_sub(since) >= STEADY,
            _ => true,
        };
        if steady {
            self.backoff.reset();
        } else {
            self.backoff.fail(moment);
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
        let pause = self.backoff.fail(moment);
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
