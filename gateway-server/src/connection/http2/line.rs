//! [`Line`]: the wire under HTTP/2, where a client's frames are counted as they are read, and what is
//! written in small pieces is gathered: the answers of a turn leave together.

use std::cell::{Cell, RefCell};
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
    /// What the engine has written and the wire has not, from an offset on.
    gathered: RefCell<(Vec<u8>, usize)>,
}

impl Gauge {
    pub(super) fn new(second: u32) -> Rc<Self> {
        Rc::new(Self {
            budget: Budget::new(second),
            written: Cell::new(0),
            blocked: Cell::new(false),
            gathered: RefCell::default(),
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

    /// Keeps pieces for later if there is room for them, and how many bytes they are.
    fn gather(&self, pieces: &[IoSlice<'_>]) -> Option<usize> {
        let (gathered, _) = &mut *self.gathered.borrow_mut();
        let length = pieces.iter().map(|piece| piece.len()).sum();
        if length > PIECE || gathered.len() + length > GATHERED {
            return None;
        }
        pieces
            .iter()
            .for_each(|piece| gathered.extend_from_slice(piece));
        Some(length)
    }

    /// Writes what was gathered; ready once it is written, and no memory is kept for it.
    ///
    /// # Errors
    ///
    /// The connection broke.
    pub(super) fn poll_flush(&self, wire: &SharedWire) -> Poll<io::Result<()>> {
        let (gathered, sent) = &mut *self.gathered.borrow_mut();
        while *sent < gathered.len() {
            let wrote = wire.with(|wire| wire.poll_write(&gathered[*sent..]));
            self.note_write(&wrote);
            *sent += ready!(wrote)?;
        }
        if *sent > 0 {
            (*gathered, *sent) = (Vec::new(), 0);
        }
        Poll::Ready(Ok(()))
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
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if let Some(length) = this.gauge.gather(buffers) {
            return Poll::Ready(Ok(length));
        }
        ready!(this.gauge.poll_flush(&this.wire))?;
        let wrote = Pin::new(&mut this.wire).poll_write_vectored(cx, buffers);
        this.gauge.note_write(&wrote);
        wrote
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.is_write_vectored()
    }

    /// What was taken will be sent at the end of the turn.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(this.gauge.poll_flush(&this.wire))?;
        Pin::new(&mut this.wire).poll_shutdown(cx)
    }
}

/// Bytes that are gathered.
const GATHERED: usize = 16 * 1024;
/// Bytes of a piece that is not worth a write of its own.
const PIECE: usize = 4 * 1024;
