//! [`Inflow`]: a request body of HTTP/2 on its way to the application.
//!
//! The client's window grows by what the application has taken, and only then: for a body that nobody
//! polls the server holds one window and no more.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use gateway_spec::{Body, ErrorKind, Fields, Frame};
use h2::RecvStream;
use http::HeaderMap;

use super::super::inlet::{Inlet, Wish};
use crate::http1::is_forbidden_trailer;
use crate::http2::Budget;
use crate::limits::{BodyLimits, UNREAD_BODY};

/// The connection's end.
#[derive(Debug)]
pub(super) struct Inflow {
    /// None once nothing more of it is wanted.
    recv: Option<RecvStream>,
    inlet: Inlet,
    /// `100 Continue` is due when the body is first wanted.
    continue_due: bool,
    limits: BodyLimits,
    /// Bytes so far.
    pub(super) received: u64,
    /// All content has come.
    content_ended: bool,
    /// Bytes that may still be thrown away.
    discards: usize,
}

/// What became of a look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flowed {
    /// The application has something to look at.
    Fed,
    /// The client waits for `100 Continue`.
    Asked,
    /// The client has to send.
    Waiting,
    /// Nothing is wanted now.
    Nothing,
}

impl Inflow {
    /// The two ends for a body of this length, if that is known.
    pub(super) fn new(
        recv: RecvStream,
        length: Option<u64>,
        continue_due: bool,
        limits: BodyLimits,
    ) -> (Self, Body) {
        let (inlet, body) = Inlet::new(length);
        let inflow = Self {
            recv: Some(recv),
            inlet,
            continue_due,
            limits,
            received: 0,
            content_ended: false,
            discards: UNREAD_BODY,
        };
        (inflow, body)
    }

    /// For a body that no application is to see.
    pub(super) fn unwanted(recv: RecvStream) -> Self {
        Self::new(recv, None, false, BodyLimits::default()).0
    }

    /// Moves what has come to the application, if that wants it.
    pub(super) fn poll(&mut self, budget: &Budget, cx: &mut Context<'_>) -> Flowed {
        match self.inlet.wish() {
            Wish::Nothing => return Flowed::Nothing,
            Wish::Dropped => {
                let _ = self.poll_discard(cx);
                return Flowed::Nothing;
            }
            Wish::More => {}
        }
        let Some(recv) = &mut self.recv else {
            return Flowed::Nothing;
        };
        if std::mem::take(&mut self.continue_due) {
            return Flowed::Asked;
        }
        if !self.content_ended {
            match recv.poll_data(cx) {
                Poll::Pending => return Flowed::Waiting,
                Poll::Ready(Some(Ok(data))) => {
                    budget.credit_exchange();
                    self.data(data);
                    return Flowed::Fed;
                }
                Poll::Ready(Some(Err(error))) => {
                    self.fail(kind_of(&error));
                    return Flowed::Fed;
                }
                Poll::Ready(None) => self.content_ended = true,
            }
        }
        match recv.poll_trailers(cx) {
            Poll::Pending => return Flowed::Waiting,
            Poll::Ready(Ok(None)) => self.end(VecDeque::new()),
            Poll::Ready(Ok(Some(trailers))) => match self.trailers_of(trailers) {
                Ok(fields) if fields.is_empty() => self.end(VecDeque::new()),
                Ok(fields) => self.end(VecDeque::from([Frame::Trailers(fields)])),
                Err(kind) => _ = self.fail(kind),
            },
            Poll::Ready(Err(error)) => _ = self.fail(kind_of(&error)),
        }
        Flowed::Fed
    }

    /// Throws away what still comes, within limits, so that it blocks no other stream; ready once there is
    /// nothing more, or too much.
    pub(super) fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(recv) = &mut self.recv {
            match ready!(recv.poll_data(cx)) {
                Some(Ok(data)) if data.len() <= self.discards => {
                    self.discards -= data.len();
                    // It cannot be more than what came.
                    let _ = recv.flow_control().release_capacity(data.len());
                }
                _ => self.recv = None,
            }
        }
        Poll::Ready(())
    }

    /// The stream's task runs; see [`Inlet::stay_awake`].
    pub(super) fn stay_awake(&self) {
        self.inlet.stay_awake();
    }

    /// The stream's task is about to sleep; false if the application wants something.
    pub(super) fn sleep(&self, waker: &Waker) -> bool {
        self.inlet.sleep(waker) || self.recv.is_none()
    }

    /// Ends the body for the application, before its own end; false if it had one.
    pub(super) fn fail(&mut self, kind: ErrorKind) -> bool {
        let fails = self.recv.take().is_some();
        if fails {
            self.inlet.fail(kind);
        }
        fails
    }

    fn data(&mut self, data: Bytes) {
        self.received += data.len() as u64;
        if self.received > self.limits.body {
            self.fail(ErrorKind::Limit);
            return;
        }
        let Some(recv) = &mut self.recv else { return };
        // It cannot be more than what came.
        let _ = recv.flow_control().release_capacity(data.len());
        let frames = if data.is_empty() {
            VecDeque::new()
        } else {
            VecDeque::from([Frame::Data(data)])
        };
        if recv.is_end_stream() {
            self.end(frames);
        } else {
            self.inlet.push(frames, None);
        }
    }

    fn end(&mut self, frames: VecDeque<Frame>) {
        self.recv = None;
        self.inlet.push(frames, Some(Ok(())));
    }

    /// Those that an application may see, by the policy of both versions.
    fn trailers_of(&self, trailers: HeaderMap) -> Result<Fields, ErrorKind> {
        if trailers.len() > self.limits.trailer_fields {
            return Err(ErrorKind::Limit);
        }
        // RFC 9113 §8.2.1; the library lets it through.
        let is_trimmed = |value: &http::HeaderValue| {
            let value = value.as_bytes();
            value.trim_ascii().len() == value.len()
        };
        if !trailers.values().all(is_trimmed) {
            return Err(ErrorKind::Protocol);
        }
        let bytes = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            name.as_str().len() + value.len() + LINE
        };
        if trailers.iter().map(bytes).sum::<usize>() > self.limits.trailers as usize {
            return Err(ErrorKind::Limit);
        }
        let kept = trailers
            .iter()
            .filter(|(name, _)| !is_forbidden_trailer(name.as_str().as_bytes()))
            .map(|(name, value)| (name.clone(), value.clone()));
        Ok(kept.collect())
    }
}

fn kind_of(error: &h2::Error) -> ErrorKind {
    if error.is_io() || error.is_remote() {
        ErrorKind::Closed
    } else {
        ErrorKind::Protocol
    }
}

/// `: ` and CRLF, as HTTP/1 counts them.
const LINE: usize = 4;
