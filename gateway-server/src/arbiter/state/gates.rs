//! What waits for a hook to say yes: the start, and a reload whose first worker is ready.

use std::time::Duration;

use super::{Proof, Reload, State};
use crate::arbiter::event::{Action, Gate, Generation, Note, WorkerId};
use crate::orders::Order;

impl State {
    pub(super) fn boot(&mut self, out: &mut Vec<Action>) {
        match self.policy.gates.boot {
            true => out.push(Action::RunHook(Gate::Boot)),
            false => self.prepare(out),
        }
    }

    pub(super) fn hook_ended(
        &mut self,
        gate: Gate,
        outcome: Result<(), String>,
        now: Duration,
        out: &mut Vec<Action>,
    ) {
        if self.is_ending() {
            return;
        }
        match (gate, outcome, self.reload) {
            (Gate::Boot, Ok(()), _) => self.prepare(out),
            (Gate::Boot, Err(reason), _) => self.give_up(reason, REFUSED, now, out),
            (Gate::Ready(of), outcome, Reload::Proving(generation, canary)) if of == generation => {
                match outcome {
                    Ok(()) => {
                        self.adopt(now, out);
                        self.begin_rolling(generation, out);
                    }
                    Err(reason) => {
                        self.workers.order(canary, Order::Retire, now, out);
                        self.reload_failed(generation, &reason, out);
                    }
                }
            }
            (Gate::Ready(_), outcome, _) if self.proof == Proof::Sought => match outcome {
                Ok(()) => self.proof = Proof::Given,
                Err(reason) => self.give_up(reason, REFUSED, now, out),
            },
            // What it was about is over.
            _ => {}
        }
    }

    /// Whether the hook of the start has said yes; it is asked if it has not been.
    pub(super) fn is_proved(&mut self, out: &mut Vec<Action>) -> bool {
        if !self.policy.gates.ready {
            return true;
        }
        if let (Proof::Wanted, Some(generation)) = (self.proof, self.current) {
            self.proof = Proof::Sought;
            out.push(Action::RunHook(Gate::Ready(generation)));
        }
        self.proof == Proof::Given
    }

    /// The first worker of a generation is ready: others follow, unless a hook is to be asked first.
    pub(super) fn canary_ready(
        &mut self,
        generation: Generation,
        canary: WorkerId,
        out: &mut Vec<Action>,
    ) {
        if self.next_policy.gates.ready {
            self.reload = Reload::Proving(generation, canary);
            out.push(Action::RunHook(Gate::Ready(generation)));
        } else {
            self.begin_rolling(generation, out);
        }
    }

    fn begin_rolling(&mut self, generation: Generation, out: &mut Vec<Action>) {
        out.extend(self.current.replace(generation).map(Action::Forget));
        self.reload = Reload::Rolling;
        self.backoff.reset();
    }

    /// A first worker that dies while the hook is asked has been no good.
    pub(super) fn canary_lost(&mut self, id: WorkerId, how: &str, out: &mut Vec<Action>) -> bool {
        let Reload::Proving(generation, canary) = self.reload else {
            return false;
        };
        if canary == id {
            out.push(Action::Tell(Note::WorkerBroke {
                worker: id,
                how: how.to_owned(),
            }));
            self.reload_failed(generation, &format!("the first worker {how}"), out);
        }
        canary == id
    }
}

/// Exit code when a hook has kept the server from starting.
const REFUSED: u8 = 1;
