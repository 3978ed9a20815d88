//! [`Budget`]: how many frames a client may send that cost work and bring nothing.

use std::cell::Cell;

use crate::limits::{
    HTTP2_CONTROL_FRAMES, HTTP2_CONTROL_FRAMES_A_SECOND, HTTP2_FRAMES_EARNED, HTTP2_RESETS,
    HTTP2_RESETS_A_SECOND,
};

/// What is left of it on one connection. Time and what is exchanged give it back.
#[derive(Debug)]
pub(crate) struct Budget {
    control: Cell<u32>,
    resets: Cell<u32>,
    /// The second up to which time was credited.
    credited: Cell<u32>,
    excess: Cell<Option<Excess>>,
}

/// What there was too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Excess {
    /// PING, SETTINGS, WINDOW_UPDATE, PRIORITY, CONTINUATION, empty DATA, or unknown.
    #[error("more control and empty frames than its requests and answers are worth")]
    Control,
    /// RST_STREAM.
    #[error("more requests taken back than its budget of them")]
    Resets,
}

impl Budget {
    /// A full one at `second` of any clock.
    pub(crate) fn new(second: u32) -> Self {
        Self {
            control: Cell::new(HTTP2_CONTROL_FRAMES),
            resets: Cell::new(HTTP2_RESETS),
            credited: Cell::new(second),
            excess: Cell::new(None),
        }
    }

    /// Gives back what has grown until `second` of that clock.
    pub(crate) fn credit_time(&self, second: u32) {
        let passed = second.saturating_sub(self.credited.replace(second));
        if passed > 0 {
            let control = passed.saturating_mul(HTTP2_CONTROL_FRAMES_A_SECOND);
            grow(&self.control, control, HTTP2_CONTROL_FRAMES);
            let resets = passed.saturating_mul(HTTP2_RESETS_A_SECOND);
            grow(&self.resets, resets, HTTP2_RESETS);
        }
    }

    /// A request came, or content was sent or received: frames that go with it are free.
    #[inline]
    pub(crate) fn credit_exchange(&self) {
        grow(&self.control, HTTP2_FRAMES_EARNED, HTTP2_CONTROL_FRAMES);
    }

    /// A request was answered to its end.
    #[inline]
    pub(crate) fn credit_answer(&self) {
        grow(&self.resets, 1, HTTP2_RESETS);
    }

    /// A frame of control, or an empty one, came.
    #[inline]
    pub(super) fn note_control(&self) {
        self.spend(&self.control, Excess::Control);
    }

    /// A stream was reset.
    #[inline]
    pub(super) fn note_reset(&self) {
        self.spend(&self.resets, Excess::Resets);
    }

    /// What there has been too much of, if anything.
    #[inline]
    pub(crate) fn excess(&self) -> Option<Excess> {
        self.excess.get()
    }

    #[cfg(test)]
    pub(super) fn left(&self) -> (u32, u32) {
        (self.control.get(), self.resets.get())
    }

    fn spend(&self, from: &Cell<u32>, excess: Excess) {
        match from.get().checked_sub(1) {
            Some(left) => from.set(left),
            None => self.excess.set(Some(excess)),
        }
    }
}

#[inline]
fn grow(cell: &Cell<u32>, by: u32, most: u32) {
    cell.set(cell.get().saturating_add(by).min(most));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_runs_out_and_time_gives_it_back() {
        let budget = Budget::new(7);
        for _ in 0..HTTP2_RESETS {
            budget.note_reset();
        }
        assert_eq!(budget.excess(), None);
        budget.credit_time(8);
        for _ in 0..HTTP2_RESETS_A_SECOND {
            budget.note_reset();
        }
        assert_eq!(budget.excess(), None);
        budget.note_reset();
        assert_eq!(budget.excess(), Some(Excess::Resets));
    }

    #[test]
    fn who_exchanges_something_may_send_what_goes_with_it() {
        let budget = Budget::new(7);
        for _ in 0..10 * HTTP2_CONTROL_FRAMES {
            budget.credit_exchange();
            budget.credit_answer();
            budget.note_control();
            budget.note_reset();
        }
        assert_eq!(budget.excess(), None);
    }
}
