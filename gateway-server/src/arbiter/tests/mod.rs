//! The arbiter's judgement against a world of simulated workers, which checks every action.

mod gates;
mod pools;
mod random;
mod scenes;
mod upgrades;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use nix::sys::signal::Signal;

use super::event::{
    Action, Event, Gate, Gates, Generation, Moment, Note, Policy, PoolId, Scope, WorkerId,
};
use super::recycling::Limits;
use super::roster::LAST_GRACE;
use super::state::State;
use crate::orders::Order;
use crate::os::process::Ended;
use crate::value::ByteCount;

const GRACEFUL: Duration = Duration::from_secs(30);
const BOOT: Duration = Duration::from_secs(60);
const TIMEOUT: Duration = Duration::from_secs(10);
const MAX: u32 = 6;
const LIMITS: Limits = Limits {
    requests: 1000,
    age: Duration::from_secs(3 * 60 * 60),
    memory: ByteCount(1 << 30),
    jitter: 50,
};

/// A simulated worker, as the world sees it.
#[derive(Debug)]
struct Simulated {
    slot: u32,
    generation: Generation,
    ready: bool,
    told: Option<Order>,
    told_stop: Option<Duration>,
    killed: bool,
    /// An operator has asked for its end.
    condemned: bool,
    announced: bool,
    spawned: Duration,
    beat: u64,
    beat_seen: Duration,
}

impl Simulated {
    fn is_live(&self) -> bool {
        self.told.is_none() && self.told_stop.is_none() && !self.killed
    }
}

/// A simulated check of a new program.
#[derive(Clone, Copy, Debug)]
struct SimulatedCheck {
    generation: Generation,
    told: bool,
    killed: bool,
}

/// A master's surroundings; checks every action that it is given.
struct World {
    state: State,
    /// What the next preparation reads.
    policy: Policy,
    now: Duration,
    workers: BTreeMap<WorkerId, Simulated>,
    target: u32,
    /// What it was before the workers were last sent to rest.
    rested: u32,
    highest_target: u32,
    ever_ready: bool,
    hopeless: bool,
    stops: u32,
    /// The listeners are closed.
    ending: bool,
    exit: Option<u8>,
    copies: BTreeSet<Generation>,
    pending_copies: Vec<Generation>,
    /// What was prepared, and of what.
    scopes: Vec<Scope>,
    check: Option<SimulatedCheck>,
    /// The new program that this one is to become.
    became: Option<Generation>,
    notes: Vec<Note>,
    chance: u32,
    reopened: u32,
    /// Hooks that were asked.
    asked: Vec<Gate>,
}

impl World {
    fn new(workers: u32) -> Self {
        Self::leaving_slowly(workers, Duration::ZERO)
    }

    /// A server that serves on for a while when it is asked to stop.
    fn leaving_slowly(workers: u32, drain_delay: Duration) -> Self {
        let policy = Policy {
            workers: BTreeMap::from([(PoolId::MAIN, workers)]),
            max_workers: MAX,
            worker_timeout: TIMEOUT,
            boot_timeout: BOOT,
            graceful_timeout: GRACEFUL,
            drain_delay,
            limits: LIMITS,
            gates: Gates::default(),
        };
        let mut world = Self {
            state: State::new(policy.clone()),
            policy,
            now: Duration::from_millis(1),
            workers: BTreeMap::new(),
            target: workers,
            rested: 0,
            highest_target: workers,
            ever_ready: false,
            hopeless: false,
            stops: 0,
            ending: false,
            exit: None,
            copies: BTreeSet::new(),
            pending_copies: Vec::new(),
            scopes: Vec::new(),
            check: None,
            became: None,
            notes: Vec::new(),
            chance: u32::MAX,
            reopened: 0,
            asked: Vec::new(),
        };
        world.happen(Event::Started);
        world
    }

    /// Workers that the configuration wants.
    fn configured(&self) -> u32 {
        self.policy.workers[&PoolId::MAIN]
    }

    /// Has the next configuration want so many.
    fn configure(&mut self, workers: u32) {
        self.policy.workers.insert(PoolId::MAIN, workers);
    }

    /// Begins once more, with hooks.
    fn restart(&mut self, gates: Gates) {
        self.policy.gates = gates;
        self.state = State::new(self.policy.clone());
        self.pending_copies.clear();
        self.happen(Event::Started);
    }

    /// A server whose workers all serve.
    fn serving(workers: u32) -> Self {
        let mut world = Self::new(workers);
        world.copied();
        world.all_ready();
        world
    }

