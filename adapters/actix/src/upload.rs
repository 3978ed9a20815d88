//! A request's body across threads: actix-web's payloads stay on theirs, a gateway's body may move.
//!
//! A task of the payload's thread reads a piece when the body is asked for one, and no sooner.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use actix_web::error::PayloadError;
use actix_web::web;
use bytes::Bytes;
use futures_util::Stream;
use gateway_spec::{Body, BodyStream, Error, ErrorKind, Frame};

/// The payload as a body.
pub(crate) fn pulled(payload: web::Payload, length: Option<u64>) -> Body {
    let desk = Arc::new(Desk::default());
    actix_web::rt::spawn(Pump {
        payload,
        desk: Arc::clone(&desk),
    });
    let body = Body::stream(Pulled { desk, left: length });
    match length {
        Some(length) => body.with_length(length),
        None => body,
    }
}

/// Where both sides meet; guards what lies on it, and who waits.
#[derive(Default)]
struct Desk(Mutex<State>);

#[derive(Default)]
struct State {
    is_wanted: bool,
    piece: Option<Option<Result<Bytes, Error>>>,
    is_over: bool,
    reader: Option<Waker>,
    pump: Option<Waker>,
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody is on one of the sides any more.
    fn leave(&self) {
        let wakers = {
            let mut state = self.lock();
            state.is_over = true;
            [state.reader.take(), state.pump.take()]
        };
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

/// The reader's side.
struct Pulled {
    desk: Arc<Desk>,
    /// Bytes to come, where they are known.
    left: Option<u64>,
}

impl Pulled {
    /// An end before the declared one is none.
    fn checked(&mut self, piece: Option<Result<Bytes, Error>>) -> Option<Result<Frame, Error>> {
        match (piece, &mut self.left) {
            (None, Some(1..)) => {
                let what = "the body ended short of its length";
                Some(Err(Error::new(ErrorKind::Closed, what)))
            }
            (Some(Ok(bytes)), left) => {
                if let Some(left) = left {
                    *left = left.saturating_sub(bytes.len() as u64);
                }
                Some(Ok(Frame::Data(bytes)))
            }
            (Some(Err(error)), _) => Some(Err(error)),
            (None, _) => None,
        }
    }
}

impl BodyStream for Pulled {
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, Error>>> {
        let desk = Arc::clone(&self.desk);
        let pump = {
            let mut state = desk.lock();
            if let Some(piece) = state.piece.take() {
                drop(state);
                return Poll::Ready(self.checked(piece));
            }
            if state.is_over {
                let error = Error::new(ErrorKind::Closed, "the connection is gone");
                return Poll::Ready(Some(Err(error)));
            }
            state.is_wanted = true;
            state.reader = Some(cx.waker().clone());
            state.pump.take()
        };
        if let Some(pump) = pump {
            pump.wake();
        }
        Poll::Pending
    }
}

impl Drop for Pulled {
    fn drop(&mut self) {
        self.desk.leave();
    }
}

/// The payload's side.
struct Pump {
    payload: web::Payload,
    desk: Arc<Desk>,
}

impl Future for Pump {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        loop {
            {
                let mut state = this.desk.lock();
                if state.is_over {
                    return Poll::Ready(());
                }
                state.pump = Some(cx.waker().clone());
                if !state.is_wanted {
                    return Poll::Pending;
                }
            }
            let piece = ready!(Pin::new(&mut this.payload).poll_next(cx));
            let ends = !matches!(piece, Some(Ok(_)));
            let reader = {
                let mut state = this.desk.lock();
                state.is_wanted = false;
                state.piece = Some(piece.map(|piece| piece.map_err(|error| told(&error))));
                state.reader.take()
            };
            if let Some(reader) = reader {
                reader.wake();
            }
            if ends {
                return Poll::Ready(());
            }
        }
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.desk.leave();
    }
}

fn told(error: &PayloadError) -> Error {
    let kind = match error {
        PayloadError::Incomplete(_) => ErrorKind::Closed,
        PayloadError::Overflow => ErrorKind::Limit,
        PayloadError::Io(_) => ErrorKind::Io,
        _ => ErrorKind::Protocol,
    };
    Error::new(kind, error.to_string())
}
