//! [`Kept`]: a body of events that is kept alive while nothing happens, and ends when the server drains.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use gateway_spec::{Body, BodyStream, Error, Frame};
use tokio::time::{Instant, Sleep, sleep};

use crate::context::Cx;

/// A body of events.
pub(super) struct Kept {
    body: Body,
    /// Ready once the server drains. None if there is no server, or nothing more to be sent.
    draining: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    idle: Option<Idle>,
}

/// The time in which nothing has been sent.
struct Idle {
    period: Duration,
    over: Pin<Box<Sleep>>,
}

impl Kept {
    pub(super) fn new(body: Body, cx: Option<Cx>, period: Option<Duration>) -> Self {
        Self {
            body,
            draining: cx.map(|cx| Box::pin(drained(cx)) as _),
            idle: period.map(|period| Idle {
                period,
                over: Box::pin(sleep(period)),
            }),
        }
    }
}

impl BodyStream for Kept {
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, Error>>> {
        // First, so that code which always has something to send does not hold a reload up.
        if let Some(draining) = &mut self.draining
            && draining.as_mut().poll(cx).is_ready()
        {
            self.draining = None;
            self.idle = None;
            self.body = Body::empty();
        }
        if let Poll::Ready(frame) = self.body.poll_frame(cx) {
            if let Some(idle) = &mut self.idle {
                idle.begin();
            }
            return Poll::Ready(frame);
        }
        let Some(idle) = &mut self.idle else {
            return Poll::Pending;
        };
        if idle.over.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        idle.begin();
        Poll::Ready(Some(Ok(Frame::Data(Bytes::from_static(COMMENT)))))
    }
}

impl Idle {
    fn begin(&mut self) {
        self.over.as_mut().reset(Instant::now() + self.period);
    }
}

async fn drained(cx: Cx) {
    cx.head().draining().await;
}

/// An empty comment, and the empty line behind every event.
const COMMENT: &[u8] = b":\n\n";
