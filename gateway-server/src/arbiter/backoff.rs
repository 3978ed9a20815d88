//! The pause between attempts that keep failing.

use std::time::Duration;

use super::event::Moment;

/// Failures in a row, and the time until which nothing is attempted.
#[derive(Clone, Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    not_before: Duration,
}

impl Backoff {
    /// Notes a failure. The pause doubles with each in a row; half of it is up to chance.
    pub(super) fn fail(&mut self, moment: Moment) -> Duration {
        let doubled = FIRST_PAUSE.saturating_mul(1 << self.failures.min(10));
        let half = doubled.min(LONGEST_PAUSE) / 2;
        let pause = half + half.mul_f64(f64::from(moment.chance) / f64::from(u32::MAX));
        self.failures = self.failures.saturating_add(1);
        self.not_before = moment.now + pause;
        pause
    }

    /// Notes a success.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// When the next attempt may be made.
    pub(super) fn not_before(&self) -> Duration {
        self.not_before
    }
}

/// The pause after the first failure in a row.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(10);
