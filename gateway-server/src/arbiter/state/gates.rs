//! What waits for a hook to say yes: the start, and a reload whose first worker is ready.

use std::time::Duration;

use super::{Proof, Reload, State};
use crate::arbiter::event::{Action, Gate, Generation, Note, Scope, WorkerId};

impl State {
    pub(super) fn boot(&mut self, out: &mut Vec<Action>) {
        match self.policy.gates.boot {
            true => out.push(Action::RunHook(Gate::Boot)),
            false => self.prepare(Scope::Everything, out),
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
        match (gate, outcome, self.reload.clone()) {
            (Gate::Boot, Ok(()), _) => self.prepare(Scope::Everything, out),
            (Gate::Boot, Err(reason), _) => self.give_up(reason, REFUSED, now, out),
            (Gate::Ready(of), outcome, Reload::Proving(generation, _)) if of == generation => {
                match outcome {
                    Ok(()) => {
                        self.adopt(now, out);
                        self.begin_rolling(generation, out);
                    }
                    Err(reason) => self.reload_failed(generation, &reason, now, out),
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

    /// The first workers of a generation are ready: others follow, unless a hook is to be asked first.
    pub(super) fn canaries_ready(&mut self, out: &mut Vec<Action>) {
        let Reload::Canary(generation, canaries) = &mut self.reload else {
            return;
        };
        let (generation, canaries) = (*generation, std::mem::take(canaries));
        if self.next_policy.gates.ready {
            self.reload = Reload::Proving(generation, canaries);
            out.push(Action::RunHook(Gate::Ready(generation)));
        } else {
            self.begin_rolling(generation, out);
        }
    }

    fn begin_rolling(&mut self, generation: Generation, out: &mut Vec<Action>) {
        out.extend(self.current.replace(generation).map(Action::Forget));
        self.reload = Reload::Rolling;
        for (id, pool) in &mut self.pools {
            if self.reload_of.is_none_or(|only| only == *id) {
                pool.since = generation;
                pool.backoff.reset();
            }
        }
    }

    /// A first worker that dies while the hook is asked has been no good.
    pub(super) fn canary_lost(
        &mut self,
        id: WorkerId,
        how: &str,
        now: Duration,
        out: &mut Vec<Action>,
    ) -> bool {
        let (Reload::Proving(generation, canaries) | Reload::Canary(generation, canaries)) =
            &self.reload
        else {
            return false;
        };
        let (generation, lost) = (*generation, canaries.contains(&id));
        if lost {
            out.push(Action::Tell(Note::WorkerBroke {
                worker: id,
                how: how.to_owned(),
            }));
            self.reload_failed(generation, &format!("the first worker {how}"), now, out);
        }
        lost
    }
}

/// Exit code when a hook has kept the server from starting.
const REFUSED: u8 = 1;
