//! [`Inlet`]: a request body between a connection and the application: a bounded queue of frames.
//!
//! The application may poll its end from any thread; it never touches the connection. It takes what is
//! there or says that it wants more, and the connection gets more only then.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use gateway_spec::{Body, BodyStream, Error, ErrorKind, Frame};

/// The connection's end.
#[derive(Debug)]
pub(super) struct Inlet {
    queue: Arc<Queue>,
}

/// Guards what the two ends share.
#[derive(Debug, Default)]
struct Queue(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    frames: VecDeque<Frame>,
    end: Option<Result<(), ErrorKind>>,
    /// The application has polled in vain.
    wanted: bool,
    /// The application has dropped its end.
    dropped: bool,
    reader: Option<Waker>,
    /// The connection, while it sleeps.
    connection: Option<Waker>,
}

/// The application's end.
#[derive(Debug)]
struct Reader {
    queue: Arc<Queue>,
    length: Option<u64>,
}

/// What the application wants of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// More of the body.
    More,
    /// Nothing now.
    Nothing,
    /// Nothing any more.
    Dropped,
}

impl Inlet {
    /// The two ends for a body of this length, if that is known.
    pub(super) fn new(length: Option<u64>) -> (Self, Body) {
        let queue = Arc::new(Queue::default());
        let reader = Reader {
            queue: Arc::clone(&queue),
            length,
        };
        (Self { queue }, Body::stream(reader))
    }

    /// What the application wants.
    pub(super) fn wish(&self) -> Wish {
        let inner = self.queue.lock();
        match (inner.dropped, inner.wanted) {
            (true, _) => Wish::Dropped,
            (false, true) => Wish::More,
            (false, false) => Wish::Nothing,
        }
    }

    /// The connection is driven: it sees for itself what is wanted, and a wake would only have it driven
    /// again, for ever.
    pub(super) fn stay_awake(&self) {
        self.queue.lock().connection = None;
    }

    /// The connection is about to sleep: whom to wake. False if the application wants more.
    pub(super) fn sleep(&self, connection: &Waker) -> bool {
        let mut inner = self.queue.lock();
        let watching = inner
            .connection
            .as_ref()
            .is_some_and(|old| old.will_wake(connection));
        if !watching {
            inner.connection = Some(connection.clone());
        }
        inner.dropped || !inner.wanted
    }

    /// Queues what came, and the end if it has come.
    pub(super) fn push(&self, frames: VecDeque<Frame>, end: Option<Result<(), ErrorKind>>) {
        self.queue.push(frames, end);
    }

    /// Ends the body for the application, before its own end.
    pub(super) fn fail(&self, kind: ErrorKind) {
        self.push(VecDeque::new(), Some(Err(kind)));
    }
}

impl Drop for Inlet {
    /// After the exchange the body answers CLOSED, wherever it has been moved to.
    fn drop(&mut self) {
        let ended = self.queue.lock().end.is_some();
        if !ended {
            self.fail(ErrorKind::Closed);
        }
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, mut frames: VecDeque<Frame>, end: Option<Result<(), ErrorKind>>) {
        let reader = {
            let mut inner = self.lock();
            if inner.dropped {
                return;
            }
            if !frames.is_empty() || end.is_some() {
                inner.wanted = false;
            }
            inner.frames.append(&mut frames);
            inner.end = inner.end.or(end);
            if inner.wanted {
                None
            } else {
                inner.reader.take()
            }
        };
        reader.into_iter().for_each(Waker::wake);
    }
}

impl BodyStream for Reader {
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, Error>>> {
        let connection = {
            let mut inner = self.queue.lock();
            if let Some(frame) = inner.frames.pop_front() {
                return Poll::Ready(Some(Ok(frame)));
            }
            match inner.end {
                Some(Ok(())) => return Poll::Ready(None),
                Some(Err(kind)) => {
                    let error = Error::new(kind, format!("the request body: {kind:?}"));
                    return Poll::Ready(Some(Err(error)));
                }
                None => {}
            }
            let asked_before = std::mem::replace(&mut inner.wanted, true);
            let waker = cx.waker();
            if !inner
                .reader
                .as_ref()
                .is_some_and(|old| old.will_wake(waker))
            {
                inner.reader = Some(waker.clone());
            }
            // It knows already: waking it again would have it poll the application again, for ever.
            inner.connection.take_if(|_| !asked_before)
        };
        connection.into_iter().for_each(Waker::wake);
        Poll::Pending
    }

    fn length(&self) -> Option<u64> {
        self.length
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let connection = {
            let mut inner = self.queue.lock();
            inner.dropped = true;
            inner.frames.clear();
            inner.connection.take()
        };
        connection.into_iter().for_each(Waker::wake);
    }
}
