//! Exchanges that go on by themselves: a connection's phase from a call that pends to the next
//! request.

use std::task::{Context, Poll};

use bytes::BytesMut;

use super::exchange::Outcome;
use super::{Awaiting, Connection, Phase};
use crate::limits::{LINGER, UNREAD_BODY};

impl Connection {
    pub(super) fn poll_exchange(&mut self, woken: bool, cx: &mut Context<'_>) -> Poll<()> {
        let Phase::Exchange(exchange) = &mut self.phase else {
            return Poll::Ready(());
        };
        exchange.case.attend();
        let outcome = exchange.poll(&mut self.io, woken, cx);
        self.io.service.slot.rest();
        match outcome {
            Err(waiting) => {
                self.timer.set_tick(exchange.deadline(waiting, &self.io));
                self.awaiting = Awaiting::Exchange;
                Poll::Pending
            }
            Ok(Outcome::KeepAlive(None)) => {
                self.next_request();
                Poll::Ready(())
            }
            Ok(Outcome::KeepAlive(Some(upload))) => {
                self.phase = Phase::Discard(Box::new(upload), UNREAD_BODY);
                self.awaiting = Awaiting::Nothing;
                Poll::Ready(())
            }
            Ok(Outcome::Close) => {
                self.phase = if self.io.input_ended {
                    Phase::Close
                } else {
                    Phase::LINGER
                };
                self.awaiting = Awaiting::Nothing;
                Poll::Ready(())
            }
            Ok(Outcome::Broken) => {
                self.phase = Phase::Closed;
                Poll::Ready(())
            }
        }
    }

    fn next_request(&mut self) {
        self.phase = Phase::Head(None);
        self.awaiting = Awaiting::Nothing;
        self.unparsed = !self.io.input.is_empty();
        // Idle connections are many: what this one read and wrote into goes back.
        if !self.unparsed {
            self.io.input = BytesMut::new();
        }
        self.io.output.give_up_memory();
        if self.io.service.drain.is_draining() && !self.unparsed {
            // This answer may have promised to go on; the linger decides.
            self.heard = self.io.service.clock.deadlines.now();
        }
    }

    pub(super) fn poll_discard(&mut self) -> Poll<()> {
        let Phase::Discard(upload, budget) = &mut self.phase else {
            return Poll::Ready(());
        };
        loop {
            let before = self.io.input.len();
            upload.feed(&mut self.io.input);
            *budget = budget.saturating_sub(before - self.io.input.len());
            if upload.is_over() && !upload.has_failed() {
                self.next_request();
                return Poll::Ready(());
            }
            if upload.has_failed() || *budget == 0 {
                self.phase = Phase::LINGER;
                self.awaiting = Awaiting::Nothing;
                return Poll::Ready(());
            }
            self.io.input.reserve(UNREAD_BODY / 4);
            match self.io.wire.poll_read_behind(&mut self.io.input) {
                Poll::Pending => {
                    if self.awaiting != Awaiting::Close {
                        self.wait(Awaiting::Close, LINGER);
                    }
                    return Poll::Pending;
                }
                Poll::Ready(Ok(0) | Err(_)) => {
                    self.phase = Phase::Closed;
                    return Poll::Ready(());
                }
                Poll::Ready(Ok(_)) => {}
            }
        }
    }
}
