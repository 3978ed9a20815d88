//! [`Output`]: what waits to be written to a connection.

use std::fs::File;
use std::io::{self, IoSlice};
use std::task::{Poll, ready};

use gateway_spec::FileRegion;
use gateway_spec::abi::OwnedBuffer;

use crate::http1::Outgoing;
use crate::wire::Wire;

/// Bytes in our own memory and, behind them, at most one large thing that is not copied.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// Heads, small bodies, framing.
    pub(super) bytes: Outgoing,
    sent: usize,
    /// All bytes ever written, to tell progress.
    written: u64,
    tail: Tail,
}

/// What stands behind the bytes.
#[derive(Debug, Default)]
enum Tail {
    #[default]
    None,
    /// A buffer of the application's, sent from an offset on.
    Buffer(OwnedBuffer, usize),
    /// A part of a file.
    File { file: File, offset: u64, left: u64 },
}

impl Output {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.len() == self.sent && matches!(self.tail, Tail::None)
    }

    /// All bytes ever written.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Whether something stands behind the bytes, so that nothing may be added to them.
    pub(super) fn has_tail(&self) -> bool {
        !matches!(self.tail, Tail::None)
    }

    /// Whether more should be written before more is produced.
    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() - self.sent >= HIGH_WATER || self.has_tail()
    }

    /// Adds a buffer: a copy of a small one, the buffer itself otherwise.
    pub(super) fn push(&mut self, buffer: OwnedBuffer) {
        if buffer.len() <= COPIED {
            self.bytes.extend_from_slice(&buffer);
        } else {
            debug_assert!(!self.has_tail());
            self.tail = Tail::Buffer(buffer, 0);
        }
    }

    /// Adds a part of a file.
    pub(super) fn push_file(&mut self, region: FileRegion) {
        debug_assert!(!self.has_tail());
        let FileRegion {
            file,
            offset,
            length,
        } = region;
        if length > 0 {
            self.tail = Tail::File {
                file,
                offset,
                left: length,
            };
        }
    }

    /// Writes `bytes`, before which nothing waits: at once, as most answers are, or else they become
    /// the output. They are empty afterwards.
    ///
    /// # Errors
    ///
    /// The connection broke.
    #[inline]
    pub(super) fn send(&mut self, bytes: &mut Outgoing, wire: &mut Wire) -> io::Result<()> {
        debug_assert!(self.is_empty());
        let count = match wire.poll_write(bytes) {
            Poll::Ready(count) => count?,
            Poll::Pending => 0,
        };
        self.written += count as u64;
        if count < bytes.len() {
            self.sent = count;
            std::mem::swap(&mut self.bytes, bytes);
        }
        bytes.clear();
        Ok(())
    }

    /// Keeps no memory for what will be written, if nothing waits.
    #[inline]
    pub(super) fn give_up_memory(&mut self) {
        if self.is_empty() && self.bytes.capacity() > 0 {
            self.bytes = Outgoing::default();
            self.sent = 0;
        }
    }

    /// Writes everything; ready once it is written.
    ///
    /// # Errors
    ///
    /// The connection broke; `UnexpectedEof` if a file ended before its part did.
    pub(super) fn poll_flush(&mut self, wire: &mut Wire) -> Poll<io::Result<()>> {
        while self.sent < self.bytes.len() || self.has_tail() {
            let count = ready!(self.poll_write_some(wire))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
        self.bytes.clear();
        self.sent = 0;
        Poll::Ready(Ok(()))
    }

    fn poll_write_some(&mut self, wire: &mut Wire) -> Poll<io::Result<usize>> {
        let bytes = &self.bytes[self.sent..];
        let count = match &mut self.tail {
            Tail::Buffer(buffer, at) if !bytes.is_empty() => {
                let parts = [IoSlice::new(bytes), IoSlice::new(&buffer[*at..])];
                ready!(wire.poll_write_all_of(&parts))?
            }
            Tail::File { .. } if !bytes.is_empty() => ready!(wire.poll_write_ahead(bytes))?,
            _ if !bytes.is_empty() => ready!(wire.poll_write(bytes))?,
            Tail::Buffer(buffer, at) => ready!(wire.poll_write(&buffer[*at..]))?,
            Tail::File { file, offset, left } => {
                let count = ready!(wire.poll_send_file(file, *offset, *left))?;
                *offset += count as u64;
                *left -= count as u64;
                self.written += count as u64;
                if *left == 0 {
                    self.tail = Tail::None;
                }
                return Poll::Ready(Ok(count));
            }
            Tail::None => 0,
        };
        self.advance(count);
        Poll::Ready(Ok(count))
    }

    fn advance(&mut self, count: usize) {
        self.written += count as u64;
        let of_bytes = count.min(self.bytes.len() - self.sent);
        self.sent += of_bytes;
        if let Tail::Buffer(buffer, at) = &mut self.tail {
            *at += count - of_bytes;
            if *at == buffer.len() {
                self.tail = Tail::None;
            }
        }
    }
}

/// Buffers up to this size are copied: cheaper than a second element of a gathered write.
pub(super) const COPIED: usize = 4 * 1024;
/// Once so much waits, it is written before another answer is made.
pub(super) const HIGH_WATER: usize = 64 * 1024;
