//! [`Bounds`]: what bounds an exchange in time. One number of it at a time is the connection's deadline.

use super::patience::{Pace, Patience};
use crate::deadlines::{Deadlines, Tick};
use crate::limits::HALF_CLOSED;
use crate::options::{MinimumRates, Timeouts};

/// What the settings say of it, in the clock's unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    body: Pace,
    write: Pace,
    request: Option<Tick>,
}

/// The deadlines of one exchange.
#[derive(Debug)]
pub(super) struct Bounds {
    /// When the application must have answered; [`NEVER`] if it need not.
    expires: Tick,
    body: Patience,
    write: Patience,
    waiting: Waiting,
    /// When what is waited for has taken too long.
    due: Tick,
    /// Bytes that had moved when it was set.
    moved: u64,
}

/// What an exchange waits for, which decides how long it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// The application.
    Application,
    /// The client to send more of the body.
    Body,
    /// The client to read.
    Write,
    /// The application, whose client has closed its half of the connection.
    HalfClosed,
}

/// What an exchange has come to when it begins to wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    /// Bytes read of the body.
    pub(super) received: u64,
    /// Bytes written; while the client is waited for, those of them that it has taken.
    pub(super) sent: u64,
}

/// A deadline that has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    /// The application's.
    Request,
    /// That of what is waited for.
    Waiting(Waiting),
}

impl Terms {
    pub(crate) fn new(timeouts: &Timeouts, rates: &MinimumRates) -> Self {
        let request = timeouts.request;
        Self {
            body: Pace::new(timeouts.body, rates.body.0),
            write: Pace::new(timeouts.write, rates.write.0),
            request: (!request.is_zero()).then(|| Deadlines::ticks(request)),
        }
    }

    /// What is asked of a client that has something to read.
    pub(super) fn write(&self) -> Pace {
        self.write
    }
}

impl Bounds {
    /// For a request whose head was read at `arrival`.
    pub(super) fn new(arrival: Tick, terms: &Terms) -> Self {
        Self {
            expires: terms
                .request
                .map_or(NEVER, |ticks| arrival.saturating_add(ticks)),
            body: Patience::new(terms.body),
            write: Patience::new(terms.write),
            waiting: Waiting::Application,
            due: NEVER,
            moved: 0,
        }
    }

    /// Nothing more is expected of the application.
    pub(super) fn fulfil(&mut self) {
        self.expires = NEVER;
    }

    /// The exchange waits: when to look at it again, or [`NEVER`].
    pub(super) fn wait(
        &mut self,
        waiting: Waiting,
        progress: Progress,
        now: Tick,
        terms: &Terms,
    ) -> Tick {
        if waiting != Waiting::Body {
            self.body.rest(now);
        }
        if waiting != Waiting::Write {
            self.write.rest(now);
        }
        let moved = progress.received.saturating_add(progress.sent);
        self.due = match waiting {
            Waiting::Application => NEVER,
            Waiting::Body => self.body.run(progress.received, now, terms.body),
            Waiting::Write => self.write.run(progress.sent, now, terms.write),
            Waiting::HalfClosed if self.waiting == waiting && self.moved == moved => self.due,
            Waiting::HalfClosed => now.saturating_add(Deadlines::ticks(HALF_CLOSED)),
        };
        (self.waiting, self.moved) = (waiting, moved);
        match (self.due, self.expires) {
            (NEVER, other) | (other, NEVER) => other,
            (one, other) => one.min(other),
        }
    }

    /// Which deadline has passed, if one has.
    pub(super) fn passed(&self, now: Tick) -> Option<Passed> {
        let has_passed = |due| due != NEVER && due <= now;
        if has_passed(self.expires) {
            return Some(Passed::Request);
        }
        has_passed(self.due).then_some(Passed::Waiting(self.waiting))
    }
}

/// The deadline that none is.
const NEVER: Tick = 0;
