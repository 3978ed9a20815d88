//! An upgraded connection: the application reads and writes bounded queues, the connection moves them
//! from and to the wire.
//!
//! The queues let the application keep the stream in any task of any thread.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use gateway_spec::Duplex;

use crate::wire::Wire;

/// The connection's end.
#[derive(Debug)]
pub(super) struct Tunnel {
    shared: Arc<Shared>,
}

/// The application's end.
#[derive(Debug)]
struct Stream {
    shared: Arc<Shared>,
}

/// Guards what the two ends share.
#[derive(Debug, Default)]
struct Shared(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// From the client.
    input: VecDeque<u8>,
    input_ended: bool,
    /// To the client.
    output: VecDeque<u8>,
    /// The application ends the output once the queue is written.
    output_ending: bool,
    output_ended: bool,
    broken: Option<io::ErrorKind>,
    /// The application dropped its end.
    dropped: bool,
    /// All bytes ever written, to tell progress.
    written: u64,
    draining: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
    drainer: Option<Waker>,
    connection: Option<Waker>,
}

/// What a tunnel's bytes go through: a connection of HTTP/1, or a stream of HTTP/2.
pub(super) trait Pipe {
    /// Reads some bytes; 0 is the end of input.
    fn poll_read(&mut self, into: &mut [u8], cx: &mut Context<'_>) -> Poll<io::Result<usize>>;

    /// Writes some of `buffers`, in order.
    fn poll_write(
        &mut self,
        buffers: &[IoSlice<'_>],
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>>;

    /// Ends the output; the peer may go on sending.
    fn shut_down_output(&mut self);
}

/// Whoever notes the wire's readiness polls the tunnel.
impl Pipe for Wire {
    fn poll_read(&mut self, into: &mut [u8], _: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.poll_read(into)
    }

    fn poll_write(
        &mut self,
        buffers: &[IoSlice<'_>],
        _: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        self.poll_write_all_of(buffers)
    }

    fn shut_down_output(&mut self) {
        self.shut_down_output();
    }
}

impl Tunnel {
    /// The two ends; `ahead` is what the client sent behind its request.
    pub(super) fn new(ahead: &[u8], draining: bool) -> (Self, Box<dyn Duplex>) {
        let shared = Arc::new(Shared::default());
        {
            let mut inner = shared.lock();
            inner.input.extend(ahead);
            inner.draining = draining;
        }
        (
            Self {
                shared: Arc::clone(&shared),
            },
            Box::new(Stream { shared }),
        )
    }

    /// Tells the application that the server drains.
    pub(super) fn tell_draining(&self) {
        let waker = {
            let mut inner = self.shared.lock();
            inner.draining = true;
            inner.drainer.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    /// Whether something waits for the client to read.
    pub(super) fn is_blocked(&self) -> bool {
        !self.shared.lock().output.is_empty()
    }

    /// All bytes ever written.
    pub(super) fn written(&self) -> u64 {
        self.shared.lock().written
    }

    /// Moves bytes both ways; ready once the application has no use for the stream any more and all
    /// that it wrote is sent.
    ///
    /// # Errors
    ///
    /// The connection broke.
    pub(super) fn poll(
        &self,
        pipe: &mut impl Pipe,
        scratch: &mut [u8],
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            // Before looking, so that nothing which another thread does falls between the two.
            self.shared.lock().connection = Some(cx.waker().clone());
            let wrote = self.poll_output(pipe, cx);
            let read = self.poll_input(pipe, scratch, cx);
            let inner = self.shared.lock();
            if let Some(kind) = inner.broken {
                return Poll::Ready(Err(kind.into()));
            }
            if inner.dropped && inner.output.is_empty() {
                return Poll::Ready(Ok(()));
            }
            if !wrote && !read {
                return Poll::Pending;
            }
        }
    }

    /// Whether something was written.
    fn poll_output(&self, pipe: &mut impl Pipe, cx: &mut Context<'_>) -> bool {
        let mut inner = self.shared.lock();
        if inner.output.is_empty() {
            if inner.output_ending && !inner.output_ended {
                pipe.shut_down_output();
                inner.output_ended = true;
                let writer = inner.writer.take();
                drop(inner);
                writer.into_iter().for_each(Waker::wake);
            }
            return false;
        }
        let (front, back) = inner.output.as_slices();
        let (woken, wrote) = match pipe.poll_write(&[IoSlice::new(front), IoSlice::new(back)], cx) {
            Poll::Pending => return false,
            Poll::Ready(Ok(count)) => {
                inner.output.drain(..count);
                give_up_memory(&mut inner.output);
                inner.written += count as u64;
                ([inner.writer.take(), None], true)
            }
            Poll::Ready(Err(error)) => (inner.fail(error.kind()), false),
        };
        // Behind the lock: to wake may end the task that holds the stream.
        drop(inner);
        woken.into_iter().flatten().for_each(Waker::wake);
        wrote
    }

    /// Whether something was read.
    fn poll_input(&self, pipe: &mut impl Pipe, scratch: &mut [u8], cx: &mut Context<'_>) -> bool {
        let mut inner = self.shared.lock();
        if inner.input_ended || inner.dropped || inner.input.len() >= QUEUE_BYTES {
            return false;
        }
        let room = (QUEUE_BYTES - inner.input.len()).min(scratch.len());
        let woken = match pipe.poll_read(&mut scratch[..room], cx) {
            Poll::Pending => return false,
            Poll::Ready(Ok(0)) => {
                inner.input_ended = true;
                [None, inner.reader.take()]
            }
            Poll::Ready(Ok(count)) => {
                inner.input.extend(&scratch[..count]);
                [None, inner.reader.take()]
            }
            Poll::Ready(Err(error)) => inner.fail(error.kind()),
        };
        drop(inner);
        woken.into_iter().flatten().for_each(Waker::wake);
        true
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        let woken = {
            let mut inner = self.shared.lock();
            match inner.broken {
                None => inner.fail(io::ErrorKind::BrokenPipe),
                Some(_) => [None, None],
            }
        };
        woken.into_iter().flatten().for_each(Waker::wake);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Whom to wake then.
    fn fail(&mut self, kind: io::ErrorKind) -> [Option<Waker>; 2] {
        self.broken = Some(kind);
        self.output.clear();
        [self.writer.take(), self.reader.take()]
    }

    fn wake_connection(&mut self) {
        self.connection.take().into_iter().for_each(Waker::wake);
    }
}

impl Duplex for Stream {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut inner = self.shared.lock();
        if inner.input.is_empty() {
            if inner.input_ended {
                return Poll::Ready(Ok(0));
            }
            if let Some(kind) = inner.broken {
                return Poll::Ready(Err(kind.into()));
            }
            inner.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = io::Read::read(&mut inner.input, buffer)?;
        give_up_memory(&mut inner.input);
        inner.wake_connection();
        Poll::Ready(Ok(count))
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut inner = self.shared.lock();
        if let Some(kind) = inner.broken {
            return Poll::Ready(Err(kind.into()));
        }
        if inner.output_ending {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let mut room = QUEUE_BYTES.saturating_sub(inner.output.len());
        let mut count = 0;
        for buffer in buffers {
            let taken = &buffer[..buffer.len().min(room)];
            inner.output.extend(taken);
            count += taken.len();
            room -= taken.len();
        }
        if count == 0 && buffers.iter().any(|buffer| !buffer.is_empty()) {
            inner.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        inner.wake_connection();
        Poll::Ready(Ok(count))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.shared.lock();
        if let Some(kind) = inner.broken {
            return Poll::Ready(Err(kind.into()));
        }
        if inner.output.is_empty() {
            return Poll::Ready(Ok(()));
        }
        inner.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.shared.lock();
        if inner.output_ended || inner.broken.is_some() {
            return Poll::Ready(Ok(()));
        }
        inner.output_ending = true;
        inner.writer = Some(cx.waker().clone());
        inner.wake_connection();
        Poll::Pending
    }

    fn poll_draining(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.shared.lock();
        if inner.draining {
            return Poll::Ready(());
        }
        inner.drainer = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut inner = self.shared.lock();
        inner.dropped = true;
        inner.wake_connection();
    }
}

/// Leaves an idle tunnel no more memory than small messages need.
fn give_up_memory(queue: &mut VecDeque<u8>) {
    if queue.is_empty() && queue.capacity() > KEPT_BYTES {
        *queue = VecDeque::new();
    }
}

/// Memory that an empty queue keeps, in bytes.
const KEPT_BYTES: usize = 4 * 1024;
/// Bytes that each direction holds between the application and the wire.
const QUEUE_BYTES: usize = 64 * 1024;
