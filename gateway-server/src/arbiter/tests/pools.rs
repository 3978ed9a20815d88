//! Several pools: each has its own number of workers, and a reload of all is all or nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{BOOT, GRACEFUL, LIMITS, MAX, TIMEOUT};
use crate::arbiter::event::{
    Action, Event, Gates, Generation, Moment, Note, Policy, PoolId, WorkerId,
};
use crate::arbiter::state::State;
use crate::orders::Order;
use crate::os::process::Ended;

/// The arbiter with workers that do as they are told.
struct Rig {
    state: State,
    now: Duration,
    /// Whose each worker is, and what it runs.
    workers: BTreeMap<WorkerId, (PoolId, u32)>,
    said: Vec<Action>,
}

impl Rig {
    fn of(pools: &[u32]) -> Self {
        let mut rig = Self {
            state: State::new(policy(pools)),
            now: Duration::from_millis(1),
            workers: BTreeMap::new(),
            said: Vec::new(),
        };
        rig.happen(Event::Started);
        rig.happen(Event::Prepared(Generation(1), policy(pools)));
        rig.settle();
        rig
    }

    fn happen(&mut self, event: Event) {
        self.now += Duration::from_millis(1);
        let moment = Moment {
            now: self.now,
            chance: 0,
        };
        for action in self.state.handle(event, moment) {
            if let Action::Spawn {
                worker,
                pool,
                slot,
                generation,
                ..
            } = &action
            {
                let before = self.said.iter().filter(|one| matches!(one, Action::Spawn { pool: other, slot: taken, worker, .. } if other == pool && taken == slot && self.workers.contains_key(worker)));
                assert_eq!(before.count(), 0, "a place is one worker's");
                self.workers.insert(*worker, (*pool, generation.0));
            }
            self.said.push(action);
        }
    }

    /// Everybody becomes ready, or ends when told to, until nothing happens any more.
    fn settle(&mut self) {
        for _ in 0..50 {
            for id in self.workers.keys().copied().collect::<Vec<_>>() {
                self.happen(Event::Ready(id));
            }
            self.bury();
        }
    }

    /// Who was told to end does.
    fn bury(&mut self) {
        for id in self.workers.keys().copied().collect::<Vec<_>>() {
            if self.told(id).is_some() {
                self.workers.remove(&id);
                self.happen(Event::Exited(id, Ended::Code(0).into()));
            }
        }
    }

    fn told(&self, id: WorkerId) -> Option<Order> {
        self.said.iter().find_map(|action| match action {
            Action::Order(worker, order) if *worker == id => Some(*order),
            _ => None,
        })
    }

    /// The generations that a pool's workers run.
    fn runs(&self, pool: u32) -> Vec<u32> {
        let own = self.workers.values().filter(|(one, _)| one.0 == pool);
        own.map(|(_, generation)| *generation).collect()
    }

    /// The last so many that were started.
    fn newest(&self, count: usize) -> Vec<WorkerId> {
        self.workers
            .keys()
            .rev()
            .take(count)
            .rev()
            .copied()
            .collect()
    }

    fn heard(&self, is_it: impl Fn(&Note) -> bool) -> bool {
        let notes = self.said.iter();
        notes
            .into_iter()
            .any(|one| matches!(one, Action::Tell(note) if is_it(note)))
    }
}

fn policy(pools: &[u32]) -> Policy {
    let pools = pools.iter().enumerate();
    let pools = pools.filter(|(_, workers)| **workers > 0);
    Policy {
        workers: pools
            .map(|(at, workers)| (PoolId(u32::try_from(at).unwrap()), *workers))
            .collect(),
        max_workers: MAX,
        worker_timeout: TIMEOUT,
        boot_timeout: BOOT,
        graceful_timeout: GRACEFUL,
        drain_delay: Duration::ZERO,
        limits: LIMITS,
        gates: Gates::default(),
    }
}

#[test]
fn each_pool_has_its_own_number_of_workers() {
    let mut rig = Rig::of(&[2, 1, 3]);
    assert_eq!([0, 1, 2].map(|pool| rig.runs(pool).len()), [2, 1, 3]);
    assert!(rig.heard(|note| matches!(note, Note::Up { workers: 6, .. })));
    rig.happen(Event::More);
    rig.settle();
    assert_eq!([0, 1, 2].map(|pool| rig.runs(pool).len()), [3, 1, 3]);
    // Nobody can be asked for more workers of a pool that is not there.
    for (pool, workers) in [(1, 2), (2, 1), (7, 4)] {
        rig.happen(Event::Scale(Some(PoolId(pool)), workers));
    }
    rig.settle();
    assert_eq!([0, 1, 2, 7].map(|pool| rig.runs(pool).len()), [3, 2, 1, 0]);
    for (pool, workers) in [(1, 1), (2, 3)] {
        rig.happen(Event::Scale(Some(PoolId(pool)), workers));
    }
    rig.settle();
    rig.happen(Event::Rest);
    rig.settle();
    assert!(rig.workers.is_empty());
    rig.happen(Event::Reload);
    rig.settle();
    assert_eq!([0, 1, 2].map(|pool| rig.runs(pool).len()), [3, 1, 3]);
}

