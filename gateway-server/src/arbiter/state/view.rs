//! What others may see of the arbiter's judgement.

use super::super::event::WorkerId;
use super::super::roster::Phase;
use super::State;
use crate::board::{Stage, WorkerState};

impl State {
    /// Where the server is in its life.
    pub(crate) fn stage(&self) -> Stage {
        if self.leaving.is_some() || self.stopping.is_some() {
            Stage::Draining
        } else if self.is_proven() && self.pools.values().all(|pool| pool.rested.is_some()) {
            Stage::Resting
        } else if self.is_proven() {
            Stage::Serving
        } else {
            Stage::Booting
        }
    }

    /// The number of the last worker that was started.
    pub(crate) fn last_worker(&self) -> u32 {
        self.workers.last()
    }

    /// What new workers run; 0 before there is anything.
    pub(crate) fn generation(&self) -> u32 {
        self.current.map_or(0, |generation| generation.0)
    }

    /// The workers: which place they hold, and where they are in their lives.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (WorkerId, u32, WorkerState)> {
        self.workers.iter().map(|(id, worker)| {
            let state = match worker.phase {
                Phase::Booting { .. } => WorkerState::Booting,
                Phase::Ready { .. } => WorkerState::Ready,
                Phase::Draining { .. } => WorkerState::Draining,
                Phase::Stopping { .. } | Phase::Aborting { .. } | Phase::Killed => {
                    WorkerState::Stopping
                }
            };
            (id, worker.slot, state)
        })
    }
}
