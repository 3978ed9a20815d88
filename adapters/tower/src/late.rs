//! An `OnUpgrade` for a service behind a gateway.
//!
//! Services take a connection over by hyper's `OnUpgrade`, which nobody but a connection of hyper's
//! makes. So here is one: it reads a request of four lines from memory, hands over the `OnUpgrade`
//! of that, and waits. When the service has answered 101 to the real request, it answers too, into
//! nowhere, and hyper gives its stream to the service: which is then the real one.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use gateway_spec::{Body, Upgraded};
use http::header::{CONNECTION, UPGRADE};
use http::{Response, StatusCode};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream that is promised.
pub(crate) struct Late {
    connection: Pin<Box<dyn Future<Output = Result<(), hyper::Error>> + Send>>,
    line: Arc<Line>,
    answers: Arc<AtomicBool>,
}

impl Late {
    /// The promise, and its other side for a service.
    pub(crate) fn new() -> Option<(Self, OnUpgrade)> {
        let line = Arc::new(Line::default());
        let answers = Arc::new(AtomicBool::new(false));
        let offered = Arc::new(Mutex::new(None));
        let service = {
            let (answers, offered) = (Arc::clone(&answers), Arc::clone(&offered));
            service_fn(move |mut request: http::Request<hyper::body::Incoming>| {
                let upgrade = hyper::upgrade::on(&mut request);
                *offered.lock().unwrap_or_else(PoisonError::into_inner) = Some(upgrade);
                let answers = Arc::clone(&answers);
                async move {
                    poll_fn(|_| answered(&answers)).await;
                    Ok::<_, Infallible>(switching())
                }
            })
        };
        let io = End(Arc::clone(&line));
        let connection = http1::Builder::new().serve_connection(io, service);
        let connection: Pin<Box<dyn Future<Output = _> + Send>> =
            Box::pin(connection.with_upgrades());
        let mut late = Self {
            connection,
            line,
            answers,
        };
        let _waiting = late.poll_connection();
        let upgrade = offered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()?;
        Some((late, upgrade))
    }

    /// Keeps the promise, and waits until the service has let go of the stream.
    pub(crate) async fn keep(mut self, stream: Upgraded) {
        self.answers.store(true, Ordering::Release);
        if self.poll_connection().is_pending() {
            log::error!(target: "gateway", "an upgrade was not completed");
            return;
        }
        let line = Arc::clone(&self.line);
        line.open(stream);
        let _closes = Closes(Arc::clone(&line));
        poll_fn(|cx| line.poll_gone(cx)).await;
    }

    /// Nothing of it waits for anything but us.
    fn poll_connection(&mut self) -> Poll<Result<(), hyper::Error>> {
        let cx = &mut Context::from_waker(Waker::noop());
        self.connection.as_mut().poll(cx)
    }
}

fn answered(answers: &AtomicBool) -> Poll<()> {
    if answers.load(Ordering::Acquire) {
        Poll::Ready(())
    } else {
        Poll::Pending
    }
}

fn switching() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, http::HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, http::HeaderValue::from_static("late"));
    response
}

/// What both sides of the promise share; guards the stream, and whoever waits for it.
#[derive(Default)]
struct Line(Mutex<State>);

#[derive(Default)]
struct State {
    /// Bytes of the request that hyper has read.
    read: usize,
    /// hyper's own response is written; what follows is the service's.
    is_switched: bool,
    stream: Option<Upgraded>,
    is_over: bool,
    /// Who waits for the stream to read, to write, and for its end.
    waiting: [Option<Waker>; 3],
    scratch: Vec<u8>,
}

impl Line {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, stream: Upgraded) {
        let waiting = {
            let mut state = self.lock();
            if !state.is_over {
                state.stream = Some(stream);
            }
            [state.waiting[READS].take(), state.waiting[WRITES].take()]
        };
        waiting.into_iter().flatten().for_each(Waker::wake);
    }

    fn close(&self) {
        let (stream, waiting) = {
            let mut state = self.lock();
            state.is_over = true;
            (state.stream.take(), std::mem::take(&mut state.waiting))
        };
        drop(stream);
        waiting.into_iter().flatten().for_each(Waker::wake);
    }

    fn poll_gone(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.is_over {
            return Poll::Ready(());
        }
        state.waiting[ENDS] = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl State {
    /// The stream, once it is there.
    fn poll_stream(
        &mut self,
        waits: usize,
        cx: &Context<'_>,
    ) -> Poll<io::Result<Pin<&mut Upgraded>>> {
        if self.is_over {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        match &mut self.stream {
            Some(stream) => Poll::Ready(Ok(Pin::new(stream))),
            None => {
                self.waiting[waits] = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// Ends the line when the exchange does.
struct Closes(Arc<Line>);

impl Drop for Closes {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// hyper's end of the line.
struct End(Arc<Line>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Read for End {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let state = &mut *self.0.lock();
        let head = &HEAD[state.read..];
        if !head.is_empty() {
            let count = head.len().min(buffer.remaining());
            buffer.put_slice(&head[..count]);
            state.read += count;
            return Poll::Ready(Ok(()));
        }
        let mut scratch = std::mem::take(&mut state.scratch);
        scratch.resize(buffer.remaining().min(PIECE), 0);
        let mut piece = ReadBuf::new(&mut scratch);
        let polled = match state.poll_stream(READS, cx) {
            Poll::Ready(Ok(stream)) => stream.poll_read(cx, &mut piece),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        };
        buffer.put_slice(piece.filled());
        state.scratch = scratch;
        polled
    }
}

impl Write for End {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let state = &mut *self.0.lock();
        if !state.is_switched {
            state.is_switched = bytes.ends_with(b"\r\n\r\n");
            return Poll::Ready(Ok(bytes.len()));
        }
        ready!(state.poll_stream(WRITES, cx))?.poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0.lock().stream {
            Some(stream) => Pin::new(stream).poll_flush(cx),
            // Nothing was written yet that had to go anywhere.
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let state = &mut *self.0.lock();
        ready!(state.poll_stream(WRITES, cx))?.poll_shutdown(cx)
    }
}

/// Places of those who wait.
const READS: usize = 0;
const WRITES: usize = 1;
const ENDS: usize = 2;
/// The request that hyper reads.
const HEAD: &[u8] = b"GET / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: late\r\n\r\n";
/// Bytes that are read at once.
const PIECE: usize = 16 * 1024;
