//! [`Http2`]: a connection in HTTP/2, from its preface to its close: a task that the reactor drives.
//!
//! The frames are the `h2` library's; what is ours is who may speak, how long, and what a request means.

mod arrival;
mod base;
mod inflow;
mod line;
mod outflow;
mod pipe;
mod stream;
mod waiting;

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::Reason;
use h2::server::{self, Builder, Handshake};

use self::arrival::{Admission, Arrival, arrive};
use self::base::Base;
use self::line::{Gauge, Line};
use self::outflow::AT_ONCE;
use self::waiting::wait;
use super::departure::Departure;
use super::patience::Patience;
use super::service::{Presence, Service};
use crate::deadlines::{Deadlines, TICKS_A_SECOND, Tick, Timer};
use crate::limits::{
    HTTP2_FAULTY_STREAMS, HTTP2_HEADER_TABLE, HTTP2_UNSEEN_RESETS, LINGER, PARTING,
};
use crate::wire::SharedWire;

/// A client's connection, from its preface to its close.
pub(super) struct Http2 {
    base: Rc<Base>,
    wire: SharedWire,
    stage: Stage,
    /// How far the end has been announced.
    leaving: Leaving,
    timer: Timer,
    /// The client's, while it does not read.
    patience: Patience,
    /// Requests that were read.
    requests: u32,
    _presence: Presence,
}

enum Stage {
    /// The preface is read, the settings are sent.
    Greeting(Box<Handshake<Line, Bytes>>),
    Open(Box<server::Connection<Line, Bytes>>),
    /// All is said; what still comes is thrown away, so that the client can read it.
    Parting(usize),
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaving {
    No,
    /// GOAWAY was sent, and a PING: what is on its way is still served (RFC 9113 §6.8).
    Announced,
    /// The last GOAWAY was.
    Now,
}

impl Http2 {
    /// Goes on with a connection whose client speaks HTTP/2.
    pub(super) fn new(departure: Departure) -> Self {
        let Departure {
            wire,
            service,
            ends,
            presence,
        } = departure;
        let gauge = Gauge::new(second(&service));
        let line = Line::new(wire.clone(), &gauge);
        Self {
            stage: Stage::Greeting(Box::new(builder(&service).handshake(line))),
            leaving: Leaving::No,
            timer: service.clock.deadlines.timer(),
            patience: Patience::new(service.terms.write()),
            requests: 0,
            base: Base::new(service, ends, &gauge),
            wire,
            _presence: presence,
        }
    }

