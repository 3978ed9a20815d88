//! An upgraded connection: the application reads and writes bounded queues, the connection's task
//! moves them from and to the socket.
//!
//! The queues let the application keep the stream in any task of any thread.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use gateway_spec::Duplex;

use super::socket::Socket;

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
    draining: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
    drainer: Option<Waker>,
    connection: Option<Waker>,
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

    /// Moves bytes both ways; ready once both directions have ended or the connection broke.
    pub(super) fn poll(
        &self,
        socket: &mut Socket,
        scratch: &mut [u8],
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        loop {
            let wrote = self.poll_output(socket);
            let read = self.poll_input(socket, scratch);
            let mut inner = self.shared.lock();
            if inner.broken.is_some() || inner.dropped && inner.output.is_empty() {
                return Poll::Ready(());
            }
            if !wrote && !read {
                inner.connection = Some(cx.waker().clone());
                return Poll::Pending;
            }
        }
    }

    /// Whether something was written.
    fn poll_output(&self, socket: &mut Socket) -> bool {
        let mut inner = self.shared.lock();
        if inner.output.is_empty() {
            if inner.output_ending && !inner.output_ended {
                socket.shut_down_output();
                inner.output_ended = true;
                inner.wake_writer();
            }
            return false;
        }
        let (front, back) = inner.output.as_slices();
        match socket.poll_write_all_of(&[IoSlice::new(front), IoSlice::new(back)]) {
            Poll::Pending => false,
            Poll::Ready(Ok(count)) => {
                inner.output.drain(..count);
                inner.wake_writer();
                true
            }
            Poll::Ready(Err(error)) => {
                inner.fail(error.kind());
                false
            }
        }
    }

    /// Whether something was read.
    fn poll_input(&self, socket: &mut Socket, scratch: &mut [u8]) -> bool {
        let mut inner = self.shared.lock();
        if inner.input_ended || inner.dropped || inner.input.len() >= QUEUE_BYTES {
            return false;
        }
        let room = (QUEUE_BYTES - inner.input.len()).min(scratch.len());
        match socket.poll_read(&mut scratch[..room]) {
            Poll::Pending => return false,
            Poll::Ready(Ok(0)) => inner.input_ended = true,
            Poll::Ready(Ok(count)) => inner.input.extend(&scratch[..count]),
            Poll::Ready(Err(error)) => inner.fail(error.kind()),
        }
        inner.reader.take().into_iter().for_each(Waker::wake);
        true
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        let mut inner = self.shared.lock();
        if inner.broken.is_none() {
            inner.fail(io::ErrorKind::BrokenPipe);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn fail(&mut self, kind: io::ErrorKind) {
        self.broken = Some(kind);
        self.output.clear();
        self.wake_writer();
        self.reader.take().into_iter().for_each(Waker::wake);
    }

    fn wake_writer(&mut self) {
        self.writer.take().into_iter().for_each(Waker::wake);
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

/// Bytes that each direction holds between the application and the socket.
const QUEUE_BYTES: usize = 64 * 1024;
