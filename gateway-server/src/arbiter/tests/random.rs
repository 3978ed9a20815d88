//! Random sequences of events, under which the arbiter's promises must hold.

use std::time::Duration;

use nix::sys::signal::Signal;
use proptest::prelude::*;

use super::{GRACEFUL, MAX, World};
use crate::arbiter::event::{Event, Haste, WorkerId};
use crate::arbiter::recycling::Usage;
use crate::arbiter::roster::LAST_GRACE;
use crate::os::process::Ended;
use crate::value::ByteCount;

/// What may befall a server.
#[derive(Clone, Debug)]
enum Fate {
    Pass(u16),
    Pause(u16),
    Copied,
    CopyFailed,
    Ready(prop::sample::Index),
    Dies(prop::sample::Index, i32),
    Used(prop::sample::Index, u64, u64),
    Leave,
    Retired(prop::sample::Index),
    Reload,
    Configure(u32),
    More,
    Fewer,
    Rest,
    Scale(u32),
    Replace(prop::sample::Index),
    End(prop::sample::Index),
    SpawnFailed(prop::sample::Index),
    Upgrade,
    CheckRefused,
    CheckPassed,
    StillHere,
    CheckEnded,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => (0..5000u16).prop_map(Fate::Pass),
        1 => (0..60_000u16).prop_map(Fate::Pause),
        4 => Just(Fate::Copied),
        1 => Just(Fate::CopyFailed),
        8 => any::<prop::sample::Index>().prop_map(Fate::Ready),
        3 => (any::<prop::sample::Index>(), 0..5).prop_map(|(one, code)| Fate::Dies(one, code)),
        3 => (any::<prop::sample::Index>(), 0..1500u64, 0..2u64 << 30)
            .prop_map(|(one, requests, memory)| Fate::Used(one, requests, memory)),
        4 => Just(Fate::Leave),
        2 => any::<prop::sample::Index>().prop_map(Fate::Retired),
        3 => Just(Fate::Reload),
        1 => (1..MAX).prop_map(Fate::Configure),
        1 => Just(Fate::More),
        1 => Just(Fate::Fewer),
        1 => Just(Fate::Rest),
        1 => (1..MAX).prop_map(Fate::Scale),
        1 => any::<prop::sample::Index>().prop_map(Fate::Replace),
        1 => any::<prop::sample::Index>().prop_map(Fate::End),
        1 => any::<prop::sample::Index>().prop_map(Fate::SpawnFailed),
        2 => Just(Fate::Upgrade),
        1 => Just(Fate::CheckRefused),
        3 => Just(Fate::CheckPassed),
        1 => Just(Fate::StillHere),
        2 => Just(Fate::CheckEnded),
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
                    self.happen(Event::PrepareFailed(generation, "gone".into()));
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
                    self.happen(Event::Exited(id, Ended::Code(code).into()));
                }
            }
            Fate::Used(index, requests, memory) => {
                if let Some(id) = pick(index) {
                    let memory = ByteCount(memory);
                    self.happen(Event::Used(id, Usage { requests, memory }));
                }
            }
            Fate::Leave => self.leave(),
            // A hostile worker says so at any time.
            Fate::Retired(index) => {
                if let Some(id) = pick(index) {
                    self.happen(Event::Retired(id));
                }
            }
            Fate::Reload => self.happen(Event::Reload),
            Fate::Configure(workers) => {
                self.configure(workers);
                self.happen(Event::Reload);
            }
            Fate::More => self.happen(Event::More),
            Fate::Fewer => self.happen(Event::Fewer),
            Fate::Rest => self.happen(Event::Rest),
            Fate::Scale(workers) => self.happen(Event::Scale(None, workers)),
            Fate::Replace(index) => {
                if let Some(id) = pick(index) {
                    self.happen(Event::Replace(id));
                }
            }
            Fate::End(index) => {
                if let Some(id) = pick(index) {
                    self.happen(Event::End(id));
                }
            }
            Fate::Upgrade => self.happen(Event::Upgrade),
            Fate::CheckPassed if self.check.is_some() => self.succeed(),
            Fate::StillHere if self.check.is_some_and(|check| !check.told) => {
                self.happen(Event::CheckPassed);
                self.became = None;
                self.happen(Event::StillHere("no memory".into()));
            }
            Fate::CheckRefused if self.check.is_some_and(|check| !check.told) => {
                self.happen(Event::CheckRefused("gone".into()));
            }
            Fate::CheckEnded if self.check.is_some() => {
                self.happen(Event::CheckEnded(Ended::Code(1)));
            }
            Fate::CheckPassed | Fate::StillHere | Fate::CheckRefused | Fate::CheckEnded => {}
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
        delay in prop_oneof![Just(0u64), 1..20u64].prop_map(Duration::from_secs),
        fates in prop::collection::vec(fate(), 0..120),
        haste in prop_oneof![Just(Haste::Graceful), Just(Haste::Quick)],
    ) {
        let mut world = World::leaving_slowly(workers, delay);
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
            for _ in 0..20 {
                if world.exit.is_some() {
                    break;
                }
                world.pass(GRACEFUL / 4, |_| true);
                if world.exit.is_none() && world.check.is_some_and(|check| check.killed) {
                    world.happen(Event::CheckEnded(Ended::Signal(Signal::SIGKILL)));
                }
                for id in world.ids() {
                    if world.exit.is_none() && world.workers[&id].killed {
                        world.happen(Event::Exited(id, Ended::Signal(Signal::SIGKILL).into()));
                    }
                }
            }
            prop_assert!(world.exit.is_some());
            prop_assert!(world.now - before <= delay + GRACEFUL + LAST_GRACE + GRACEFUL / 4);
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
            world.befall(Fate::CheckEnded);
            world.pass(Duration::from_secs(1), |_| true);
        }
        prop_assert_eq!(world.serving_count(), world.target);
        let newest = world.workers.values().map(|worker| worker.generation).max();
        prop_assert!(world.workers.values().all(|worker| Some(worker.generation) == newest));
        prop_assert_eq!(world.copies.len(), 1, "old copies are given up");
    }
}
