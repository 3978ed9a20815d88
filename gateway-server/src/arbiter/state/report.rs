//! What the arbiter says of itself to operators.

use super::{Reload, State};
use crate::arbiter::event::{PoolId, WorkerId};
use crate::control::Phase;

impl State {
    /// Whether the server is up, and no operation runs or is to follow.
    pub(crate) fn is_settled(&self) -> bool {
        let settled = self.up && self.is_free() && !self.is_ending();
        settled && self.reload_again.is_empty() && !self.upgrade_again
    }

    /// What the server is at.
    pub(crate) fn phase(&self) -> Phase {
        if self.is_ending() {
            Phase::Stopping
        } else if !self.up {
            Phase::Starting
        } else if self.upgrade.is_busy() {
            Phase::Upgrading
        } else if self.reload != Reload::None {
            Phase::Reloading
        } else if self.pools.values().any(|pool| pool.rested.is_some()) {
            Phase::Resting
        } else {
            Phase::Serving
        }
    }

    /// Workers wanted, in all pools.
    pub(crate) fn target(&self) -> u32 {
        self.pools.values().map(|pool| pool.target).sum()
    }

    /// Workers wanted in each pool there has been.
    pub(crate) fn targets(&self) -> impl Iterator<Item = (PoolId, u32)> {
        self.pools.iter().map(|(id, pool)| (*id, pool.target))
    }

    /// A worker's place and where in its life it is, until it is reaped.
    pub(crate) fn whereabouts(&self, id: WorkerId) -> Option<(u32, &'static str)> {
        let (_, worker) = self.workers.iter().find(|(one, _)| *one == id)?;
        Some((worker.slot, worker.phase.word()))
    }
}
