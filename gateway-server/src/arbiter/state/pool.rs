//! [`Pool`]: how many workers of one kind there are to be, and which of them are good.

use std::time::Duration;

use crate::arbiter::backoff::Backoff;
use crate::arbiter::event::Generation;

/// What the arbiter wants of the workers that load the same applications.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool {
    /// How many there are to be.
    pub(super) target: u32,
    /// How many there were to be before an operator sent them to rest.
    pub(super) rested: Option<u32>,
    /// Workers of generations before this one are to be replaced.
    pub(super) since: Generation,
    /// Some worker has been ready at some time, so a failure to boot is no longer fatal.
    pub(super) ever_ready: bool,
    pub(super) backoff: Backoff,
    /// Of replacing workers that hold too much memory as soon as they start.
    pub(super) hunger: Backoff,
}

impl Pool {
    /// One that has not begun.
    pub(super) fn of(target: u32) -> Self {
        Self {
            target,
            ..Self::default()
        }
    }

    /// How many there are to be, or were before they rested.
    pub(super) fn wanted(&self) -> u32 {
        self.rested.unwrap_or(self.target)
    }

    /// When a worker that replaces another may be started.
    pub(super) fn not_before(&self) -> Duration {
        self.backoff.not_before().max(self.hunger.not_before())
    }
}
