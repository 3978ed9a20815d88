//! [`ForeignStream`]: the host's upgraded connection.

use std::io::{self, IoSlice};
use std::ptr::NonNull;
use std::task::{Context, Poll};

use crate::abi::codes::kind_of;
use crate::abi::types::{GwIov, GwStream, GwStreamVt, GwWaker, code};
use crate::abi::waker::Lender;
use crate::error::ErrorKind;
use crate::upgrade::Duplex;

/// The duplex stream that `upgrade` yields.
pub(super) struct ForeignStream {
    stream: NonNull<GwStream>,
    reading: Lender,
    writing: Lender,
    draining: Lender,
}

// SAFETY: streams may migrate between threads.
unsafe impl Send for ForeignStream {}

type Simple = Option<unsafe extern "C" fn(*mut GwStream, *const GwWaker) -> i32>;

impl ForeignStream {
    /// # Safety
    ///
    /// `stream` is NULL or a valid stream that the caller owns and gives up.
    pub(super) unsafe fn take(stream: *mut GwStream) -> Option<Self> {
        let stream = NonNull::new(stream)?;
        // SAFETY: the caller's promise.
        let vt = unsafe { stream.as_ref() }.vt;
        // SAFETY: tables are valid until the process exits.
        let size = unsafe { vt.as_ref() }?.struct_size as usize;
        (size >= size_of::<GwStreamVt>()).then_some(Self {
            stream,
            reading: Lender::new(),
            writing: Lender::new(),
            draining: Lender::new(),
        })
    }

    fn table(&self) -> &GwStreamVt {
        // SAFETY: `take`'s caller gave us the stream, which lives until our `drop`.
        let vt = unsafe { self.stream.as_ref() }.vt;
        // SAFETY: hosts keep tables until the process exits; `take` checked the size.
        unsafe { &*vt }
    }

    fn simple(&mut self, poll: Simple, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(poll) = poll else {
            return Poll::Ready(Err(io::ErrorKind::Unsupported.into()));
        };
        let stream = self.stream.as_ptr();
        // SAFETY: a live stream, this half used by one thread at a time.
        let answer = self
            .writing
            .lend(cx.waker(), |waker| unsafe { poll(stream, waker) });
        outcome(answer, ())
    }
}

impl Duplex for ForeignStream {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let Some(poll) = self.table().poll_read else {
            return Poll::Ready(Err(io::ErrorKind::Unsupported.into()));
        };
        let (stream, mut count) = (self.stream.as_ptr(), 0);
        let (start, capacity) = (buffer.as_mut_ptr(), buffer.len());
        // SAFETY: a live stream; the buffer and the count outlive the call.
        let answer = self.reading.lend(cx.waker(), |waker| unsafe {
            poll(stream, waker, start, capacity, &raw mut count)
        });
        outcome(answer, count.min(capacity))
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Some(poll) = self.table().poll_write else {
            return Poll::Ready(Err(io::ErrorKind::Unsupported.into()));
        };
        let mut gathered = [GwIov {
            ptr: std::ptr::null(),
            len: 0,
        }; GATHERED];
        let mut used = 0;
        for (slot, buffer) in gathered
            .iter_mut()
            .zip(buffers.iter().filter(|buffer| !buffer.is_empty()))
        {
            *slot = GwIov {
                ptr: buffer.as_ptr(),
                len: buffer.len(),
            };
            used += 1;
        }
        let (stream, mut written) = (self.stream.as_ptr(), 0);
        // SAFETY: a live stream; the buffers and the count outlive the call.
        let answer = self.writing.lend(cx.waker(), |waker| unsafe {
            poll(stream, waker, gathered.as_ptr(), used, &raw mut written)
        });
        outcome(answer, written)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.simple(self.table().poll_flush, cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.simple(self.table().poll_shutdown, cx)
    }

    fn poll_draining(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(poll) = self.table().poll_draining else {
            return Poll::Pending;
        };
        let stream = self.stream.as_ptr();
        // SAFETY: a live stream.
        let answer = self
            .draining
            .lend(cx.waker(), |waker| unsafe { poll(stream, waker) });
        if answer == code::PENDING {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }
}

impl Drop for ForeignStream {
    fn drop(&mut self) {
        if let Some(drop) = self.table().drop {
            // SAFETY: the owner drops once.
            unsafe { drop(self.stream.as_ptr()) };
        }
    }
}

fn outcome<T>(answer: i32, value: T) -> Poll<io::Result<T>> {
    match answer {
        code::READY => Poll::Ready(Ok(value)),
        code::PENDING => Poll::Pending,
        error => Poll::Ready(Err(match kind_of(error) {
            ErrorKind::Closed => io::ErrorKind::BrokenPipe.into(),
            ErrorKind::Timeout => io::ErrorKind::TimedOut.into(),
            kind => io::Error::other(format!("the host's stream: {kind:?} ({error})")),
        })),
    }
}

/// Buffers of one gathered write; further ones wait for the next.
const GATHERED: usize = 16;
