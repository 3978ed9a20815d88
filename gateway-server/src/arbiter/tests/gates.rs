//! Hooks that decide whether something goes on.

use std::time::Duration;

use nix::sys::signal::Signal;

use super::World;
use crate::arbiter::event::{Event, Gate, Gates, Generation, Haste, Note};
use crate::orders::Order;
use crate::os::process::Ended;

fn gated() -> World {
    let mut world = World::leaving_slowly(2, Duration::ZERO);
    let gates = Gates {
        boot: true,
        ready: true,
        within: Duration::from_secs(30),
    };
    world.restart(gates);
    assert_eq!(world.asked, [Gate::Boot]);
    world
}

fn serving() -> World {
    let mut world = gated();
    world.happen(Event::HookEnded(Gate::Boot, Ok(())));
    world.copied();
    world.all_ready();
    assert!(
        !world
            .notes
            .iter()
            .any(|note| matches!(note, Note::Up { .. }))
    );
    assert_eq!(world.asked.last(), Some(&Gate::Ready(Generation(1))));
    world.happen(Event::HookEnded(Gate::Ready(Generation(1)), Ok(())));
    let up = |note: &&Note| matches!(note, Note::Up { .. });
    assert_eq!(world.notes.iter().filter(up).count(), 1);
    assert_eq!(world.asked.len(), 2, "each is asked once");
    world
}

#[test]
fn nothing_starts_before_the_boot_hook_has_said_yes() {
    let mut world = gated();
    assert!(world.workers.is_empty() && world.pending_copies.is_empty());
    world.happen(Event::HookEnded(Gate::Boot, Err("no".into())));
    assert_eq!(world.exit, Some(1));
}

#[test]
fn a_server_whose_ready_hook_fails_ends() {
    let mut world = gated();
    world.happen(Event::HookEnded(Gate::Boot, Ok(())));
    world.copied();
    world.all_ready();
    let no = Err("hook ready exited with code 1".to_owned());
    world.happen(Event::HookEnded(Gate::Ready(Generation(1)), no));
    world.settle();
    assert_eq!(world.exit, Some(1));
    let reason = "hook ready exited with code 1".to_owned();
    assert!(world.notes.contains(&Note::CannotStart { reason }));
}

#[test]
fn a_reload_rolls_once_its_first_worker_has_been_found_good() {
    let mut world = serving();
    world.happen(Event::Reload);
    world.copied();
    world.all_ready();
    let gate = Gate::Ready(Generation(2));
    assert_eq!(world.asked.last(), Some(&gate));
    assert_eq!(world.generations(), [1, 1, 2], "nobody retires meanwhile");
    world.happen(Event::HookEnded(gate, Ok(())));
    world.settle();
    assert_eq!(world.generations(), [2, 2]);
}

#[test]
fn a_reload_whose_hook_fails_or_whose_first_worker_dies_is_off() {
    for dies in [false, true] {
        let mut world = serving();
        world.happen(Event::Reload);
        world.copied();
        world.all_ready();
        let canary = *world.ids().last().unwrap();
        let gate = Gate::Ready(Generation(2));
        if dies {
            world.happen(Event::Exited(canary, Ended::Signal(Signal::SIGSEGV).into()));
            // It comes too late to matter.
            world.happen(Event::HookEnded(gate, Ok(())));
        } else {
            world.happen(Event::HookEnded(gate, Err("no".into())));
            assert_eq!(world.workers[&canary].told, Some(Order::Retire));
        }
        assert_eq!(world.generations(), [1, 1]);
        let failed = |note: &Note| matches!(note, Note::ReloadFailed { .. });
        assert!(world.notes.iter().any(failed));
        // The next one is as good as the first.
        world.settle();
        world.happen(Event::Reload);
        world.copied();
        world.all_ready();
        world.happen(Event::HookEnded(Gate::Ready(Generation(3)), Ok(())));
        world.settle();
        assert_eq!(world.generations(), [3, 3]);
    }
}

#[test]
fn whoever_stops_waits_for_no_answer() {
    let mut world = serving();
    world.happen(Event::Reload);
    world.copied();
    world.all_ready();
    world.happen(Event::Stop(Haste::Graceful));
    world.settle();
    assert_eq!(world.exit, Some(0));
    let mut world = gated();
    world.happen(Event::Stop(Haste::Graceful));
    assert_eq!(world.exit, Some(0));
}