    fn happen(&mut self, event: Event) {
        assert_eq!(self.exit, None, "nothing happens after the end");
        match &event {
            Event::Stop(_) => self.stops += 1,
            Event::More if self.stops == 0 => self.target = (self.target + 1).min(MAX),
            Event::Fewer if self.stops == 0 && self.target > 0 => {
                self.target = (self.target - 1).max(1);
            }
            Event::Scale(None, wanted) if self.stops == 0 => self.target = (*wanted).clamp(1, MAX),
            Event::End(id) => {
                if let Some(worker) = self.workers.get_mut(id) {
                    worker.condemned = true;
                }
            }
            Event::Rest if self.stops == 0 && self.target > 0 => {
                self.rested = std::mem::take(&mut self.target);
            }
            Event::Ready(id) => {
                if let Some(worker) = self.workers.get_mut(id) {
                    worker.ready = true;
                    worker.beat_seen = self.now;
                    self.ever_ready |= worker.told.is_none();
                }
            }
            Event::CheckEnded(_) | Event::CheckRefused(_) => self.check = None,
            Event::Exited(id, _) => {
                let gone = self.workers.remove(id).unwrap();
                // A dismissed worker or a canary proves nothing.
                let counts = gone.told.is_none() && Some(&gone.generation) == self.copies.first();
                self.hopeless |= counts && !gone.ready && !self.ever_ready;
            }
            _ => {}
        }
        self.highest_target = self.highest_target.max(self.target);
        let moment = Moment {
            now: self.now,
            chance: self.chance,
        };
        let actions = self.state.handle(event, moment);
        for action in actions {
            self.obey(action);
        }
        self.check();
    }

    fn obey(&mut self, action: Action) {
        let now = self.now;
        match action {
            Action::Prepare(generation, scope) => {
                self.pending_copies.push(generation);
                self.scopes.push(scope);
            }
            Action::Forget(generation) => {
                self.copies.remove(&generation);
            }
            Action::Spawn {
                worker,
                slot,
                generation,
                count,
                ..
            } => {
                assert!(!self.ending, "a stopping server starts nothing");
                assert!(
                    !self.hopeless,
                    "no respawn loop before a worker was ever ready"
                );
                assert!(self.copies.contains(&generation), "a worker needs its copy");
                assert!(
                    self.workers.values().all(|other| other.slot != slot),
                    "slots are unique"
                );
                assert!([self.target, self.configured(), self.rested].contains(&count));
                assert_ne!(count, 0, "a worker is one of some");
                let live = || self.workers.values().filter(|one| one.is_live());
                let booting = live().filter(|one| !one.ready).count();
                // During a reload a canary may boot beside what is missing.
                let reloads = live().any(|one| one.generation != generation);
                let replaces = live().count() >= self.target as usize && !reloads;
                let at_once = (self.target as usize / 4).max(1);
                assert!(!replaces || booting < at_once, "replaced a few at a time");
                let simulated = Simulated {
                    slot,
                    generation,
                    ready: false,
                    told: None,
                    told_stop: None,
                    killed: false,
                    condemned: false,
                    announced: false,
                    spawned: now,
                    beat: 0,
                    beat_seen: now,
                };
                assert!(
                    self.workers.insert(worker, simulated).is_none(),
                    "names are never reused"
                );
            }
            Action::Order(id, Order::Announce) => {
                let worker = self.workers.get_mut(&id).expect("orders go to the living");
                assert!(worker.ready && self.stops == 1, "the end is announced once");
                assert!(!std::mem::replace(&mut worker.announced, true));
            }
            Action::Order(id, order) => {
                let target = self.target;
                let worker = self.workers.get_mut(&id).expect("orders go to the living");
                worker.told = Some(order);
                if order == Order::StopNow {
                    worker.told_stop = Some(now);
                }
                if order == Order::Retire {
                    let serving = self.serving_count();
                    assert!(
                        serving >= target,
                        "{serving} of {target} left by a retirement"
                    );
                }
            }
            Action::Abort(id) => {
                let worker = self.workers.get_mut(&id).expect("signals go to the living");
                let overdue = if worker.ready {
                    now >= worker.beat_seen + TIMEOUT
                } else {
                    now >= worker.spawned + BOOT
                };
                assert!(overdue, "no abort before a deadline");
                worker.told_stop = Some(now);
            }
            Action::Kill(id) => {
                let worker = self.workers.get_mut(&id).expect("signals go to the living");
                let warned = worker
                    .told_stop
                    .is_some_and(|told| now >= told + LAST_GRACE);
                assert!(
                    warned || worker.condemned || self.stops >= 2,
                    "no kill before its deadline"
                );
                assert!(!worker.killed, "one kill is enough");
                worker.killed = true;
            }
            Action::RunHook(gate) => self.asked.push(gate),
            Action::ReopenLogs => self.reopened += 1,
            Action::CloseListeners => self.ending = true,
            Action::Check(generation) => {
                assert!(self.check.is_none(), "one check at a time");
                assert!(self.stops == 0, "a stopping server has no future");
                self.check = Some(SimulatedCheck {
                    generation,
                    told: false,
                    killed: false,
                });
            }
            Action::EndCheck => {
                let check = self.check.as_mut().expect("what ends has begun");
                assert!(!check.told, "once is enough");
                check.told = true;
            }
            Action::KillCheck => {
                let check = self.check.as_mut().expect("what ends has begun");
                assert!(check.told || self.stops >= 2, "no kill without a word");
                assert!(!check.killed, "one kill is enough");
                check.killed = true;
            }
            Action::Become(generation) => {
                let check = self.check.expect("what succeeds has been checked");
                assert!(check.generation == generation && !check.told);
                assert!(self.stops == 0, "a stopping server has no future");
                self.became = Some(generation);
            }
            Action::Tell(note) => {
                // Giving up is the first stop; an operator's signal then is the second.
                self.stops += u32::from(matches!(note, Note::CannotStart { .. }));
                if let Note::Target { workers, .. } = note {
                    self.target = workers;
                    self.highest_target = self.highest_target.max(workers);
                }
                self.notes.push(note);
            }
            Action::Exit(code) => {
                let none = self.workers.is_empty() && self.check.is_none();
                assert!(none, "every child is reaped before the end");
                self.exit = Some(code);
            }
        }
    }

