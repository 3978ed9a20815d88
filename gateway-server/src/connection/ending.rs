//! The end of a connection: in peace, late, or broken off.

use std::rc::Rc;
use std::task::{Context, Poll, ready};

use super::handover::Dialect;
use super::logged::Refused;
use super::{Awaiting, Connection, Phase};
use crate::limits::{LINGER, LINGER_MOST, LINGER_READS, PARTING};
use crate::proxies::Told;
use crate::scoreboard::{Counter, Deadline};

impl Connection {
    pub(super) fn poll_close(&mut self) -> Poll<()> {
        ready!(self.poll_flush());
        let Phase::Parted(budget) = &mut self.phase else {
            self.io.wire.part();
            self.phase = Phase::Closed;
            return Poll::Ready(());
        };
        let service = Rc::clone(&self.io.service);
        let scratch = &mut *service.scratch.borrow_mut();
        if self.awaiting != Awaiting::Close {
            self.io.wire.shut_down_output();
        }
        while *budget > 0 {
            match self.io.wire.poll_read(&mut scratch.buffer) {
                Poll::Pending => {
                    if self.awaiting != Awaiting::Close {
                        self.wait(Awaiting::Close, LINGER);
                    }
                    return Poll::Pending;
                }
                Poll::Ready(Ok(0) | Err(_)) => break,
                Poll::Ready(Ok(read)) => {
                    if *budget == PARTING && service.drain.is_draining() {
                        service.slot.add(Counter::DrainRaces);
                    }
                    *budget = budget.saturating_sub(read);
                }
            }
        }
        self.phase = Phase::Closed;
        Poll::Ready(())
    }

    /// Throws away what comes behind the last answer, until the client has nothing more to say.
    pub(super) fn poll_linger(&mut self, cx: &Context<'_>) -> Poll<()> {
        ready!(self.poll_flush());
        let service = Rc::clone(&self.io.service);
        let deadlines = &service.clock.deadlines;
        let begins = self.awaiting != Awaiting::Close;
        // Nobody who goes on sending holds up a drain.
        let renews = begins || !service.drain.is_draining();
        let Phase::Linger(end) = &mut self.phase else {
            return Poll::Ready(());
        };
        if begins {
            self.io.wire.shut_down_output();
            *end = deadlines.after(LINGER_MOST);
            self.awaiting = Awaiting::Close;
        }
        let mut heard = begins;
        for _ in 0..LINGER_READS {
            match self
                .io
                .wire
                .poll_read(&mut service.scratch.borrow_mut().buffer)
            {
                Poll::Pending => {
                    if heard && renews {
                        self.timer.set_tick(deadlines.after(LINGER).min(*end));
                    }
                    return Poll::Pending;
                }
                Poll::Ready(Ok(0) | Err(_)) => {
                    self.phase = Phase::Closed;
                    return Poll::Ready(());
                }
                Poll::Ready(Ok(_)) => heard = true,
            }
        }
        if renews {
            self.timer.set_tick(deadlines.after(LINGER).min(*end));
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// What a deadline that has passed means.
    #[cold]
    pub(super) fn time_is_up(&mut self) {
        self.timer.set_tick(0);
        match (self.awaiting, &mut self.phase) {
            (Awaiting::Head, Phase::Head(head)) => {
                self.io.service.count_timeout(Deadline::Head);
                let head = head.take().unwrap_or_default();
                let input = std::mem::take(&mut self.io.input);
                let mut out = std::mem::take(&mut self.io.output.bytes);
                let refused = Refused {
                    status: 408,
                    why: &"the head did not come in time",
                    line: head.first_line(&input),
                    came: &input,
                    dialect: Dialect::Http1,
                    // Of another request, if of any.
                    told: Told::default(),
                };
                self.refuse(&mut out, &refused);
                self.io.output.bytes = out;
            }
            // A request that arrived this moment is answered; the end is told to a client that sent
            // nothing. Closing at once would break off what is on its way.
            (Awaiting::Request, _) => {
                self.io.service.count_timeout(Deadline::KeepAlive);
                self.io.wire.expect_input();
                self.awaiting = Awaiting::Parting;
                return;
            }
            (Awaiting::Introduction, _) => self.introduction_timed_out(),
            (Awaiting::Entry, _) => self.entry_timed_out(),
            (_, Phase::Exchange(exchange)) => {
                if !exchange.time_is_up(&mut self.io) {
                    self.abandon_at_once();
                }
            }
            (Awaiting::Write, _) => {
                self.io.service.count_timeout(Deadline::Write);
                self.abandon_at_once();
            }
            (Awaiting::Handshake, _) => {
                self.io.service.count_timeout(Deadline::Handshake);
                self.abandon();
            }
            _ => self.abandon(),
        }
        self.awaiting = Awaiting::Nothing;
    }

    /// As [`Connection::abandon`], with a reset: the kernel would go on for minutes to hold, and to offer,
    /// megabytes that the client does not take.
    fn abandon_at_once(&mut self) {
        self.io.wire.end_with_reset(true);
        self.abandon();
    }

    /// Gives the connection up without another byte.
    pub(super) fn abandon(&mut self) {
        if let Phase::Exchange(exchange) = &mut self.phase {
            exchange.broken_off(&mut self.io);
        }
        self.phase = Phase::Closed;
    }
}
