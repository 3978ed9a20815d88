//! A connection: bytes, deadlines, keep-alive. Not a task, but a plain state machine, which the worker's
//! reactor drives through [`Driven`].
//!
//! A request's way: `heads` reads it and takes it apart, `detour` finds out whom it is for and whether the server
//! answers itself, `entry` has it wait for room, `dispatch` hands it over by `handover`, and `answer` writes down
//! what the application responds. An answer that comes at once leaves with the others of the turn. Otherwise the
//! request goes on by itself: as a `case`, known by its `docket`, in an `exchange` that moves its bodies by `upload`
//! and `download`, or in a `tunnel`; `ongoing` drives it from the call to the next request. `ending` says farewell.
//! What HTTP/2 does otherwise is in `http2`.
//!
//! Nothing is held while a connection is idle: heads are read into memory that all connections of
//! the worker use in turn, and answers that come at once are written from there.

mod account;
mod after;
mod answer;
mod application;
mod body_room;
mod bounds;
mod case;
mod content;
mod departure;
mod detour;
mod dialect;
mod dispatch;
mod docket;
mod download;
mod driven;
mod ending;
mod ends;
mod entry;
mod exchange;
mod expiry;
mod files;
mod handover;
mod handshake;
mod heads;
mod http2;
mod inlet;
mod introduction;
mod io;
mod known;
mod label;
mod link;
mod logged;
mod noted;
mod ongoing;
mod output;
mod packing;
mod patience;
mod places;
mod redirect;
mod refusal;
mod service;
mod source;
mod traced;
mod tunnel;
mod upload;
mod word;

use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use gateway_spec::Address;

pub(crate) use self::driven::Driven;
pub(crate) use self::ends::Entrance;
pub(crate) use self::service::{Service, Settings};

use self::ends::Ends;
use self::exchange::Exchange;
use self::io::Io;
use self::places::Waiter;
use self::service::Presence;
use self::upload::Upload;
use crate::deadlines::{Tick, Timer};
use crate::http1::Head;
use crate::wire::{Readiness, Wire};

/// A client's connection, from accept to close.
pub(crate) struct Connection {
    io: Io,
    ends: Ends,
    timer: Timer,
    /// What the timer is set for.
    awaiting: Awaiting,
    /// The clock when the client was last heard of, for the linger of a drain.
    heard: Tick,
    phase: Phase,
    /// Whether a request came: a client that never speaks is given less time than an idle one.
    served: bool,
    /// Requests that were read.
    requests: u32,
    /// Where the next request waits for others to end.
    waiter: Option<Waiter>,
    /// Whether the input may hold a whole head that was not looked at yet.
    unparsed: bool,
    presence: Presence,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaiting {
    Nothing,
    /// The end of the proxy's header.
    Introduction,
    /// The end of the TLS handshake.
    Handshake,
    /// The first byte of a request.
    Request,
    /// Nothing any more, unless a request has just come.
    Parting,
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
    /// A proxy is to say for whom it speaks.
    Introduction,
    /// TLS is being agreed upon.
    Handshake,
    /// Between requests, or within a head that is read so far.
    Head(Option<Box<Head>>),
    /// A request whose answer did not come at once.
    Exchange(Box<Exchange>),
    /// The rest of a body that the application did not want; so many bytes of it at most.
    Discard(Box<Upload>, usize),
    /// The answer is to be written, then no more is sent; what still comes is thrown away until then,
    /// so that the client can read the answer. Begins as [`Phase::LINGER`].
    Linger(Tick),
    /// The connection was idle and is being closed; what still comes has come too late.
    Parted(usize),
    /// The answer is to be written, then the connection is closed.
    Close,
    /// Another protocol is spoken from here on.
    Departing,
    Closed,
}

impl Connection {
    pub(crate) fn new(
        service: &Rc<Service>,
        wire: Wire,
        peer: &Address,
        entrance: Rc<Entrance>,
    ) -> Self {
        Self {
            timer: service.clock.deadlines.timer(),
            awaiting: Awaiting::Nothing,
            heard: service.clock.deadlines.now(),
            phase: if entrance.introduced {
                Phase::Introduction
            } else {
                Phase::first(&wire)
            },
            served: false,
            requests: 0,
            waiter: None,
            unparsed: false,
            presence: service.welcome(),
            ends: Ends::new(peer, entrance, service, wire.report()),
            io: Io::new(wire, service),
        }
    }

    /// Who is woken by deadlines.
    pub(crate) fn watch(&self, waker: &Waker) {
        self.timer.watch(waker);
    }

    /// Whether it is a front's.
    pub(crate) fn is_fronted(&self) -> bool {
        self.io.wire.report().is_some()
    }

    /// Lets the first turn ask the kernel for bytes, which has told of none yet.
    pub(crate) fn expect_input(&mut self) {
        self.io.wire.expect_input();
    }

    /// Notes what the kernel said of the socket.
    pub(crate) fn note(&mut self, readiness: Readiness) {
        self.io.wire.note(readiness);
    }

    /// Goes on as far as it can; ready once the connection is to be closed. `cx` has the waker that
    /// was given to [`Connection::watch`].
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.io.service.drain.is_stopping() {
            self.abandon();
        } else if self.timer.is_due() {
            self.time_is_up();
        }
        self.io.wire.begin_turn();
        while !matches!(self.phase, Phase::Closed | Phase::Departing) {
            if self.poll_phase(cx).is_pending() {
                if self.io.wire.was_held_back() {
                    cx.waker().wake_by_ref();
                }
                self.io.wire.settle();
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }

    fn poll_phase(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.phase {
            Phase::Introduction => self.poll_introduction(),
            Phase::Handshake => self.poll_handshake(),
            Phase::Head(_) => self.poll_head(cx),
            Phase::Exchange(_) => self.poll_exchange(true, cx),
            Phase::Discard(..) => self.poll_discard(),
            Phase::Linger(_) => self.poll_linger(cx),
            Phase::Parted(_) | Phase::Close => self.poll_close(),
            Phase::Departing | Phase::Closed => Poll::Ready(()),
        }
    }

    /// Writes what is to be written; an idle connection holds no buffer.
    #[inline]
    fn poll_flush(&mut self) -> Poll<()> {
        if self.io.output.is_empty() {
            return Poll::Ready(());
        }
        let before = self.io.output.written();
        match self.io.output.poll_flush(&mut self.io.wire) {
            Poll::Ready(Ok(())) => {
                self.io.output.give_up_memory();
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
                if self.awaiting != Awaiting::Write || self.io.output.written() != before {
                    self.wait(Awaiting::Write, self.io.service.timeouts.write);
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
}

impl Phase {
    /// The end of a connection whose client may still be sending.
    const LINGER: Self = Self::Linger(0);

    /// How a client begins.
    fn first(wire: &Wire) -> Self {
        match wire.is_secured() {
            true => Self::Handshake,
            false => Self::Head(None),
        }
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.wire.as_fd()
    }
}
