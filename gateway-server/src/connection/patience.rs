//! [`Patience`]: how long a peer is waited for, by what it moves.

use std::time::Duration;

use crate::deadlines::{Deadlines, TICKS_A_SECOND, Tick};

/// What is asked of a peer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// The longest pause.
    most: Tick,
    /// Bytes a second; with 0 any byte is enough.
    rate: u64,
}

/// The time that a peer has left. It runs down while the peer is waited for, and what the peer moves
/// gives some of it back, never more than the longest pause: whoever is slower than the rate for long
/// runs out of it, however it arranges its pauses.
#[derive(Debug)]
pub(super) struct Patience {
    left: Tick,
    /// Since when it has been running, or [`RESTING`].
    since: Tick,
    /// All bytes that the peer has moved.
    moved: u64,
    /// Quarters of bytes that have not bought a tick yet.
    spare: u64,
}

impl Pace {
    /// A longest pause, and bytes a second; with 0 any byte is enough.
    pub(super) fn new(pause: Duration, rate: u64) -> Self {
        Self {
            most: Deadlines::ticks(pause),
            rate,
        }
    }
}

impl Patience {
    pub(super) fn new(pace: Pace) -> Self {
        Self {
            left: pace.most,
            since: RESTING,
            moved: 0,
            spare: 0,
        }
    }

    /// The peer is waited for, and has moved so many bytes in all: how long it may go on.
    pub(super) fn run(&mut self, moved: u64, now: Tick, pace: Pace) -> Tick {
        self.rest(now);
        self.credit(moved.saturating_sub(self.moved), pace);
        self.moved = self.moved.max(moved);
        self.since = now;
        now.saturating_add(self.left)
    }

    /// The peer is not waited for.
    pub(super) fn rest(&mut self, now: Tick) {
        if self.since != RESTING {
            self.left = self.left.saturating_sub(now.saturating_sub(self.since));
            self.since = RESTING;
        }
    }

    fn credit(&mut self, bytes: u64, pace: Pace) {
        if bytes == 0 {
            return;
        }
        if pace.rate == 0 {
            self.left = pace.most;
            return;
        }
        let quarters = bytes.saturating_mul(u64::from(TICKS_A_SECOND)) + self.spare;
        let ticks = Tick::try_from(quarters / pace.rate).unwrap_or(Tick::MAX);
        self.spare = quarters % pace.rate;
        self.left = self.left.saturating_add(ticks).min(pace.most);
    }
}

/// The clock never shows it.
const RESTING: Tick = 0;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Tick = TICKS_A_SECOND;

    fn pace(rate: u64) -> Pace {
        Pace {
            most: 10 * SECOND,
            rate,
        }
    }

    #[test]
    fn a_peer_at_the_rate_is_waited_for_for_ever_and_a_slower_one_is_not() {
        for (bytes, stays) in [(100, true), (99, true), (50, false), (1, false)] {
            let pace = pace(99);
            let mut patience = Patience::new(pace);
            let patient = (1..1000).all(|second| {
                let now = second * SECOND;
                patience.run(u64::from(second) * bytes, now, pace) > now + SECOND
            });
            assert_eq!(patient, stays, "{bytes}");
        }
    }

    #[test]
    fn without_a_rate_any_byte_is_enough_and_none_is_not() {
        let pace = pace(0);
        let mut patience = Patience::new(pace);
        assert_eq!(patience.run(1, 1, pace), 1 + 10 * SECOND);
        assert_eq!(patience.run(2, 30, pace), 30 + 10 * SECOND);
        assert_eq!(patience.run(2, 50, pace), 30 + 10 * SECOND);
    }

    #[test]
    fn a_burst_buys_no_more_than_the_longest_pause() {
        let pace = pace(1);
        let mut patience = Patience::new(pace);
        assert_eq!(patience.run(1 << 40, 1, pace), 1 + 10 * SECOND);
    }

    #[test]
    fn time_in_which_nobody_waits_does_not_count() {
        let pace = pace(100);
        let mut patience = Patience::new(pace);
        patience.run(0, 1, pace);
        patience.rest(1 + 4 * SECOND);
        assert_eq!(patience.run(0, 1000, pace), 1000 + 6 * SECOND);
    }

    #[test]
    fn single_bytes_add_up() {
        let pace = pace(8);
        let mut patience = Patience::new(pace);
        patience.run(0, 1, pace);
        let mut until = 0;
        for byte in 1..=4 {
            until = patience.run(byte, 20, pace);
        }
        // Four bytes are half a second's.
        assert_eq!(until, 1 + 10 * SECOND + SECOND / 2);
    }
}
