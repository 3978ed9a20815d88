//! What becomes of an exchange whose deadline has passed.

use gateway_spec::ErrorKind;

use super::bounds::{Passed, Progress, Waiting};
use super::exchange::Exchange;
use super::io::Io;
use super::refusal;
use crate::deadlines::Tick;
use crate::scoreboard::Deadline;

impl Exchange {
    /// The exchange waits: when to look at it again; 0 is never.
    pub(super) fn deadline(&mut self, waiting: Waiting, io: &Io) -> Tick {
        if self.is_all_given() {
            self.case.bounds.fulfil();
        }
        let now = io.service.clock.deadlines.now();
        let progress = self.progress(waiting, io);
        let terms = &self.case.application.terms;
        self.case.bounds.wait(waiting, progress, now, terms)
    }

    /// A deadline may have passed; false if the connection is to be broken off.
    pub(super) fn time_is_up(&mut self, io: &mut Io) -> bool {
        let now = io.service.clock.deadlines.now();
        match self.case.bounds.passed(now) {
            None => true,
            Some(Passed::Request) => self.expire(io),
            // The application decides what to answer.
            Some(Passed::Waiting(Waiting::Body)) => {
                io.service.count_timeout(Deadline::Body);
                self.body_timed_out()
            }
            // What was written has gone on to the client meanwhile, or has not.
            Some(Passed::Waiting(Waiting::Write)) => {
                let goes_on = self.deadline(Waiting::Write, io) > now;
                if !goes_on {
                    io.service.count_timeout(Deadline::Write);
                }
                goes_on
            }
            Some(Passed::Waiting(_)) => false,
        }
    }

    /// The application has had its time: the call ends here, with an answer if none has begun.
    fn expire(&mut self, io: &mut Io) -> bool {
        io.service.count_timeout(Deadline::Request);
        let after = self.case.application.places.patience();
        self.case.bounds.fulfil();
        if self.is_given() {
            tracing::warn!(
                "{}: still being answered after {after:?}: broken off",
                self.case.label
            );
            return false;
        }
        tracing::warn!("{}: no answer within {after:?}: cancelled", self.case.label);
        self.let_go(ErrorKind::Timeout, io);
        self.answer_with(io, |out, to, date| refusal::write(out, 504, to, date));
        true
    }

    fn progress(&self, waiting: Waiting, io: &Io) -> Progress {
        let mut sent = io.output.written() + self.tunnelled();
        if waiting == Waiting::Write {
            // Bytes that the kernel holds are none that the client has taken.
            sent = sent.saturating_sub(io.wire.unsent());
        }
        Progress {
            received: self.received(),
            sent,
        }
    }
}
