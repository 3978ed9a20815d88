//! A request's body, which answers CLOSED once its exchange is over (BODY-11).

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::exchange::HostedExchange;
use crate::body::{Body, BodyStream, Frame};
use crate::error::{Error, ErrorKind};

struct Upload {
    body: Body,
    exchange: Arc<HostedExchange>,
}

/// The body as long as the exchange lasts; one whose bytes are all there is left as it is.
pub(super) fn attended(body: Body, exchange: Arc<HostedExchange>) -> Body {
    if !body.is_stream() {
        return body;
    }
    Body::stream(Upload { body, exchange })
}

impl BodyStream for Upload {
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, Error>>> {
        if self.exchange.has_ended() {
            let what = "the exchange was over before its body was read";
            return Poll::Ready(Some(Err(Error::new(ErrorKind::Closed, what))));
        }
        self.body.poll_frame(cx)
    }

    fn length(&self) -> Option<u64> {
        self.body.length()
    }
}
