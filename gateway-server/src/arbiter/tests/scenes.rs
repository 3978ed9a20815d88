//! Scenes from a server's life, one by one.

use std::collections::BTreeSet;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::{BOOT, GRACEFUL, LIMITS, MAX, TIMEOUT, World};
use crate::arbiter::backoff::LONGEST_PAUSE;
use crate::arbiter::event::{Event, Generation, Haste, Note, PoolId, Scope, WorkerId};
use crate::arbiter::recycling::Usage;
use crate::arbiter::roster::{LAST_GRACE, RETIRING, TICK};
use crate::arbiter::state::CANNOT_LOAD;
use crate::orders::Order;
use crate::os::process::Ended;
use crate::value::ByteCount;

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
    world.happen(Event::PrepareFailed(
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
        world.happen(Event::Exited(first, ended.into()));
        assert_eq!(world.exit, None, "the other worker is waited for");
        world.happen(Event::Exited(second, Ended::Code(0).into()));
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
    world.happen(Event::Exited(first, Ended::Signal(Signal::SIGKILL).into()));
    assert_eq!(
        world.workers.len(),
        2,
        "a worker that had served long is replaced at once"
    );
    let mut pauses = Vec::new();
    for _ in 0..9 {
        let booting = world.ids()[1];
        world.happen(Event::Exited(booting, Ended::Code(3).into()));
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
    assert_eq!(world.copies, BTreeSet::from([Generation(2)]));
    for old in &world.ids()[..3] {
        assert!(!world.has_rolled(2), "{old:?} may still accept");
        world.happen(Event::Retired(*old));
    }
    assert!(world.has_rolled(2), "though nobody has gone");
}

#[test]
fn a_worker_that_cannot_say_that_it_accepts_no_more_holds_a_reload_up_for_a_while() {
    let mut world = World::serving(1);
    world.happen(Event::Reload);
    world.copied();
    world.all_ready();
    assert_eq!(world.generations(), [2]);
    world.pass(RETIRING - Duration::from_millis(1), |_| true);
    assert!(!world.has_rolled(2));
    world.pass(Duration::from_millis(1), |_| true);
    assert!(world.has_rolled(2));
    assert_eq!(world.workers.len(), 2, "it has its time to finish");
    // Its word comes late, and means nothing any more.
    world.happen(Event::Retired(world.ids()[0]));
    world.pass(GRACEFUL - RETIRING, |_| true);
    assert_eq!(
        world.workers.values().next().unwrap().told,
        Some(Order::StopNow)
    );
}

#[test]
fn a_worker_that_is_gone_accepts_no_more() {
    let mut world = World::serving(1);
    world.happen(Event::Reload);
    world.copied();
    world.all_ready();
    world.leave();
    assert!(world.has_rolled(2));
}

#[test]
fn a_canary_that_cannot_boot_leaves_the_old_generation_alone() {
    let mut world = World::serving(2);
    world.happen(Event::Reload);
    world.copied();
    let canary = world.ids()[2];
    world.happen(Event::Failed(canary, "app.so: no symbol".into()));
    world.happen(Event::Exited(canary, Ended::Code(4).into()));
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

fn spend(world: &mut World, id: WorkerId, requests: u64, memory: u64) {
    let memory = ByteCount(memory);
    world.happen(Event::Used(id, Usage { requests, memory }));
}

#[test]
fn a_worker_at_its_limit_serves_until_its_replacement_is_ready() {
    let mut world = World::serving(2);
    let [first, second] = world.ids()[..] else {
        panic!()
    };
    spend(&mut world, first, 499, 0);
    assert_eq!(world.workers.len(), 2);
    spend(&mut world, first, 500, 0);
    assert_eq!(world.workers.len(), 3);
    assert_eq!(world.workers[&first].told, None);
    // It cannot start at first: the old one serves all the while.
    let replacement = world.ids()[2];
    world.happen(Event::Exited(replacement, Ended::Code(3).into()));
    assert_eq!(world.serving_count(), 2);
    world.pass(Duration::from_secs(1), |_| true);
    world.all_ready();
    assert_eq!(world.workers[&first].told, Some(Order::Retire));
    assert_eq!(world.workers[&second].told, None);
    assert_eq!(world.serving_count(), 2);
}

#[test]
fn a_worker_whose_application_asks_for_the_end_is_replaced_at_once_and_has_its_time_to_finish() {
    let mut world = World::serving(1);
    world.pass(Duration::from_secs(6), |_| true);
    let first = world.ids()[0];
    world.happen(Event::Retired(first));
    assert_eq!(world.workers.len(), 2);
    world.all_ready();
    assert_eq!(world.workers[&first].told, Some(Order::Retire));
    world.pass(GRACEFUL, |_| true);
    assert_eq!(world.workers[&first].told, Some(Order::StopNow));
}

#[test]
fn an_application_that_asks_for_the_end_at_every_start_is_not_started_without_end() {
    let mut world = World::serving(1);
    for _ in 0..60 {
        for id in world.ids() {
            world.happen(Event::Retired(id));
        }
        world.pass(Duration::from_secs(1), |_| true);
        world.all_ready();
        world.leave();
    }
    let last = world.ids().last().unwrap().0;
    assert!(last < 20, "{last} workers in a minute");
}

#[test]
fn workers_at_their_limits_are_replaced_a_few_at_a_time() {
    let mut world = World::serving(4);
    for id in world.ids() {
        spend(&mut world, id, 1000, 0);
    }
    for round in 0..4 {
        assert_eq!(world.workers.len(), 5, "round {round}");
        world.all_ready();
        world.leave();
    }
    assert_eq!(world.ids(), [5, 6, 7, 8].map(WorkerId));
    // Nobody is replaced while as many as there are to be still finish what they have.
    for id in world.ids() {
        spend(&mut world, id, 1000, 0);
    }
    for _ in 0..10 {
        world.all_ready();
    }
    let draining = world.workers.values().filter(|one| one.told.is_some());
    assert_eq!(draining.count(), 4);
}

#[test]
fn age_and_chance_spread_the_replacements() {
    let mut world = World::new(2);
    world.copied();
    for (id, chance) in world.ids().into_iter().zip([0, u32::MAX]) {
        world.chance = chance;
        world.happen(Event::Ready(id));
    }
    let half = LIMITS.age / 2;
    world.now += half;
    world.happen(Event::Tick);
    for id in world.ids() {
        spend(&mut world, id, 0, 0);
    }
    let spent = |note: &&Note| matches!(note, Note::WorkerSpent { .. });
    assert_eq!(world.notes.iter().filter(spent).count(), 1);
}

#[test]
fn a_memory_limit_below_what_a_worker_needs_does_not_replace_without_end() {
    let mut world = World::serving(1);
    let before = world.workers.len() + 60;
    for _ in 0..60 {
        for id in world.ids() {
            spend(&mut world, id, 0, 2 << 30);
        }
        world.pass(Duration::from_secs(1), |_| true);
        world.all_ready();
        world.leave();
    }
    let last = world.ids().last().unwrap().0;
    assert!((5..20).contains(&last), "{last} of {before}");
    assert!(
        world
            .notes
            .iter()
            .any(|note| matches!(note, Note::Hungry { .. }))
    );
}

#[test]
fn workers_that_rest_come_back_with_a_reload_or_one_by_one() {
    let mut world = World::serving(2);
    world.happen(Event::Rest);
    world.happen(Event::Rest);
    world.happen(Event::Fewer);
    world.assert_all_told(Order::Retire);
    world.leave();
    world.pass(BOOT, |_| true);
    assert_eq!(world.workers.len(), 0);
    world.happen(Event::More);
    world.all_ready();
    assert_eq!(world.serving_count(), 1);
    world.happen(Event::More);
    world.all_ready();
    world.happen(Event::Rest);
    world.leave();
    assert_eq!(world.reopened, 0);
    world.happen(Event::Reload);
    assert_eq!(world.reopened, 1);
    world.all_ready();
    assert_eq!(world.serving_count(), 2);
    world.happen(Event::Rest);
    world.leave();
    world.happen(Event::Stop(Haste::Graceful));
    assert_eq!(world.exit, Some(0));
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
    world.assert_all_told(Order::Shutdown);
    world.pass(GRACEFUL, |_| true);
    world.assert_all_told(Order::StopNow);
    world.pass(LAST_GRACE, |_| true);
    assert!(world.workers.values().all(|worker| worker.killed));
    world.leave();
    assert_eq!(world.exit, Some(0));
}

#[test]
fn a_stop_is_announced_and_the_server_whole_until_the_delay_is_over() {
    let delay = Duration::from_secs(5);
    let mut world = World::leaving_slowly(2, delay);
    world.copied();
    world.all_ready();
    world.happen(Event::Reload);
    world.happen(Event::Stop(Haste::Graceful));
    assert!(world.workers.values().all(|worker| worker.announced));
    world.happen(Event::Prepared(Generation(2), world.policy.clone()));
    assert_eq!(world.generations(), [1, 1], "a reload has come too late");
    let lost = world.ids()[0];
    world.happen(Event::Exited(lost, Ended::Signal(Signal::SIGKILL).into()));
    world.pass(delay / 2, |_| true);
    world.all_ready();
    assert_eq!(world.serving_count(), 2, "who is lost is replaced");
    assert!(world.workers.values().all(|worker| worker.announced));
    world.pass(delay / 2, |_| true);
    world.assert_all_told(Order::Shutdown);
    world.leave();
    assert_eq!(world.exit, Some(0));
}

#[test]
fn a_machine_that_stood_still_puts_off_every_deadline() {
    let mut world = World::serving(2);
    world.happen(Event::Stop(Haste::Graceful));
    world.pass(GRACEFUL / 2, |_| true);
    world.now += GRACEFUL * 10;
    world.happen(Event::Woken);
    world.assert_all_told(Order::Shutdown);
    world.pass(GRACEFUL, |_| true);
    world.assert_all_told(Order::StopNow);
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
    let mut world = World::leaving_slowly(2, BOOT);
    world.copied();
    world.all_ready();
    world.happen(Event::Stop(Haste::Graceful));
    world.happen(Event::Stop(Haste::Graceful));
    assert!(world.workers.values().all(|worker| worker.killed));
}

#[test]
fn what_the_new_configuration_decides_holds_once_its_first_worker_is_ready() {
    let mut world = World::serving(2);
    world.configure(4);
    world.policy.boot_timeout = BOOT * 2;
    world.happen(Event::Reload);
    world.copied();
    assert_eq!(world.serving_count(), 2);
    assert!(!world.notes.contains(&Note::Target {
        pool: PoolId::MAIN,
        workers: 4
    }));
    // The new worker has the time that its own configuration allows.
    world.pass(BOOT + TICK, |_| true);
    world.happen(Event::Ready(WorkerId(3)));
    assert!(world.notes.contains(&Note::Target {
        pool: PoolId::MAIN,
        workers: 4
    }));
    world.settle();
    assert_eq!(world.generations(), [2; 4]);
    world.configure(1);
    world.happen(Event::Reload);
    world.copied();
    world.settle();
    assert_eq!(world.generations(), [3]);
}

#[test]
fn a_generation_that_fails_takes_its_configuration_along() {
    let mut world = World::serving(2);
    world.configure(4);
    world.happen(Event::Reload);
    world.copied();
    world.happen(Event::Exited(WorkerId(3), Ended::Code(3).into()));
    world.pass(BOOT, |_| true);
    assert_eq!((world.target, world.serving_count()), (2, 2));
    assert_eq!(world.generations(), [1; 2]);
}

#[test]
fn a_number_of_workers_that_was_asked_for_by_signal_stays_until_another_is_configured() {
    let mut world = World::serving(2);
    world.happen(Event::More);
    world.all_ready();
    for (configured, expected) in [(2, 3), (5, 5), (5, 5), (2, 2)] {
        world.configure(configured);
        world.happen(Event::Reload);
        world.copied();
        world.settle();
        assert_eq!((world.target, world.serving_count()), (expected, expected));
    }
}

#[test]
fn one_application_is_prepared_alone_and_what_is_asked_meanwhile_follows_once() {
    let mut world = World::serving(2);
    let reload = |name: &str| Event::ReloadApp(name.to_owned());
    let finish = |world: &mut World| {
        world.copied();
        world.settle();
    };
    world.happen(reload("shop"));
    assert_eq!(world.scopes.last(), Some(&Scope::App("shop".to_owned())));
    for event in [reload("blog"), reload("blog"), reload("admin")] {
        world.happen(event);
    }
    finish(&mut world);
    assert_eq!(world.scopes.last(), Some(&Scope::App("admin".to_owned())));
    world.happen(Event::Reload);
    finish(&mut world);
    // All of them have been asked for by that.
    assert_eq!(world.scopes.last(), Some(&Scope::Everything));
    finish(&mut world);
    assert_eq!(world.scopes.len(), 4);
}
