//! Events that are sent when somebody tells them.

use std::task::Poll;

use gateway_spec::bytes::Bytes;
use gateway_spec::http::HeaderValue;
use gateway_spec::http::header::CONTENT_TYPE;
use gateway_spec::{Body, Frame, Response};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{Receiver, Sender, channel};

use crate::tunnels::CountsWhenDropped;

/// Where they are told.
#[derive(Debug)]
pub(crate) struct Events(Sender<String>);

impl Events {
    pub(crate) fn new() -> Self {
        Self(channel(16).0)
    }

    /// Tells all listeners; how many there are.
    pub(crate) fn tell(&self, event: &str) -> Response {
        let told = self.0.send(event.to_owned()).unwrap_or(0);
        Response::text(told.to_string())
    }

    /// A stream of events that never ends by itself; `counts` lives as long.
    pub(crate) fn stream(&self, counts: CountsWhenDropped) -> Response {
        let mut next = Box::pin(next(self.0.subscribe()));
        let body = Body::from_fn(move |cx| {
            let _lives = &counts;
            let Poll::Ready((event, told)) = next.as_mut().poll(cx) else {
                return Poll::Pending;
            };
            next.set(self::next(told));
            let event = event.map(|event| Frame::Data(Bytes::from(format!("data: {event}\n\n"))));
            Poll::Ready(event.ok().map(Ok))
        });
        Response::new(body).with(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"))
    }
}

/// The next event, and where the one after it will come.
async fn next(mut told: Receiver<String>) -> (Result<String, RecvError>, Receiver<String>) {
    let event = told.recv().await;
    (event, told)
}
