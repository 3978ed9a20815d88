//! [`Line`]: the wire under HTTP/2, where a client's frames are counted as they are read.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::http2::{Budget, Frames};
use crate::wire::SharedWire;

/// A wire that is read and written by the library's engine.
#[derive(Debug)]
pub(super) struct Line {
    wire: SharedWire,
    frames: Frames,
    gauge: Rc<Gauge>,
}

/// What is known of it outside of the engine.
#[derive(Debug)]
pub(super) struct Gauge {
    pub(super) budget: Budget,
    /// All bytes ever written, to tell progress.
    written: Cell<u64>,
    /// The client takes no more.
    blocked: Cell<bool>,
}

impl Gauge {
    pub(super) fn new(second: u32) -> Rc<Self> {
        Rc::new(Self {
            budget: Budget::new(second),
            written: Cell::new(0),
            blocked: Cell::new(false),
        })
    }

    /// All bytes ever written.
    pub(super) fn written(&self) -> u64 {
        self.written.get()
    }

    /// Whether something waits for the client to read.
    pub(super) fn is_blocked(&self) -> bool {
        self.blocked.get()
    }

    fn note_write(&self, wrote: &Poll<io::Result<usize>>) {
        self.blocked.set(wrote.is_pending());
        if let Poll::Ready(Ok(count)) = wrote {
            self.written.set(self.written.get() + *count as u64);
        }
    }
}

impl Line {
    pub(super) fn new(wire: SharedWire, gauge: &Rc<Gauge>) -> Self {
        Self {
            wire,
            frames: Frames::new(),
            gauge: Rc::clone(gauge),
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // What is left of too much need not be looked at.
        if self.gauge.budget.excess().is_some() {
            return Poll::Pending;
        }
        let before = into.filled().len();
        let this = &mut *self;
        ready!(Pin::new(&mut this.wire).poll_read(cx, into))?;
        this.frames
            .follow(&into.filled()[before..], &this.gauge.budget);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.wire).poll_write(cx, bytes);
        self.gauge.note_write(&wrote);
        wrote
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.wire).poll_write_vectored(cx, buffers);
        self.gauge.note_write(&wrote);
        wrote
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(cx)
    }
}
