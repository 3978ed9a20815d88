//! [`Call`]: a request in a hosted gateway, until its answer.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use http::StatusCode;

use super::answer::{Answer, Terms};
use super::bounded::{Bounded, detach};
use super::exchange::Attendance;
use super::life::{Phase, Watch};
use crate::response::Response;

type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;

/// A call, as a future of its answer.
///
/// Dropped before that, the client has gone: the gateway's future is dropped, unless the
/// application said that it finishes nevertheless.
pub struct Call {
    work: Option<Work>,
}

struct Work {
    answering: Answering,
    attendance: Attendance,
    terms: Terms,
    watch: Watch,
}

impl Call {
    pub(super) fn new(answering: Answering, attendance: Attendance, terms: Terms) -> Self {
        let watch = Watch::new(attendance.life());
        Self {
            work: Some(Work {
                answering,
                attendance,
                terms,
                watch,
            }),
        }
    }

    /// A call that comes too late to be made.
    pub(super) fn refused() -> Self {
        Self { work: None }
    }
}

impl Future for Call {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        let Some(work) = &mut self.work else {
            return Poll::Ready(Answer::refusal(StatusCode::SERVICE_UNAVAILABLE));
        };
        // A future that panicked is not polled again: it is dropped below.
        let polled = catch_unwind(AssertUnwindSafe(|| work.answering.as_mut().poll(cx)));
        let response = match polled {
            Ok(Poll::Ready(response)) => Some(response),
            Err(_) => Some(Response::reason(StatusCode::INTERNAL_SERVER_ERROR)),
            Ok(Poll::Pending) if work.watch.poll(Phase::Over, cx).is_ready() => None,
            Ok(Poll::Pending) => return Poll::Pending,
        };
        let (Some(work), Some(response)) = (self.work.take(), response) else {
            return Poll::Ready(Answer::refusal(StatusCode::SERVICE_UNAVAILABLE));
        };
        drop(work.answering);
        work.attendance.exchange.answered();
        Poll::Ready(Answer::new(response, &work.terms, work.attendance))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let Some(work) = self.work.take() else { return };
        work.attendance.exchange.client_gone();
        if work.attendance.exchange.finishes() {
            let Work {
                answering,
                attendance,
                ..
            } = work;
            let life = attendance.life().clone();
            let rest = Box::pin(async move {
                drop(answering.await);
                drop(attendance);
            });
            detach(Bounded::new(rest, Watch::new(&life), None));
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Call")
    }
}
