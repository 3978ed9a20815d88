//! [`Driven`]: what the reactor drives on a socket: a connection in HTTP/1, or the task of another
//! protocol that the connection has turned out to speak.

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::departure::Departure;
use super::http2::Http2;
use super::{Connection, Phase};
use crate::wire::{Readiness, SharedWire};

/// Whoever speaks on a socket.
#[expect(clippy::large_enum_variant, reason = "nearly all are of the large one")]
pub(crate) enum Driven {
    /// HTTP/1.
    Http1(Connection),
    /// Another protocol, on a wire that reads and writes only while the task is polled.
    Task(SharedWire, Pin<Box<dyn Future<Output = ()>>>),
    /// Nobody any more.
    Over,
}

impl Driven {
    /// Notes what the kernel said of the socket.
    #[inline]
    pub(crate) fn note(&mut self, readiness: Readiness) {
        match self {
            Self::Http1(connection) => connection.note(readiness),
            Self::Task(wire, _) => wire.with(|wire| wire.note(readiness)),
            Self::Over => {}
        }
    }

    /// Goes on as far as it can; ready once the socket is to be closed. `cx` has the waker that was
    /// given to [`Connection::watch`].
    #[inline]
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Http1(connection) => {
                ready!(connection.poll(cx));
                if !matches!(connection.phase, Phase::Departing) {
                    return Poll::Ready(());
                }
                self.depart();
                self.poll(cx)
            }
            Self::Over => Poll::Ready(()),
            Self::Task(wire, task) => {
                wire.with(crate::wire::Wire::begin_turn);
                let polled = task.as_mut().poll(cx);
                if polled.is_pending() && wire.with(|wire| wire.was_held_back()) {
                    cx.waker().wake_by_ref();
                }
                polled
            }
        }
    }

    /// The connection goes on as a task.
    #[cold]
    fn depart(&mut self) {
        if let Self::Http1(connection) = mem::replace(self, Self::Over) {
            let departure = connection.depart();
            *self = Self::Task(departure.wire.clone(), Box::pin(Http2::new(departure)));
        }
    }
}

impl Connection {
    /// What there is beside HTTP/1's own state.
    fn depart(self) -> Departure {
        Departure {
            wire: SharedWire::new(self.io.wire, self.io.input),
            service: self.io.service,
            ends: self.ends,
            presence: self.presence,
        }
    }
}
