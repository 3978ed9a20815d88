//! The arbiter's judgement against a world of simulated workers: named scenes first, then random
//! sequences of events under which its promises must hold.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use nix::sys::signal::Signal;
use proptest::prelude::*;

use super::event::{Action, Event, Generation, Haste, Moment, Note, WorkerId};
use super::state::{CANNOT_LOAD, LAST_GRACE, LONGEST_PAUSE, Policy, State, TICK};
use crate::orders::Order;
use crate::os::process::Ended;

const GRACEFUL: Duration = Duration::from_secs(30);
const BOOT: Duration = Duration::from_secs(60);
const TIMEOUT: Duration = Duration::from_secs(10);
const MAX: u32 = 6;

/// A simulated worker, as the world sees it.
#[derive(Debug)]
struct Simulated {
    slot: u32,
    generation: Generation,
    ready: bool,
    told: Option<Order>,
    told_stop: Option<Duration>,
    killed: bool,
    spawned: Duration,
    beat: u64,
    beat_seen: Duration,
}

/// A master's surroundings; checks every action that it is given.
struct World {
    state: State,
    now: Duration,
    workers: BTreeMap<WorkerId, Simulated>,
    target: u32,
    highest_target: u32,
    ever_ready: bool,
    hopeless: bool,
    stops: u32,
    exit: Option<u8>,
    copies: BTreeSet<Generation>,
    pending_copies: Vec<Generation>,
    notes: Vec<Note>,
}

