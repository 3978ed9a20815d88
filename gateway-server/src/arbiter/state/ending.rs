//! The end of the server.

use std::time::Duration;

use super::{Reload, State};
use crate::arbiter::event::{Action, Haste, Note};
use crate::arbiter::wanted::Wanted;
use crate::orders::Order;

impl State {
    /// Whether an operator has asked for the end, or there is no way to serve.
    pub(super) fn is_ending(&self) -> bool {
        self.leaving.is_some() || self.stopping.is_some()
    }

    pub(super) fn stop(&mut self, haste: Haste, now: Duration, out: &mut Vec<Action>) {
        if self.is_ending() {
            out.push(Action::Tell(Note::StoppingNow));
            if self.stopping.is_none() {
                self.end(Order::StopNow, 0, now, out);
            }
            self.upgrade.kill(out);
            return self.workers.kill_all(out);
        }
        match haste {
            Haste::Graceful if self.policy.drain_delay.is_zero() => self.finish(now, out),
            Haste::Graceful => self.leave(now, out),
            Haste::Quick => {
                out.push(Action::Tell(Note::Stopping(Haste::Quick)));
                self.end(Order::StopNow, 0, now, out);
            }
        }
    }

    /// Everybody is told, and served on for a while.
    pub(super) fn leave(&mut self, now: Duration, out: &mut Vec<Action>) {
        let after = self.policy.drain_delay;
        out.push(Action::Tell(Note::Leaving { after }));
        self.leaving = Some(now + after);
        (self.reload_again, self.upgrade_again) = (Wanted::default(), false);
        self.upgrade.dismiss(now, out);
        if let Reload::Canary(generation, canaries) | Reload::Proving(generation, canaries) =
            self.reload.clone()
        {
            for canary in canaries {
                self.workers.order(canary, Order::StopNow, now, out);
            }
            out.push(Action::Forget(generation));
            self.reload = Reload::None;
        }
        let ready = self.workers.iter().filter(|(_, worker)| worker.is_ready());
        out.extend(ready.map(|(id, _)| Action::Order(id, Order::Announce)));
    }

    /// What has begun is finished, and no more is begun.
    pub(super) fn finish(&mut self, now: Duration, out: &mut Vec<Action>) {
        out.push(Action::Tell(Note::Stopping(Haste::Graceful)));
        self.end(Order::Shutdown, 0, now, out);
    }

    pub(super) fn give_up(
        &mut self,
        reason: String,
        code: u8,
        now: Duration,
        out: &mut Vec<Action>,
    ) {
        out.push(Action::Tell(Note::CannotStart { reason }));
        self.end(Order::StopNow, code, now, out);
    }

    pub(super) fn end(&mut self, order: Order, code: u8, now: Duration, out: &mut Vec<Action>) {
        self.leaving = None;
        self.stopping = Some(code);
        self.upgrade.dismiss(now, out);
        out.push(Action::CloseListeners);
        self.workers.order_all(order, now, out);
    }
}