    fn poll_stage(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.stage {
            Stage::Greeting(handshake) => {
                match ready!(Pin::new(handshake).poll(cx)) {
                    Ok(engine) => self.stage = Stage::Open(Box::new(engine)),
                    Err(error) => self.part(Some(error)),
                }
                Poll::Ready(())
            }
            Stage::Open(_) => self.poll_open(cx),
            Stage::Parting(_) => self.poll_parting(),
            Stage::Closed => Poll::Ready(()),
        }
    }

    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            self.mind_the_end();
            let Stage::Open(engine) = &mut self.stage else {
                return Poll::Ready(());
            };
            // Work that answers have left behind is bounded: requests wait in the engine.
            let polled = if self.base.left_behind.borrow().is_full(cx.waker()) {
                engine.poll_closed(cx).map(|end| end.err().map(Err))
            } else {
                engine.poll_accept(cx)
            };
            match polled {
                Poll::Ready(Some(Ok(arrival))) => self.arrive(arrival, cx),
                Poll::Ready(end) => {
                    self.part(end.and_then(Result::err));
                    return Poll::Ready(());
                }
                Poll::Pending if self.is_excessive() => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Looks at a request that was read.
    fn arrive(&mut self, arrival: Arrival, cx: &mut Context<'_>) {
        let base = &self.base;
        let service = &base.service;
        base.note_business();
        self.requests = self.requests.saturating_add(1);
        base.gauge.budget.credit_exchange();
        let scratch = &mut *service.scratch.borrow_mut();
        let crowded = arrive(base, scratch, arrival, Admission::Free, cx.waker());
        if let Some((arrival, places)) = crowded {
            tokio::task::spawn_local(wait(Rc::clone(base), arrival, places));
        }
    }

    /// Whether the client has sent too much, and was not told yet.
    fn is_excessive(&self) -> bool {
        self.leaving != Leaving::Now && self.base.gauge.budget.excess().is_some()
    }

    /// Announces the end where there is a reason for it.
    fn mind_the_end(&mut self) {
        let Stage::Open(engine) = &mut self.stage else {
            return;
        };
        let service = &self.base.service;
        if self.leaving != Leaving::Now
            && let Some(excess) = self.base.gauge.budget.excess()
        {
            tracing::info!("{}: cut off: {excess}", self.base.ends.client());
            self.leaving = Leaving::Now;
            engine.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
        }
        let most = if service.timeouts.keep_alive.is_zero() {
            1
        } else {
            service.keep_alive_requests
        };
        let enough = self.requests >= most || service.drain.is_draining();
        if self.leaving == Leaving::No && enough {
            self.leaving = Leaving::Announced;
            engine.graceful_shutdown();
        }
    }

    /// The engine has ended, in peace or not.
    fn part(&mut self, error: Option<h2::Error>) {
        if let Some(error) = &error {
            tracing::debug!("{}: a connection ends: {error}", self.base.ends.client());
        }
        self.stage = match error {
            Some(error) if error.is_io() => Stage::Closed,
            _ => Stage::Parting(PARTING),
        };
        self.base.note_business();
    }

    fn poll_parting(&mut self) -> Poll<()> {
        let Stage::Parting(budget) = &mut self.stage else {
            return Poll::Ready(());
        };
        let scratch = &mut *self.base.service.scratch.borrow_mut();
        while *budget > 0 {
            let read = self.wire.with(|wire| wire.poll_read(&mut scratch.buffer));
            match ready!(read) {
                Ok(0) | Err(_) => break,
                Ok(read) => *budget = budget.saturating_sub(read),
            }
        }
        self.stage = Stage::Closed;
        Poll::Ready(())
    }

    /// When to look at it again; 0 is never.
    fn deadline(&mut self) -> Tick {
        let base = &self.base;
        let service = &base.service;
        let now = service.clock.deadlines.now();
        if base.gauge.is_blocked() {
            // Bytes that the kernel holds are none that the client has taken.
            let unsent = self.wire.with(|wire| wire.unsent());
            let taken = base.gauge.written().saturating_sub(unsent);
            return self.patience.run(taken, now, service.terms.write());
        }
        self.patience.rest(now);
        let since = base.busy_until();
        let timeout = match (&self.stage, self.leaving) {
            (Stage::Parting(_), _) => LINGER,
            (Stage::Open(_), _) if !base.is_idle() => return 0,
            (Stage::Open(_), Leaving::No) if self.requests > 0 => service.timeouts.keep_alive,
            (Stage::Open(_), Leaving::Announced | Leaving::Now) => service.timeouts.linger,
            _ => service.timeouts.head,
        };
        since.saturating_add(Deadlines::ticks(timeout))
    }

    /// A deadline has passed.
    fn time_is_up(&mut self) {
        let now = self.base.service.clock.deadlines.now();
        let due = self.deadline();
        if due == 0 || due > now {
            return;
        }
        let blocked = self.base.gauge.is_blocked();
        match (&mut self.stage, self.leaving) {
            (Stage::Open(engine), Leaving::No) if !blocked => {
                self.leaving = Leaving::Announced;
                engine.graceful_shutdown();
                self.base.note_business();
            }
            (Stage::Open(engine), Leaving::Announced) if !blocked => {
                self.leaving = Leaving::Now;
                engine.abrupt_shutdown(Reason::NO_ERROR);
                self.base.note_business();
            }
            _ => {
                if blocked {
                    // The kernel would go on for minutes to offer what the client does not take.
                    self.wire.with(|wire| wire.end_with_reset(true));
                }
                self.stage = Stage::Closed;
            }
        }
    }
}

impl Future for Http2 {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.timer.watch(cx.waker());
        let service = &this.base.service;
        if service.drain.is_stopping() {
            return Poll::Ready(());
        }
        this.base.gauge.budget.credit_time(second(service));
        if this.timer.is_due() {
            this.timer.set_tick(0);
            this.time_is_up();
        }
        while !matches!(this.stage, Stage::Closed) {
            if this.poll_stage(cx).is_pending() {
                if let Poll::Ready(Err(_)) = this.base.gauge.poll_flush(&this.wire) {
                    break;
                }
                let due = this.deadline();
                this.timer.set_tick(due);
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }
}

fn builder(service: &Service) -> Builder {
    let options = &service.http2;
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(options.streams)
        .initial_window_size(options.stream_window)
        .initial_connection_window_size(options.window)
        .max_header_list_size(service.head_limits.head)
        .header_table_size(HTTP2_HEADER_TABLE)
        .max_send_buffer_size(AT_ONCE)
        .max_local_error_reset_streams(Some(HTTP2_FAULTY_STREAMS))
        .max_pending_accept_reset_streams(HTTP2_UNSEEN_RESETS)
        .enable_connect_protocol();
    builder
}

/// Of the coarse clock.
fn second(service: &Service) -> u32 {
    service.clock.deadlines.now() / TICKS_A_SECOND
}
