//! Scenes from upgrades: a new program is checked, becomes the server, or does not.

use nix::sys::signal::Signal;

use super::{BOOT, World};
use crate::arbiter::event::{Event, Generation, Haste, Note};
use crate::arbiter::roster::LAST_GRACE;
use crate::orders::Order;
use crate::os::process::Ended;

impl World {
    /// Why upgrades were called off.
    fn refusals(&self) -> Vec<&str> {
        let reasons = self.notes.iter().filter_map(|note| match note {
            Note::UpgradeFailed { reason } => Some(reason.as_str()),
            _ => None,
        });
        reasons.collect()
    }
}

#[test]
fn a_new_program_is_checked_and_takes_over_all_workers_which_it_replaces_one_by_one() {
    let mut world = World::serving(3);
    world.happen(Event::More);
    world.all_ready();
    world.happen(Event::Upgrade);
    assert!(world.check.is_some());
    assert_eq!(
        world.generations(),
        [1; 4],
        "the check starts its own worker"
    );
    world.succeed();
    assert_eq!(
        world.generations(),
        [1, 1, 1, 1, 2],
        "what signals changed stays"
    );
    world.all_ready();
    assert_eq!(world.generations(), [1, 1, 1, 2, 2]);
    for _ in 0..4 {
        world.all_ready();
        world.leave();
    }
    assert_eq!(world.generations(), [2; 4]);
    let (upgraded, reloaded) = (
        Note::Upgraded { workers: 4 },
        Note::Reloaded {
            generation: Generation(2),
        },
    );
    assert!(world.notes.contains(&upgraded) && world.notes.contains(&reloaded));
}

#[test]
fn a_number_of_workers_that_the_new_configuration_says_wins_over_signals() {
    let mut world = World::serving(2);
    world.happen(Event::More);
    world.all_ready();
    world.happen(Event::Upgrade);
    world.configure(1);
    world.succeed();
    for _ in 0..4 {
        world.all_ready();
        world.leave();
    }
    assert_eq!(world.generations(), [2]);
}

#[test]
fn a_check_that_fails_changes_nothing_and_its_words_are_told() {
    let mut world = World::serving(2);
    let before = world.ids();
    world.happen(Event::Upgrade);
    world.happen(Event::CheckFailed("no database".into()));
    world.happen(Event::CheckEnded(Ended::Code(1)));
    world.happen(Event::Upgrade);
    world.happen(Event::CheckEnded(Ended::Code(127)));
    world.happen(Event::Upgrade);
    world.happen(Event::CheckRefused("gatewayd: no such file".into()));
    let refusals = world.refusals();
    assert!(
        refusals[0].starts_with("no database; the upgrade is off"),
        "{refusals:?}"
    );
    assert!(
        refusals[1].contains("could not be executed"),
        "{refusals:?}"
    );
    assert!(refusals[2].contains("no such file"), "{refusals:?}");
    assert_eq!(world.ids(), before);
}

#[test]
fn a_master_that_cannot_become_the_new_program_goes_on_and_ends_the_check() {
    let mut world = World::serving(1);
    world.happen(Event::Upgrade);
    world.happen(Event::CheckPassed);
    world.happen(Event::StillHere("not enough memory".into()));
    assert!(world.check.unwrap().told);
    world.happen(Event::CheckEnded(Ended::Code(0)));
    assert_eq!(world.refusals().len(), 1, "told once");
    world.happen(Event::Upgrade);
    world.succeed();
    world.all_ready();
    assert_eq!(world.generations(), [3]);
}

#[test]
fn a_check_that_hangs_is_told_to_end_and_then_killed() {
    let mut world = World::serving(1);
    world.happen(Event::Upgrade);
    world.pass(BOOT + LAST_GRACE * 2, |_| true);
    assert!(
        world.refusals()[0].contains("was not ready 60 s"),
        "{:?}",
        world.notes
    );
    // Too late.
    world.happen(Event::CheckPassed);
    assert_eq!(world.became, None);
    world.pass(LAST_GRACE, |_| true);
    assert!(world.check.unwrap().killed);
    world.happen(Event::CheckEnded(Ended::Signal(Signal::SIGKILL)));
    assert_eq!(world.refusals().len(), 1, "told once");
}

#[test]
fn an_upgrade_waits_for_a_reload_and_a_reload_for_an_upgrade() {
    let mut world = World::serving(1);
    world.happen(Event::Reload);
    world.happen(Event::Upgrade);
    world.happen(Event::Upgrade);
    assert!(world.check.is_none() && world.notes.contains(&Note::UpgradeLater));
    world.copied();
    world.all_ready();
    assert!(world.check.is_none(), "the old worker may still accept");
    world.happen(Event::Retired(world.ids()[0]));
    assert!(world.check.is_some(), "the reload is done");
    world.happen(Event::Reload);
    world.happen(Event::Reload);
    assert!(world.pending_copies.is_empty());
    world.leave();
    world.succeed();
    world.all_ready();
    world.leave();
    assert_eq!(
        world.pending_copies,
        [Generation(4)],
        "remembered by the successor, once"
    );
    world.copied();
    world.all_ready();
    assert_eq!(world.generations(), [4]);
    assert!(world.pending_copies.is_empty() && world.check.is_none());
}

#[test]
fn a_reload_that_waited_for_a_failed_upgrade_is_done() {
    let mut world = World::serving(1);
    world.happen(Event::Upgrade);
    world.happen(Event::Reload);
    world.happen(Event::CheckEnded(Ended::Code(2)));
    assert_eq!(world.pending_copies.len(), 1);
}

#[test]
fn a_stop_calls_an_upgrade_off_and_waits_for_the_check_to_end() {
    let mut world = World::serving(1);
    world.happen(Event::Upgrade);
    world.happen(Event::Stop(Haste::Graceful));
    assert!(world.check.unwrap().told);
    world.happen(Event::CheckPassed);
    assert_eq!(world.became, None);
    world.leave();
    assert_eq!(world.exit, None, "a child is left");
    world.happen(Event::CheckEnded(Ended::Code(0)));
    assert_eq!(world.exit, Some(0));
    assert!(world.refusals().is_empty());
}

#[test]
fn workers_that_drain_go_on_draining_under_the_successor() {
    let mut world = World::serving(2);
    world.happen(Event::Fewer);
    let leaver = world.ids()[1];
    assert_eq!(world.workers[&leaver].told, Some(Order::Retire));
    world.happen(Event::Upgrade);
    world.succeed();
    world.pass(super::GRACEFUL, |_| true);
    assert_eq!(world.workers[&leaver].told, Some(Order::StopNow));
}