#[test]
fn a_reload_rolls_once_the_first_worker_of_each_pool_is_ready() {
    let mut rig = Rig::of(&[2, 1]);
    rig.happen(Event::Reload);
    rig.happen(Event::Prepared(Generation(2), policy(&[2, 1])));
    let canaries = rig.newest(2);
    rig.happen(Event::Ready(canaries[0]));
    assert_eq!((rig.runs(0), rig.runs(1)), (vec![1, 1, 2], vec![1, 2]));
    assert!(rig.workers.keys().all(|id| rig.told(*id).is_none()));
    rig.happen(Event::Ready(canaries[1]));
    rig.settle();
    assert_eq!((rig.runs(0), rig.runs(1)), (vec![2, 2], vec![2]));
    let generation = Generation(2);
    assert!(rig.heard(|note| *note == Note::Reloaded { generation }));
}

#[test]
fn a_pool_that_cannot_boot_takes_the_whole_reload_back() {
    let mut rig = Rig::of(&[2, 1]);
    rig.happen(Event::Reload);
    rig.happen(Event::Prepared(Generation(2), policy(&[2, 1])));
    let [good, bad] = rig.newest(2)[..] else {
        panic!("expected two canaries")
    };
    rig.happen(Event::Ready(good));
    rig.workers.remove(&bad);
    rig.happen(Event::Exited(bad, Ended::Code(4).into()));
    assert_eq!(rig.told(good), Some(Order::Retire));
    rig.settle();
    assert_eq!((rig.runs(0), rig.runs(1)), (vec![1, 1], vec![1]));
    assert!(rig.heard(|note| matches!(note, Note::ReloadFailed { .. })));
}

#[test]
fn one_application_rolls_its_own_pool_and_a_later_worker_elsewhere_has_the_newest() {
    let mut rig = Rig::of(&[2, 1]);
    rig.happen(Event::ReloadApp("shop".to_owned()));
    let (generation, pool) = (Generation(2), PoolId(1));
    rig.happen(Event::PreparedOne(generation, policy(&[2, 1]), pool));
    rig.settle();
    assert_eq!((rig.runs(0), rig.runs(1)), (vec![1, 1], vec![2]));
    let first = *rig.workers.keys().next().unwrap();
    rig.workers.remove(&first);
    rig.happen(Event::Exited(first, Ended::Code(9).into()));
    rig.now += Duration::from_secs(60);
    rig.settle();
    assert_eq!((rig.runs(0), rig.runs(1)), (vec![1, 2], vec![2]));
}

#[test]
fn pools_come_and_go_with_the_configuration() {
    let mut rig = Rig::of(&[1, 2]);
    rig.happen(Event::Reload);
    rig.happen(Event::Prepared(Generation(2), policy(&[1, 0, 3])));
    rig.settle();
    assert_eq!([0, 1, 2].map(|pool| rig.runs(pool).len()), [1, 0, 3]);
    rig.happen(Event::Reload);
    rig.happen(Event::Prepared(Generation(3), policy(&[0, 1])));
    rig.settle();
    assert_eq!([0, 1, 2].map(|pool| rig.runs(pool).len()), [0, 1, 0]);
}

#[test]
fn a_pool_that_never_comes_up_ends_the_server() {
    let mut rig = Rig {
        state: State::new(policy(&[1, 1])),
        now: Duration::from_millis(1),
        workers: BTreeMap::new(),
        said: Vec::new(),
    };
    rig.happen(Event::Started);
    rig.happen(Event::Prepared(Generation(1), policy(&[1, 1])));
    let [good, bad] = rig.newest(2)[..] else {
        panic!("expected two workers")
    };
    rig.happen(Event::Ready(good));
    rig.workers.remove(&bad);
    rig.happen(Event::Exited(bad, Ended::Code(3).into()));
    rig.bury();
    assert!(rig.said.contains(&Action::Exit(3)), "{:?}", rig.said);
}