impl World {
    fn new(workers: u32) -> Self {
        let state = State::new(Policy {
            workers,
            max_workers: MAX,
            worker_timeout: TIMEOUT,
            boot_timeout: BOOT,
            graceful_timeout: GRACEFUL,
        });
        let mut world = Self {
            state,
            now: Duration::from_millis(1),
            workers: BTreeMap::new(),
            target: workers,
            highest_target: workers,
            ever_ready: false,
            hopeless: false,
            stops: 0,
            exit: None,
            copies: BTreeSet::new(),
            pending_copies: Vec::new(),
            notes: Vec::new(),
        };
        world.happen(Event::Started);
        world
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
            Event::Fewer if self.stops == 0 => self.target = (self.target - 1).max(1),
            Event::Ready(id) => {
                if let Some(worker) = self.workers.get_mut(id) {
                    worker.ready = true;
                    worker.beat_seen = self.now;
                    self.ever_ready |= worker.told.is_none();
                }
            }
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
            chance: u32::MAX,
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
            Action::Snapshot(generation) => self.pending_copies.push(generation),
            Action::Forget(generation) => {
                self.copies.remove(&generation);
            }
            Action::Spawn {
                worker,
                slot,
                generation,
                count,
            } => {
                assert!(self.stops == 0, "a stopping server starts nothing");
                assert!(
                    !self.hopeless,
                    "no respawn loop before a worker was ever ready"
                );
                assert!(self.copies.contains(&generation), "a worker needs its copy");
                assert!(
                    self.workers.values().all(|other| other.slot != slot),
                    "slots are unique"
                );
                assert_eq!(count, self.target);
                let simulated = Simulated {
                    slot,
                    generation,
                    ready: false,
                    told: None,
                    told_stop: None,
                    killed: false,
                    spawned: now,
                    beat: 0,
                    beat_seen: now,
                };
                assert!(
                    self.workers.insert(worker, simulated).is_none(),
                    "names are never reused"
                );
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
                assert!(warned || self.stops >= 2, "no kill before its deadline");
                assert!(!worker.killed, "one kill is enough");
                worker.killed = true;
            }
            Action::CloseListeners => {}
            Action::Tell(note) => {
                // Giving up is the first stop; an operator's signal then is the second.
                self.stops += u32::from(matches!(note, Note::CannotStart { .. }));
                self.notes.push(note);
            }
            Action::Exit(code) => {
                assert!(
                    self.workers.is_empty(),
                    "every child is reaped before the end"
                );
                self.exit = Some(code);
            }
        }
    }

    fn check(&self) {
        let live = self
            .workers
            .values()
            .filter(|one| one.told.is_none() && one.told_stop.is_none());
        let most = self.highest_target as usize + 1;
        assert!(live.count() <= most, "never more than the target and one");
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

    fn serving_count(&self) -> u32 {
        let serving = self
            .workers
            .values()
            .filter(|w| w.ready && w.told.is_none() && w.told_stop.is_none());
        u32::try_from(serving.count()).unwrap()
    }

    fn ids(&self) -> Vec<WorkerId> {
        self.workers.keys().copied().collect()
    }

    fn copied(&mut self) {
        for generation in std::mem::take(&mut self.pending_copies) {
            self.copies.insert(generation);
            self.happen(Event::SnapshotTaken(generation));
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

    /// All workers that were told to end do so.
    fn leave(&mut self) {
        for id in self.ids() {
            let Some(worker) = self.workers.get(&id) else {
                continue;
            };
            if worker.killed {
                self.happen(Event::Exited(id, Ended::Signal(Signal::SIGKILL)));
            } else if worker.told.is_some() || worker.told_stop.is_some() {
                self.happen(Event::Exited(id, Ended::Code(0)));
            }
        }
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

    fn generations(&self) -> Vec<u32> {
        self.workers
            .values()
            .filter(|w| w.told.is_none())
            .map(|w| w.generation.0)
            .collect()
    }
}

#[test]
fn workers_start_together_and_the_operator_is_told_once() {
    let mut world = World::new(3);
    world.copied();
    assert_eq!(world.workers.len(), 3);
    world.all_ready();
    let up = world
        .notes
        .iter()
        .filter(|note| matches!(note, Note::Up { workers: 3, .. }));
    assert_eq!(up.count(), 1);
}

#[test]
fn an_application_that_cannot_be_read_ends_the_server_with_its_own_code() {
    let mut world = World::new(2);
    world.happen(Event::SnapshotFailed(
        Generation(1),
        "app.so: no such file".into(),
    ));
    assert_eq!(world.exit, Some(CANNOT_LOAD));
    assert!(world.notes.contains(&Note::CannotStart {
        reason: "app.so: no such file".into()
    }));
}

#[test]
fn a_failed_first_start_ends_the_server_with_the_workers_words_and_code() {
    for (ended, code) in [
        (Ended::Code(3), 3),
        (Ended::Code(4), 4),
        (Ended::Code(1), 1),
        (Ended::Code(127), 1),
        (Ended::Signal(Signal::SIGSEGV), 3),
    ] {
        let mut world = World::new(2);
        world.copied();
        let [first, second] = world.ids()[..] else {
            panic!()
        };
        world.happen(Event::Failed(first, "no database".into()));
        world.happen(Event::Exited(first, ended));
        assert_eq!(world.exit, None, "the other worker is waited for");
        world.happen(Event::Exited(second, Ended::Code(0)));
        assert_eq!(world.exit, Some(code));
        assert!(world.notes.contains(&Note::CannotStart {
            reason: "no database".into()
        }));
    }
}

#[test]
fn a_lost_worker_is_replaced_and_repeated_losses_make_pauses_grow() {
    let mut world = World::serving(2);
    world.pass(Duration::from_secs(20), |_| true);
    let first = world.ids()[0];
    world.happen(Event::Exited(first, Ended::Signal(Signal::SIGKILL)));
    assert_eq!(
        world.workers.len(),
        2,
        "a worker that had served long is replaced at once"
    );
    let mut pauses = Vec::new();
    for _ in 0..9 {
        let booting = world.ids()[1];
        world.happen(Event::Exited(booting, Ended::Code(3)));
        assert_eq!(world.workers.len(), 1);
        let before = world.now;
        while world.workers.len() == 1 {
            world.pass(Duration::from_millis(10), |_| true);
        }
        pauses.push(world.now - before);
    }
    assert!(pauses.is_sorted());
    assert_eq!(pauses[0], Duration::from_millis(100));
    assert_eq!(pauses[8], LONGEST_PAUSE);
}

#[test]
fn a_reload_boots_one_canary_and_then_rolls_one_by_one() {
    let mut world = World::serving(3);
    world.happen(Event::Reload);
    assert_eq!(
        world.workers.len(),
        3,
        "nothing starts before the copy is taken"
    );
    world.copied();
    assert_eq!(world.generations(), [1, 1, 1, 2]);
    world.all_ready();
    assert_eq!(
        world.generations(),
        [1, 1, 2, 2],
        "ready: one retires, the next is started"
    );
    world.all_ready();
    world.all_ready();
    assert_eq!(world.generations(), [2, 2, 2]);
    assert!(world.notes.contains(&Note::Reloaded {
        generation: Generation(2)
    }));
    assert_eq!(world.copies, BTreeSet::from([Generation(2)]));
}

#[test]
fn a_canary_that_cannot_boot_leaves_the_old_generation_alone() {
    let mut world = World::serving(2);
    world.happen(Event::Reload);
    world.copied();
    let canary = world.ids()[2];
    world.happen(Event::Failed(canary, "app.so: no symbol".into()));
    world.happen(Event::Exited(canary, Ended::Code(4)));
    world.pass(Duration::from_secs(60), |_| true);
    assert_eq!(world.generations(), [1, 1]);
    assert_eq!(world.copies, BTreeSet::from([Generation(1)]));
    assert!(
        world.notes.iter().any(
            |note| matches!(note, Note::ReloadFailed { reason } if reason.contains("no symbol"))
        )
    );
}

#[test]
fn a_canary_that_hangs_is_given_up_at_the_boot_timeout() {
    let mut world = World::serving(1);
    world.happen(Event::Reload);
    world.copied();
    world.pass(BOOT + LAST_GRACE, |_| true);
    let canary = world.ids()[1];
    assert!(world.workers[&canary].killed);
    world.leave();
    assert_eq!(world.generations(), [1]);
    assert!(
        world
            .notes
            .iter()
            .any(|note| matches!(note, Note::ReloadFailed { .. }))
    );
}

#[test]
fn reloads_during_a_reload_come_to_one_more() {
    let mut world = World::serving(1);
    for _ in 0..5 {
        world.happen(Event::Reload);
    }
    for _ in 0..10 {
        world.copied();
        world.all_ready();
        world.leave();
    }
    assert_eq!(world.generations(), [3]);
}

#[test]
fn the_wanted_number_goes_up_and_down_within_its_bounds() {
    let mut world = World::serving(1);
    for _ in 0..10 {
        world.happen(Event::More);
    }
    world.all_ready();
    assert_eq!(world.serving_count(), MAX);
    for _ in 0..10 {
        world.happen(Event::Fewer);
    }
    world.leave();
    assert_eq!(world.ids(), [WorkerId(1)], "the youngest go first");
}

#[test]
fn a_stuck_worker_is_marked_then_aborted_a_tick_later_then_killed() {
    let mut world = World::serving(2);
    let stuck = world.ids()[0];
    world.pass(TIMEOUT, |id| id != stuck);
    assert_eq!(world.workers[&stuck].told_stop, None, "marked at most");
    world.pass(TICK, |id| id != stuck);
    assert!(world.workers[&stuck].told_stop.is_some() && !world.workers[&stuck].killed);
    world.pass(LAST_GRACE, |id| id != stuck);
    assert!(world.workers[&stuck].killed);
}

#[test]
fn a_master_that_was_held_up_blames_nobody() {
    let mut world = World::serving(2);
    world.pass(Duration::from_secs(5), |_| true);
    world.now += Duration::from_secs(3600);
    world.happen(Event::Tick);
    world.pass(TIMEOUT, |_| false);
    assert!(
        world
            .workers
            .values()
            .all(|worker| worker.told_stop.is_none())
    );
    assert!(
        world
            .notes
            .iter()
            .any(|note| matches!(note, Note::Late { .. }))
    );
}

#[test]
fn a_graceful_stop_drains_then_drops_then_kills() {
    let mut world = World::serving(2);
    world.happen(Event::Stop(Haste::Graceful));
    assert!(
        world
            .workers
            .values()
            .all(|worker| worker.told == Some(Order::Shutdown))
    );
    world.pass(GRACEFUL, |_| true);
    assert!(
        world
            .workers
            .values()
            .all(|worker| worker.told == Some(Order::StopNow))
    );
    world.pass(LAST_GRACE, |_| true);
    assert!(world.workers.values().all(|worker| worker.killed));
    world.leave();
    assert_eq!(world.exit, Some(0));
}

#[test]
fn a_second_signal_means_now() {
    for haste in [Haste::Graceful, Haste::Quick] {
        let mut world = World::serving(2);
        world.happen(Event::Stop(Haste::Graceful));
        world.happen(Event::Stop(haste));
        assert!(world.workers.values().all(|worker| worker.killed));
        world.leave();
        assert_eq!(world.exit, Some(0));
    }
}

/// What may befall a server.
#[derive(Clone, Debug)]
enum Fate {
    Pass(u16),
    Pause(u16),
    Copied,
    CopyFailed,
    Ready(prop::sample::Index),
    Dies(prop::sample::Index, i32),
    Leave,
    Reload,
    More,
    Fewer,
    SpawnFailed(prop::sample::Index),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => (0..5000u16).prop_map(Fate::Pass),
        1 => (0..60_000u16).prop_map(Fate::Pause),
        4 => Just(Fate::Copied),
        1 => Just(Fate::CopyFailed),
        8 => any::<prop::sample::Index>().prop_map(Fate::Ready),
        3 => (any::<prop::sample::Index>(), 0..5).prop_map(|(one, code)| Fate::Dies(one, code)),
        4 => Just(Fate::Leave),
        3 => Just(Fate::Reload),
        1 => Just(Fate::More),
        1 => Just(Fate::Fewer),
        1 => any::<prop::sample::Index>().prop_map(Fate::SpawnFailed),
    ]
}

impl World {
    fn befall(&mut self, fate: Fate) {
        let ids = self.ids();
        let pick = |index: prop::sample::Index| (!ids.is_empty()).then(|| *index.get(&ids));
        match fate {
            // Every third worker is stuck now and then.
            Fate::Pass(millis) => {
                self.pass(Duration::from_millis(millis.into()), |id| id.0 % 3 != 0);
            }
            Fate::Pause(millis) => self.now += Duration::from_millis(millis.into()),
            Fate::Copied => self.copied(),
            Fate::CopyFailed => {
                for generation in std::mem::take(&mut self.pending_copies) {
                    self.happen(Event::SnapshotFailed(generation, "gone".into()));
                }
            }
            Fate::Ready(index) => {
                if let Some(id) = pick(index)
                    .filter(|id| !self.workers[id].ready && self.workers[id].told_stop.is_none())
                {
                    self.happen(Event::Ready(id));
                }
            }
            Fate::Dies(index, code) => {
                if let Some(id) = pick(index) {
                    self.happen(Event::Exited(id, Ended::Code(code)));
                }
            }
            Fate::Leave => self.leave(),
            Fate::Reload => self.happen(Event::Reload),
            Fate::More => self.happen(Event::More),
            Fate::Fewer => self.happen(Event::Fewer),
            Fate::SpawnFailed(index) => {
                let booting =
                    |id: &WorkerId| !self.workers[id].ready && self.workers[id].told.is_none();
                if let Some(id) = pick(index).filter(booting) {
                    self.workers.remove(&id);
                    self.happen(Event::SpawnFailed(id, "no processes left".into()));
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_befalls_the_promises_hold_and_the_end_is_finite(
        workers in 1..5u32,
        fates in prop::collection::vec(fate(), 0..120),
        haste in prop_oneof![Just(Haste::Graceful), Just(Haste::Quick)],
    ) {
        let mut world = World::new(workers);
        for fate in fates {
            if world.exit.is_some() {
                return Ok(());
            }
            world.befall(fate);
        }
        if world.exit.is_none() {
            // Nobody listens; only the killed die.
            world.happen(Event::Stop(haste));
            let before = world.now;
            for _ in 0..10 {
                if world.exit.is_some() {
                    break;
                }
                world.pass(GRACEFUL / 4, |_| true);
                for id in world.ids() {
                    if world.exit.is_none() && world.workers[&id].killed {
                        world.happen(Event::Exited(id, Ended::Signal(Signal::SIGKILL)));
                    }
                }
            }
            prop_assert!(world.exit.is_some());
            prop_assert!(world.now - before <= GRACEFUL + LAST_GRACE + GRACEFUL / 4);
        }
    }

    #[test]
    fn whatever_befell_a_kind_world_gets_its_workers_back(
        workers in 1..5u32,
        fates in prop::collection::vec(fate(), 0..80),
    ) {
        let mut world = World::serving(workers);
        for fate in fates {
            world.befall(fate);
        }
        for _ in 0..40 {
            world.copied();
            world.all_ready();
            world.leave();
            world.pass(Duration::from_secs(1), |_| true);
        }
        prop_assert_eq!(world.serving_count(), world.target);
        let newest = world.workers.values().map(|worker| worker.generation).max();
        prop_assert!(world.workers.values().all(|worker| Some(worker.generation) == newest));
        prop_assert_eq!(world.copies.len(), 1, "old copies are given up");
    }
}
