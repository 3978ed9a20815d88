//! What an operator asks for while the server runs: another generation, another program. One at a time;
//! what is asked for meanwhile follows, once.

use std::time::Duration;

use super::{CANNOT_LOAD, Proof, Reload, State};
use crate::arbiter::event::{Action, Generation, Note, Policy};
use crate::arbiter::roster::LAST_GRACE;

impl State {
    pub(super) fn prepare(&mut self, out: &mut Vec<Action>) {
        self.last_generation.0 += 1;
        if self.current.is_some() {
            out.push(Action::Tell(Note::Reloading {
                generation: self.last_generation,
            }));
        }
        self.reload = Reload::Preparing(self.last_generation);
        out.push(Action::Prepare(self.last_generation));
    }

    pub(super) fn prepared(
        &mut self,
        generation: Generation,
        policy: Policy,
        now: Duration,
        out: &mut Vec<Action>,
    ) {
        if self.is_ending() || self.reload != Reload::Preparing(generation) {
            return out.push(Action::Forget(generation));
        }
        self.next_policy = policy;
        if self.current.is_some() {
            let canary = self.spawn(generation, now, out);
            self.reload = Reload::Canary(generation, canary);
        } else {
            self.current = Some(generation);
            self.reload = Reload::None;
        }
    }

    pub(super) fn prepare_failed(
        &mut self,
        generation: Generation,
        reason: String,
        now: Duration,
        out: &mut Vec<Action>,
    ) {
        if self.is_ending() || self.reload != Reload::Preparing(generation) {
            return;
        }
        if self.current.is_none() {
            return self.give_up(reason, CANNOT_LOAD, now, out);
        }
        self.reload_failed(generation, &reason, out);
    }

    pub(super) fn ask_reload(&mut self, out: &mut Vec<Action>) {
        if self.is_ending() {
            return;
        }
        out.push(Action::ReopenLogs);
        if let Some(before) = self.rested {
            self.scale(before, out);
        }
        if self.is_free() {
            self.prepare(out);
        } else if !self.reload_again {
            self.reload_again = true;
            out.push(Action::Tell(Note::ReloadLater));
        }
    }

    pub(super) fn reload_failed(
        &mut self,
        generation: Generation,
        reason: &str,
        out: &mut Vec<Action>,
    ) {
        let reason = format!("{reason}; the reload is off, the running generation goes on");
        out.push(Action::Tell(Note::ReloadFailed { reason }));
        out.push(Action::Forget(generation));
        self.reload = Reload::None;
    }

    pub(super) fn finish_reload(&mut self, out: &mut Vec<Action>) {
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
    }

    /// Whether another operation may begin.
    pub(super) fn is_free(&self) -> bool {
        let proving = self.proof == Proof::Sought;
        !proving && self.reload == Reload::None && !self.upgrade.is_busy() && self.current.is_some()
    }

    pub(super) fn ask_upgrade(&mut self, now: Duration, out: &mut Vec<Action>) {
        if self.is_ending() {
            return;
        }
        if self.is_free() && self.ever_ready {
            self.check(now, out);
        } else if !self.upgrade_again {
            self.upgrade_again = true;
            out.push(Action::Tell(Note::UpgradeLater));
        }
    }

    pub(super) fn check(&mut self, now: Duration, out: &mut Vec<Action>) {
        self.last_generation.0 += 1;
        let generation = self.last_generation;
        out.push(Action::Tell(Note::Upgrading { generation }));
        // The new program watches over its first worker by the same timeout, and has better words.
        let within = self.policy.boot_timeout + self.policy.gates.within;
        let deadline = now + within + LAST_GRACE * 2;
        out.push(self.upgrade.begin(generation, deadline));
    }

    /// Begins what was asked for while something else ran.
    pub(super) fn go_on(&mut self, now: Duration, out: &mut Vec<Action>) {
        if self.is_free() && self.ever_ready && std::mem::take(&mut self.upgrade_again) {
            self.check(now, out);
        }
        if self.is_free() && std::mem::take(&mut self.reload_again) {
            self.prepare(out);
        }
    }

    pub(super) fn upgrade_failed(reason: &str, out: &mut Vec<Action>) {
        let reason = format!("{reason}; the upgrade is off, the running program goes on");
        out.push(Action::Tell(Note::UpgradeFailed { reason }));
    }
}