    fn check(&self) {
        let live = self.workers.values().filter(|one| one.is_live());
        // A canary, and replacements that were begun before it.
        let most = self.highest_target + 1 + (self.highest_target / 4).max(1);
        let live = u32::try_from(live.count()).unwrap();
        assert!(live <= most, "{live} workers, never more than {most}");
        if self.exit.is_none()
            && let Some(deadline) = self.state.next_deadline()
        {
            let tick = self.state.tick_due(self.now);
            assert!(
                tick || deadline > self.now,
                "a deadline that has come has been dealt with"
            );
        }
    }

    /// The new program has nothing to object, and becomes this one.
    fn succeed(&mut self) {
        self.happen(Event::CheckPassed);
        let Some(generation) = self.became.take() else {
            return;
        };
        let saved = self.state.save(generation);
        if saved.pools[&PoolId::MAIN].configured != self.configured() {
            self.target = self.configured();
        }
        self.state = State::succeed(self.policy.clone(), saved, self.now);
        self.copies = BTreeSet::from([generation]);
        self.check = None;
        self.happen(Event::Adopted);
    }

    fn serving_count(&self) -> u32 {
        let serving = self
            .workers
            .values()
            .filter(|one| one.ready && one.is_live());
        u32::try_from(serving.count()).unwrap()
    }

    fn ids(&self) -> Vec<WorkerId> {
        self.workers.keys().copied().collect()
    }

    fn copied(&mut self) {
        for generation in std::mem::take(&mut self.pending_copies) {
            self.copies.insert(generation);
            self.happen(Event::Prepared(generation, self.policy.clone()));
        }
    }

    fn all_ready(&mut self) {
        for id in self.ids() {
            if self
                .workers
                .get(&id)
                .is_some_and(|w| !w.ready && w.told_stop.is_none())
            {
                self.happen(Event::Ready(id));
            }
        }
    }

    /// Whoever boots becomes ready, whoever is to go goes, until nothing is left to do.
    fn settle(&mut self) {
        for _ in 0..2 * MAX {
            self.all_ready();
            self.leave();
        }
    }

    /// All workers that were told to end do so.
    fn leave(&mut self) {
        for id in self.ids() {
            let Some(worker) = self.workers.get(&id) else {
                continue;
            };
            if worker.killed {
                self.happen(Event::Exited(id, Ended::Signal(Signal::SIGKILL).into()));
            } else if worker.told.is_some() || worker.told_stop.is_some() {
                self.happen(Event::Exited(id, Ended::Code(0).into()));
            }
        }
    }

    /// Whether a generation is told to have taken over.
    fn has_rolled(&self, generation: u32) -> bool {
        let generation = Generation(generation);
        self.notes.contains(&Note::Reloaded { generation })
    }

    /// Time passes as the performer lets it: woken at each deadline, a round of beats before a tick.
    fn pass(&mut self, time: Duration, alive: impl Fn(WorkerId) -> bool) {
        let end = self.now + time;
        while self.exit.is_none() {
            let wake = self
                .state
                .next_deadline()
                .filter(|deadline| *deadline <= end);
            self.now = wake.unwrap_or(end).max(self.now);
            if self.state.tick_due(self.now) {
                for id in self.ids() {
                    let now = self.now;
                    let worker = self.workers.get_mut(&id).unwrap();
                    if alive(id) {
                        worker.beat += 1;
                        worker.beat_seen = now;
                    }
                    let beat = worker.beat;
                    self.happen(Event::Beat(id, beat));
                }
                self.happen(Event::Tick);
            } else {
                self.happen(Event::Woken);
            }
            if wake.is_none() {
                return;
            }
        }
    }

    #[track_caller]
    fn assert_all_told(&self, order: Order) {
        for (id, worker) in &self.workers {
            assert_eq!(worker.told, Some(order), "{id:?}");
        }
    }

    fn generations(&self) -> Vec<u32> {
        self.workers
            .values()
            .filter(|w| w.told.is_none())
            .map(|w| w.generation.0)
            .collect()
    }
}
