//! A connection: bytes, deadlines, keep-alive. One task each, written as a plain state machine.
//!
//! Nothing is held while a connection is idle: heads are read into memory that all connections of
//! the worker use in turn, and answers that come at once are written from there.

mod after;
mod answer;
mod bounds;
mod dispatch;
mod download;
mod entry;
mod exchange;
mod expiry;
mod label;
mod link;
mod output;
mod patience;
mod places;
mod refusal;
mod service;
mod socket;
mod tunnel;
mod upload;

use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use gateway_spec::abi::host::HostAddress;

pub(crate) use self::service::{Service, Settings};
pub(crate) use self::socket::{Readiness, Socket};

use self::after::LeftBehind;
use self::answer::Given;
use self::exchange::{Exchange, Io, Outcome};
use self::output::Output;
use self::places::{Entry, Waiter};
use self::service::{Guest, Scratch};
use self::upload::Upload;
use crate::date::Date;
use crate::deadlines::{Tick, Timer};
use crate::http1::{Head, Recipient, Version};
use crate::limits::{DISCARD, LINGER};
use crate::scoreboard::Counter;

/// A client's connection, from accept to close.
pub(crate) struct Connection {
    service: Rc<Service>,
    socket: Socket,
    peer: HostAddress,
    local: Rc<HostAddress>,
    timer: Timer,
    /// What the timer is set for.
    awaiting: Awaiting,
    /// The clock when the client was last heard of, for the linger of a drain.
    heard: Tick,
    phase: Phase,
    input: BytesMut,
    input_ended: bool,
    /// Whether a request came: a client that never speaks is given less time than an idle one.
    served: bool,
    /// Requests that were read.
    requests: u32,
    /// Where the next request waits for others to end.
    waiter: Option<Waiter>,
    left_behind: LeftBehind,
    /// Whether `input` may hold a whole head that was not looked at yet.
    unparsed: bool,
    output: Output,
    _guest: Guest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaiting {
    Nothing,
    /// The first byte of a request.
    Request,
    /// The rest of a head.
    Head,
    /// The client to read.
    Write,
    /// Whatever the exchange waits for.
    Exchange,
    /// Others' requests to end.
    Entry,
    /// The client to close.
    Close,
}

enum Phase {
    /// Between requests, or within a head that is read so far.
    Head(Option<Box<Head>>),
    /// A request whose answer did not come at once.
    Exchange(Box<Exchange>),
    /// The rest of a body that the application did not want; so many bytes of it at most.
    Discard(Box<Upload>, usize),
    /// The answer is to be written, then no more is sent; what still comes is thrown away, so that
    /// the client can read the answer.
    Linger(usize),
    /// The answer is to be written, then the connection is closed.
    Close,
    Closed,
}

impl Connection {
    pub(crate) fn new(
        service: &Rc<Service>,
        socket: Socket,
        peer: HostAddress,
        local: Rc<HostAddress>,
    ) -> Self {
        service.slot.add(Counter::Connections);
        service.slot.add(Counter::ConnectionsActive);
        Self {
            socket,
            peer,
            local,
            timer: service.clock.deadlines.timer(),
            awaiting: Awaiting::Nothing,
            heard: service.clock.deadlines.now(),
            phase: Phase::Head(None),
            input: BytesMut::new(),
            input_ended: false,
            served: false,
            requests: 0,
            waiter: None,
            left_behind: LeftBehind::default(),
            unparsed: false,
            output: Output::default(),
            _guest: service.admit(),
            service: Rc::clone(service),
        }
    }

    /// Who is woken by deadlines.
    pub(crate) fn watch(&self, waker: &Waker) {
        self.timer.watch(waker);
    }

    /// Notes what the kernel said of the socket.
    pub(crate) fn note(&mut self, readiness: Readiness) {
        self.socket.note(readiness);
    }

