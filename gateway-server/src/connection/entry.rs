//! Where a request that was read waits until the application has room for it, or is turned away.

use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::account::Outcome;
use super::handover::Request;
use super::places::{Entry, Places, Waiter};
use super::{Awaiting, Connection, Phase, refusal};
use crate::http1::{Head, Outgoing, Recipient};
use crate::scoreboard::Deadline;

impl Connection {
    /// Whether the request whose head was read may be handed over to the application that has these
    /// places.
    #[inline]
    pub(super) fn entry(&mut self, places: &Rc<Places>, cx: &Context<'_>) -> Entry {
        if self.waiter.is_none() && !places.is_full() {
            return Entry::Now;
        }
        self.entry_when_full(places, cx)
    }

    #[cold]
    fn entry_when_full(&mut self, places: &Rc<Places>, cx: &Context<'_>) -> Entry {
        if self.waiter.is_none() {
            let now = self.io.service.clock.deadlines.now();
            self.waiter = Places::queue(places, cx.waker(), now);
        }
        match &self.waiter {
            None => Entry::Never,
            Some(waiter) if waiter.is_called() => Entry::Now,
            Some(_) => Entry::Later,
        }
    }

    /// Whether the next request has to wait: for a place, or for the end of work that this
    /// connection has left behind.
    #[inline]
    pub(super) fn is_held_up(&self, cx: &Context<'_>) -> bool {
        self.waiter
            .as_ref()
            .is_some_and(|waiter| !waiter.is_called())
            || self.io.left_behind.is_full(cx.waker())
    }

    /// The next request has to wait.
    pub(super) fn await_entry(&mut self) -> Poll<()> {
        if self.io.wire.is_gone() {
            self.phase = Phase::Closed;
            return Poll::Ready(());
        }
        if self.awaiting != Awaiting::Entry {
            // Work that was left behind ends when it ends.
            let queued = self.waiter.as_ref().map(Waiter::patience);
            self.wait(Awaiting::Entry, queued.unwrap_or(Duration::ZERO));
        }
        Poll::Pending
    }

    /// Answers a request for which there is no room, nor has been since `queued_ns`.
    pub(super) fn turn_away(
        &mut self,
        out: &mut Outgoing,
        head: &Head,
        raw: &[u8],
        queued_ns: Option<u64>,
    ) {
        let mut recipient = Recipient::of(head);
        // A body is not waited for.
        let last =
            self.io.service.drain.is_draining() || self.io.service.timeouts.keep_alive.is_zero();
        recipient.keep_alive &= !head.has_body() && !last;
        let given = refusal::write_busy(out, &recipient, &self.io.service.clock.date);
        let request = Request::http1(head, raw);
        self.ends.note_refusal(
            &self.io.service,
            None,
            &request,
            queued_ns,
            Outcome::of(&given, 0),
        );
        if !given.keep_alive {
            self.phase = Phase::LINGER;
        }
    }

    /// A request has waited for a place as long as it may take in all.
    pub(super) fn entry_timed_out(&mut self) {
        let queued_ns = self.waiter.take().map(|waiter| waiter.since_ns);
        self.io.service.count_timeout(Deadline::Queue);
        let mut head = Head::default();
        let parsed = head.parse(&mut self.io.input, &self.io.service.head_limits);
        let Ok(Some(length)) = parsed else {
            return self.abandon();
        };
        let raw = self.io.input.split_to(length);
        let mut out = std::mem::take(&mut self.io.output.bytes);
        self.turn_away(&mut out, &head, &raw, queued_ns);
        self.io.output.bytes = out;
        self.unparsed = !self.io.input.is_empty();
    }
}
