//! Calls of the application's code: in the request's context, panics held.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::context::{Cx, InContext};
use crate::error::Result;

/// What a panic said. The server's log has the place.
#[derive(Debug, thiserror::Error)]
#[error("panicked: {0}")]
struct Panicked(String);

/// Runs a call of the application's code; a panic of it is an error.
pub(super) fn contained<T>(
    cx: &Cx,
    call: Pin<Box<dyn Future<Output = Result<T>> + Send + '_>>,
) -> impl Future<Output = Result<T>> + Send + Unpin {
    Contained(InContext::new(cx.clone(), call))
}

/// As [`contained`], for the whole of a request's work: once it waits, it is to be finished though
/// the client goes away, unless the route says otherwise.
pub(super) async fn finished<T>(
    cx: &Cx,
    call: Pin<Box<dyn Future<Output = Result<T>> + Send + '_>>,
) -> Result<T> {
    let mut call = contained(cx, call);
    let mut has_waited = false;
    poll_fn(|waker| {
        let polled = Pin::new(&mut call).poll(waker);
        if polled.is_pending() && !has_waited {
            has_waited = true;
            if !cx.options().is_some_and(|options| options.cancel) {
                cx.head().finish_on_disconnect();
            }
        }
        polled
    })
    .await
}

struct Contained<F>(F);

impl<T, F: Future<Output = Result<T>> + Unpin> Future for Contained<F> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, waker: &mut Context<'_>) -> Poll<Result<T>> {
        let mut polled = Poll::Pending;
        let poll = || polled = Pin::new(&mut self.0).poll(waker);
        match catch_unwind(AssertUnwindSafe(poll)) {
            Ok(()) => polled,
            Err(payload) => Poll::Ready(Err(Panicked(said(payload.as_ref())).into())),
        }
    }
}

fn said(payload: &(dyn Any + Send)) -> String {
    match payload.downcast_ref::<&'static str>() {
        Some(text) => (*text).to_owned(),
        None => payload
            .downcast_ref::<String>()
            .map_or_else(|| "without a message".to_owned(), Clone::clone),
    }
}