    /// Goes on as far as it can; ready once the connection is to be closed. `cx` has the waker that
    /// was given to [`Connection::watch`].
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.service.drain.is_stopping() {
            self.abandon();
        } else if self.timer.is_due() {
            self.time_is_up();
        }
        self.socket.begin_turn();
        while !matches!(self.phase, Phase::Closed) {
            if self.poll_phase(cx).is_pending() {
                if self.socket.was_held_back() {
                    cx.waker().wake_by_ref();
                }
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }

    fn poll_phase(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.phase {
            Phase::Head(_) => self.poll_head(cx),
            Phase::Exchange(_) => self.poll_exchange(true, cx),
            Phase::Discard(..) => self.poll_discard(),
            Phase::Linger(_) | Phase::Close => self.poll_close(),
            Phase::Closed => Poll::Ready(()),
        }
    }

    // ---- heads -------------------------------------------------------------------------------

    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let service = Rc::clone(&self.service);
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
                self.turn(scratch, filled, cx);
            } else {
                let held = self.input.len();
                match self.socket.poll_read(&mut scratch.buffer[held..]) {
                    Poll::Pending => return self.await_request(),
                    Poll::Ready(Ok(0)) => self.end_of_heads(),
                    Poll::Ready(Ok(read)) => {
                        self.refill(scratch);
                        self.turn(scratch, held + read, cx);
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
        let held = self.input.len().min(scratch.buffer.len());
        if held > 0 {
            scratch.buffer[..held].copy_from_slice(&self.input[..held]);
            if held < self.input.len() {
                self.input.advance(held);
            } else {
                self.input = BytesMut::new();
            }
        }
        held
    }

    /// Takes all whole requests out of `scratch.buffer[..filled]`, which stands before what is held
    /// still, and keeps the rest.
    fn turn(&mut self, scratch: &mut Scratch, filled: usize, cx: &mut Context<'_>) {
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
        let mut at = 0;
        while at < filled {
            if self.output.is_full() {
                self.unparsed = true;
                break;
            }
            match head.parse_filled(&mut buffer[at..], filled - at, &self.service.head_limits) {
                Ok(None) => {
                    if head.has_begun(&buffer[at..filled]) {
                        self.phase = Phase::Head(Some(Box::new(std::mem::take(head))));
                    }
                    break;
                }
                Ok(Some(length)) => {
                    // Only a whole head ends the time that it was given.
                    self.awaiting = Awaiting::Nothing;
                    let (raw, behind) = buffer[at..filled].split_at(length);
                    match self.entry(cx) {
                        Entry::Now => {
                            at += length + self.dispatch(head, raw, behind, cx);
                            // An answer that came at once has left its place.
                            self.waiter = None;
                        }
                        Entry::Never => {
                            self.turn_away(head, raw);
                            at += length;
                        }
                        Entry::Later => {
                            // Read once more when its turn has come.
                            self.unparsed = true;
                            head.clear();
                            break;
                        }
                    }
                    head.clear();
                    if !matches!(self.phase, Phase::Head(_)) {
                        break;
                    }
                }
                Err(error) => {
                    self.awaiting = Awaiting::Nothing;
                    let status = error.status();
                    tracing::debug!("a request is refused with {status}: {error}");
                    self.refuse(status);
                    at = filled;
                }
            }
        }
        self.keep(&buffer[at..filled]);
    }

    /// Holds `rest` for later, before what is held already.
    #[inline]
    fn keep(&mut self, rest: &[u8]) {
        // What an exchange read ahead may exceed the shared buffer, where heads are kept short.
        if !self.input.is_empty() {
            self.unparsed |= matches!(self.phase, Phase::Head(_));
        }
        if !rest.is_empty() {
            let beyond = std::mem::replace(&mut self.input, BytesMut::from(rest));
            self.input.extend_from_slice(&beyond);
        }
    }

    /// The client sends no more.
    fn end_of_heads(&mut self) {
        self.input_ended = true;
        // A head that breaks off has been found good so far; nobody can answer it.
        self.phase = Phase::Close;
    }

    fn await_request(&mut self) -> Poll<()> {
        let draining = self.service.drain.is_draining();
        let timeouts = self.service.timeouts;
        if self.input.is_empty() {
            if self.awaiting != Awaiting::Request {
                self.heard = self.service.clock.deadlines.now();
                let timeout = if self.served {
                    timeouts.keep_alive
                } else {
                    timeouts.head
                };
                self.wait(Awaiting::Request, timeout);
            }
            if draining {
                self.timer.set_tick(
                    self.service
                        .clock
                        .deadlines
                        .since(self.heard, timeouts.linger),
                );
            }
        } else if self.awaiting != Awaiting::Head {
            self.wait(Awaiting::Head, timeouts.head);
        }
        Poll::Pending
    }

    // ---- exchanges ---------------------------------------------------------------------------

    fn poll_exchange(&mut self, woken: bool, cx: &mut Context<'_>) -> Poll<()> {
        let Phase::Exchange(exchange) = &mut self.phase else {
            return Poll::Ready(());
        };
        let mut io = Io {
            socket: &mut self.socket,
            input: &mut self.input,
            input_ended: &mut self.input_ended,
            output: &mut self.output,
            service: &self.service,
            left_behind: &mut self.left_behind,
        };
        match exchange.poll(&mut io, woken, cx) {
            Err(waiting) => {
                self.timer.set_tick(exchange.deadline(waiting, &io));
                self.awaiting = Awaiting::Exchange;
                Poll::Pending
            }
            Ok(Outcome::KeepAlive(None)) => {
                self.next_request();
                Poll::Ready(())
            }
            Ok(Outcome::KeepAlive(Some(upload))) => {
                self.phase = Phase::Discard(Box::new(upload), DISCARD);
                self.awaiting = Awaiting::Nothing;
                Poll::Ready(())
            }
            Ok(Outcome::Close) => {
                self.phase = if self.input_ended {
                    Phase::Close
                } else {
                    Phase::Linger(DISCARD)
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
        self.unparsed = !self.input.is_empty();
        // Idle connections are many: what this one read and wrote into goes back.
        if !self.unparsed {
            self.input = BytesMut::new();
        }
        if self.output.is_empty() {
            self.service
                .give_spare(std::mem::take(&mut self.output.bytes));
        }
        if self.service.drain.is_draining() && !self.unparsed {
            // This answer may have promised to go on; the linger decides.
            self.heard = self.service.clock.deadlines.now();
        }
    }

    fn poll_discard(&mut self) -> Poll<()> {
        let Phase::Discard(upload, budget) = &mut self.phase else {
            return Poll::Ready(());
        };
        loop {
            let before = self.input.len();
            upload.feed(&mut self.input);
            *budget = budget.saturating_sub(before - self.input.len());
            if upload.is_over() && !upload.has_failed() {
                self.next_request();
                return Poll::Ready(());
            }
            if upload.has_failed() || *budget == 0 {
                self.phase = Phase::Linger(DISCARD);
                self.awaiting = Awaiting::Nothing;
                return Poll::Ready(());
            }
            self.input.reserve(DISCARD / 4);
            match self.socket.poll_read_behind(&mut self.input) {
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

    // ---- the end -----------------------------------------------------------------------------

    /// Answers a head that is none, or not whole in time; then the connection ends.
    fn refuse(&mut self, status: u16) {
        self.refuse_with(status, |out, to, date| {
            refusal::write(out, status, to, date)
        });
    }

    fn refuse_with(
        &mut self,
        status: u16,
        write: impl FnOnce(&mut Vec<u8>, &Recipient, &Date) -> Given,
    ) {
        let to = Recipient {
            version: Version::Http11,
            method_id: 0,
            keep_alive: false,
        };
        write(&mut self.output.bytes, &to, &self.service.clock.date);
        self.log_refusal(status);
        self.phase = Phase::Linger(DISCARD);
    }

    fn poll_close(&mut self) -> Poll<()> {
        ready!(self.poll_flush());
        let Phase::Linger(budget) = &mut self.phase else {
            self.phase = Phase::Closed;
            return Poll::Ready(());
        };
        let service = Rc::clone(&self.service);
        let scratch = &mut *service.scratch.borrow_mut();
        if self.awaiting != Awaiting::Close {
            self.socket.shut_down_output();
        }
        while *budget > 0 {
            match self.socket.poll_read(&mut scratch.buffer) {
                Poll::Pending => {
                    if self.awaiting != Awaiting::Close {
                        self.wait(Awaiting::Close, LINGER);
                    }
                    return Poll::Pending;
                }
                Poll::Ready(Ok(0) | Err(_)) => break,
                Poll::Ready(Ok(read)) => *budget = budget.saturating_sub(read),
            }
        }
        self.phase = Phase::Closed;
        Poll::Ready(())
    }

    /// Writes what is to be written; an idle connection holds no buffer.
    #[inline]
    fn poll_flush(&mut self) -> Poll<()> {
        if self.output.is_empty() {
            return Poll::Ready(());
        }
        let before = self.output.written();
        match self.output.poll_flush(&mut self.socket) {
            Poll::Ready(Ok(())) => {
                self.service
                    .give_spare(std::mem::take(&mut self.output.bytes));
                if self.awaiting == Awaiting::Write {
                    self.awaiting = Awaiting::Nothing;
                }
                Poll::Ready(())
            }
            Poll::Ready(Err(_)) => {
                self.phase = Phase::Closed;
                Poll::Ready(())
            }
            Poll::Pending => {
                if self.awaiting != Awaiting::Write || self.output.written() != before {
                    self.wait(Awaiting::Write, self.service.timeouts.write);
                }
                Poll::Pending
            }
        }
    }

    fn wait(&mut self, awaiting: Awaiting, timeout: Duration) {
        self.awaiting = awaiting;
        if timeout.is_zero() {
            self.timer.set_tick(0);
        } else {
            self.timer.set(timeout);
        }
    }

    /// What a deadline that has passed means.
    #[cold]
    fn time_is_up(&mut self) {
        self.timer.set_tick(0);
        match (self.awaiting, &mut self.phase) {
            (Awaiting::Head, _) => self.refuse(408),
            (Awaiting::Entry, _) => self.entry_timed_out(),
            (_, Phase::Exchange(exchange)) => {
                let mut io = Io {
                    socket: &mut self.socket,
                    input: &mut self.input,
                    input_ended: &mut self.input_ended,
                    output: &mut self.output,
                    service: &self.service,
                    left_behind: &mut self.left_behind,
                };
                if !exchange.time_is_up(&mut io) {
                    self.abandon();
                }
            }
            _ => self.abandon(),
        }
        self.awaiting = Awaiting::Nothing;
    }

    /// Gives the connection up without another byte.
    fn abandon(&mut self) {
        if let Phase::Exchange(exchange) = &mut self.phase {
            let mut io = Io {
                socket: &mut self.socket,
                input: &mut self.input,
                input_ended: &mut self.input_ended,
                output: &mut self.output,
                service: &self.service,
                left_behind: &mut self.left_behind,
            };
            exchange.broken_off(&mut io);
        }
        self.phase = Phase::Closed;
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.abandon();
        self.service.slot.subtract(Counter::ConnectionsActive);
    }
}
