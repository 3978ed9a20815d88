//! Heads: read into memory that all connections use in turn, and taken out of it one request after
//! another. The answers of one turn are written together.

use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BytesMut};

use super::dispatch::Turn;
use super::handover::Dialect;
use super::logged::Refused;
use super::output::COPIED;
use super::places::Entry;
use super::service::{READ_BYTES, Scratch, Service};
use super::{Awaiting, Connection, Phase, refusal};
use crate::fronts::Unwritable;
use crate::http1::{Outgoing, Recipient, Version};
use crate::http2::{self, Beginning};
use crate::limits::PARTING;

impl Connection {
    pub(super) fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let service = Rc::clone(&self.io.service);
        loop {
            ready!(self.poll_flush());
            if !matches!(self.phase, Phase::Head(_)) {
                return Poll::Ready(());
            }
            if self.is_held_up(cx) {
                return self.await_entry();
            }
            let mut shared = service.scratch.borrow_mut();
            let scratch = &mut *shared;
            if self.unparsed {
                let filled = self.refill(scratch);
                self.turn(&service, scratch, filled, cx);
            } else {
                let held = self.io.input.len();
                // A body behind the head is read to where it stays.
                let most = scratch.buffer.len().min(held + READ_BYTES);
                match self.io.wire.poll_read(&mut scratch.buffer[held..most]) {
                    Poll::Pending => return self.await_request(),
                    Poll::Ready(Ok(0)) => self.end_of_heads(),
                    Poll::Ready(Ok(read)) => {
                        self.refill(scratch);
                        self.turn(&service, scratch, held + read, cx);
                    }
                    Poll::Ready(Err(_)) => self.phase = Phase::Closed,
                }
            }
            if matches!(self.phase, Phase::Exchange(_)) {
                drop(shared);
                // The call was polled as it began; what it waits for decides.
                return self.poll_exchange(false, cx);
            }
        }
    }

    /// Moves bytes that are held to the beginning of the shared buffer, as many as it takes; how
    /// many they are.
    #[inline]
    fn refill(&mut self, scratch: &mut Scratch) -> usize {
        let held = self.io.input.len().min(scratch.buffer.len());
        if held > 0 {
            scratch.buffer[..held].copy_from_slice(&self.io.input[..held]);
            if held < self.io.input.len() {
                self.io.input.advance(held);
            } else {
                self.io.input = BytesMut::new();
            }
        }
        held
    }

    /// Takes all whole requests out of `scratch.buffer[..filled]`, which stands before what is held
    /// still, and keeps the rest.
    fn turn(
        &mut self,
        service: &Rc<Service>,
        scratch: &mut Scratch,
        filled: usize,
        cx: &mut Context<'_>,
    ) {
        self.served = true;
        self.unparsed = false;
        let Scratch { buffer, head } = scratch;
        let Phase::Head(begun) = &mut self.phase else {
            return;
        };
        if let Some(begun) = begun.take() {
            *head = *begun;
        } else {
            head.clear();
        }
        let mut turn = Turn::new(service, &self.ends, cx.waker());
        let mut at = 0;
        while at < filled {
            if turn.is_full() {
                self.unparsed = true;
                break;
            }
            match head.parse_filled(&mut buffer[at..], filled - at, &service.head_limits) {
                Ok(None) => {
                    if head.has_begun(&buffer[at..filled]) {
                        self.phase = Phase::Head(Some(Box::new(std::mem::take(head))));
                    }
                    break;
                }
                Ok(Some(length)) => {
                    let (raw, behind) = buffer[at..filled].split_at(length);
                    // Only a whole head ends the time that it was given.
                    self.awaiting = Awaiting::Nothing;
                    if turn.detours && self.detour(&mut turn, head, raw, behind) {
                        // Whoever has waited for an application may be answered by somebody else.
                        self.waiter = None;
                        at += length;
                        if !matches!(self.phase, Phase::Head(_)) {
                            break;
                        }
                        continue;
                    }
                    match self.entry(&turn.application.places, cx) {
                        Entry::Now => {
                            at += length + self.dispatch(&mut turn, head, raw, behind);
                            // An answer that came at once has left its place.
                            self.waiter = None;
                        }
                        Entry::Never => {
                            self.turn_away(turn.out(), head, raw, None);
                            at += length;
                        }
                        Entry::Later => {
                            // Read once more when its turn has come.
                            self.unparsed = true;
                            head.clear();
                            break;
                        }
                    }
                    if !matches!(self.phase, Phase::Head(_)) {
                        break;
                    }
                }
                Err(_) if at == 0 && self.speaks_http2(&buffer[..filled]) => {
                    head.clear();
                    break;
                }
                Err(error) => {
                    self.awaiting = Awaiting::Nothing;
                    let came = &buffer[at..filled];
                    let (told, unwritable) = (self.ends.told_by_front(), self.ends.unwritable());
                    let refused = match &unwritable {
                        Some(Unwritable { status, why }) => Refused::unwritten(*status, why),
                        None => Refused {
                            status: error.status(),
                            why: &error,
                            line: head.first_line(came),
                            came,
                            dialect: Dialect::told(told.version).unwrap_or(Dialect::Http1),
                            told,
                        },
                    };
                    tracing::debug!(
                        "a request is refused with {}: {}",
                        refused.status,
                        refused.why
                    );
                    self.refuse(turn.out(), &refused);
                    at = filled;
                }
            }
        }
        if turn.end(&mut self.io.output, &mut self.io.wire).is_err() {
            self.phase = Phase::Closed;
        }
        self.keep(&buffer[at..filled]);
    }

    /// Holds `rest` for later, before what is held already.
    #[inline]
    fn keep(&mut self, rest: &[u8]) {
        // What an exchange read ahead may exceed the shared buffer, where heads are kept short.
        if !self.io.input.is_empty() {
            self.unparsed |= matches!(self.phase, Phase::Head(_));
        }
        if !rest.is_empty() {
            let kept = if rest.len() > COPIED && matches!(self.phase, Phase::Exchange(_)) {
                self.io.service.body_room.copy(rest)
            } else {
                BytesMut::from(rest)
            };
            let beyond = std::mem::replace(&mut self.io.input, kept);
            self.io.input.extend_from_slice(&beyond);
        }
    }

    /// Whether what is no head of HTTP/1 is the client preface of HTTP/2, or may become it.
    #[cold]
    fn speaks_http2(&mut self, bytes: &[u8]) -> bool {
        if self.requests > 0 || !self.io.service.http2.enabled {
            return false;
        }
        let beginning = http2::beginning(bytes);
        if beginning == Beginning::Http2 {
            self.phase = Phase::Departing;
        }
        beginning != Beginning::Other
    }

    /// The client sends no more.
    fn end_of_heads(&mut self) {
        self.io.input_ended = true;
        // A head that breaks off has been found good so far; nobody can answer it.
        self.phase = Phase::Close;
    }

    fn await_request(&mut self) -> Poll<()> {
        let draining = self.io.service.drain.is_draining();
        if self.io.input.is_empty() {
            if self.awaiting == Awaiting::Parting {
                self.phase = Phase::Parted(PARTING);
                return Poll::Ready(());
            }
            if self.awaiting != Awaiting::Request {
                let now = self.io.service.clock.deadlines.now();
                self.heard = now;
                if self.served {
                    let due = now.saturating_add(self.io.service.keep_alive);
                    self.awaiting = Awaiting::Request;
                    self.timer.set_tick(due);
                } else {
                    self.wait(Awaiting::Request, self.io.service.timeouts.head);
                }
            }
            if draining {
                self.timer.set_tick(
                    self.io
                        .service
                        .clock
                        .deadlines
                        .since(self.heard, self.io.service.timeouts.linger),
                );
            }
        } else if self.awaiting != Awaiting::Head {
            self.wait(Awaiting::Head, self.io.service.timeouts.head);
        }
        Poll::Pending
    }

    /// Answers a head that is none, or not whole in time; then the connection ends.
    pub(super) fn refuse(&mut self, out: &mut Outgoing, refused: &Refused<'_>) {
        let to = Recipient {
            version: Version::Http11,
            method_id: 0,
            keep_alive: false,
        };
        refusal::write(out, refused.status, &to, &self.io.service.clock.date);
        self.ends.note_unread(&self.io.service, refused);
        self.phase = Phase::LINGER;
    }
}
