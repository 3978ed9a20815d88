//! What a proxy says of a connection, before anything else is said on it. It is looked at in the kernel's
//! memory until it is whole, so that not a byte of what stands behind it is taken with it.

use std::rc::Rc;
use std::task::Poll;

use super::{Awaiting, Connection, Phase};
use crate::proxy_protocol::{self, Introduction, ProxyError};

/// How far an introduction has come.
enum Heard {
    /// Nothing new.
    Nothing,
    /// The proxy has not said all.
    Part,
    /// It has, in so many bytes.
    Whole(Introduction, usize),
    /// It will never.
    Fault(ProxyError),
    /// The proxy has gone without a word, or the connection is lost.
    Gone,
}

impl Connection {
    pub(super) fn poll_introduction(&mut self) -> Poll<()> {
        match self.hear_introduction() {
            Heard::Nothing | Heard::Part => self.await_introduction(),
            heard => {
                self.awaiting = Awaiting::Nothing;
                self.conclude(heard);
                Poll::Ready(())
            }
        }
    }

    fn conclude(&mut self, heard: Heard) {
        match heard {
            Heard::Nothing | Heard::Gone => self.abandon(),
            Heard::Part => self.introduction_failed(ProxyError::Late),
            Heard::Fault(error) => self.introduction_failed(error),
            Heard::Whole(introduction, length) => {
                let service = Rc::clone(&self.io.service);
                let header = &mut service.scratch.borrow_mut().buffer[..length];
                self.phase = match self.io.wire.take_seen(header) {
                    Ok(()) => Phase::first(&self.io.wire),
                    Err(_) => Phase::Closed,
                };
                self.ends.introduce(introduction, &service);
            }
        }
    }

    fn hear_introduction(&mut self) -> Heard {
        let wire = &mut self.io.wire;
        let scratch = &mut *self.io.service.scratch.borrow_mut();
        let room = &mut scratch.buffer[..proxy_protocol::LONGEST];
        match wire.poll_peek(room) {
            Poll::Pending => Heard::Nothing,
            Poll::Ready(Ok(0) | Err(_)) => Heard::Gone,
            Poll::Ready(Ok(count)) => match proxy_protocol::parse(&room[..count]) {
                Ok(Some((introduction, length))) => Heard::Whole(introduction, length),
                Ok(None) if wire.has_ended() => Heard::Fault(ProxyError::Truncated),
                Ok(None) => Heard::Part,
                Err(error) => Heard::Fault(error),
            },
        }
    }

    fn await_introduction(&mut self) -> Poll<()> {
        if self.awaiting != Awaiting::Introduction {
            let timeout = self.io.service.timeouts.head;
            self.wait(Awaiting::Introduction, timeout);
        }
        if self.io.service.drain.is_draining() {
            let deadlines = &self.io.service.clock.deadlines;
            let due = deadlines.since(self.heard, self.io.service.timeouts.linger);
            self.timer.set_tick(due);
        }
        Poll::Pending
    }

    /// A proxy that has not said a word may have connected ahead of need, and nobody need hear of it.
    pub(super) fn introduction_timed_out(&mut self) {
        self.io.wire.expect_input();
        let heard = self.hear_introduction();
        self.conclude(heard);
    }

    #[cold]
    fn introduction_failed(&mut self, error: ProxyError) {
        let peer = &self.ends.peer;
        tracing::warn!("a connection of the proxy {peer} is closed: {error}");
        self.abandon();
    }
}
