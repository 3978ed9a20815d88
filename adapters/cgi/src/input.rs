//! A request body from the standard input.
//!
//! A thread reads it, whether or not the application does: a server that writes the whole body before
//! it reads any of the answer must not wait for an application that answers first. And one whose body is
//! left unread may take that for a failure, and lose the answer: the process ends behind that thread.

use std::collections::VecDeque;
use std::io::Read;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle};

use gateway_spec::bytes::Bytes;
use gateway_spec::{Body, BodyStream, Error, ErrorKind, Frame};

/// Guards what thread and application share.
#[derive(Debug, Default)]
struct Queue(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    pieces: VecDeque<Bytes>,
    end: Option<Result<(), ErrorKind>>,
    reader: Option<Waker>,
}

#[derive(Debug)]
struct Reader {
    queue: Arc<Queue>,
    length: Option<u64>,
}

/// A body of this length, or one that ends with the input and is no longer than `most`; and the thread
/// that reads it.
pub(crate) fn body(
    input: impl Read + Send + 'static,
    length: Option<u64>,
    most: u64,
) -> (Body, JoinHandle<()>) {
    let queue = Arc::new(Queue::default());
    let shared = Arc::clone(&queue);
    let reading = thread::spawn(move || shared.fill(input, length, most));
    (Body::stream(Reader { queue, length }), reading)
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fill(&self, mut input: impl Read, length: Option<u64>, most: u64) {
        let mut left = length.unwrap_or(most);
        let mut buffer = vec![0; 64 * 1024];
        let end = loop {
            if left == 0 && length.is_some() {
                break Ok(());
            }
            // One byte more than the limit tells that there is more.
            let room = usize::try_from(left.max(1))
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            match input.read(&mut buffer[..room]) {
                Ok(0) if length.is_none() => break Ok(()),
                Ok(0) | Err(_) => break Err(ErrorKind::Closed),
                Ok(_) if left == 0 => break Err(ErrorKind::Limit),
                Ok(count) => {
                    left -= count as u64;
                    self.push(Some(Bytes::copy_from_slice(&buffer[..count])), None);
                }
            }
        };
        self.push(None, Some(end));
    }

    fn push(&self, piece: Option<Bytes>, end: Option<Result<(), ErrorKind>>) {
        let reader = {
            let mut inner = self.lock();
            inner.pieces.extend(piece);
            inner.end = end;
            inner.reader.take()
        };
        reader.into_iter().for_each(Waker::wake);
    }
}

impl BodyStream for Reader {
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, Error>>> {
        let mut inner = self.queue.lock();
        if let Some(piece) = inner.pieces.pop_front() {
            return Poll::Ready(Some(Ok(Frame::Data(piece))));
        }
        match inner.end {
            Some(Ok(())) => Poll::Ready(None),
            Some(Err(kind)) => {
                let error = Error::new(kind, format!("the request body: {kind:?}"));
                Poll::Ready(Some(Err(error)))
            }
            None => {
                inner.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn length(&self) -> Option<u64> {
        self.length
    }
}
