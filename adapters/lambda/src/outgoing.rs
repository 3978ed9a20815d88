//! [`Outgoing`]: the body of a request to the runtime interface.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use gateway_spec::hosting::Content;
use gateway_spec::{Error, Frame};
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use hyper::body::{Body, SizeHint};
use serde_json::json;

/// Bytes at hand, then what an application makes.
#[derive(Debug)]
pub(crate) struct Outgoing {
    first: Bytes,
    content: Option<Content>,
}

impl Outgoing {
    pub(crate) fn empty() -> Self {
        Self::whole(Bytes::new())
    }

    pub(crate) fn whole(first: Bytes) -> Self {
        Self {
            first,
            content: None,
        }
    }

    pub(crate) fn streamed(prelude: Bytes, content: Content) -> Self {
        Self {
            first: prelude,
            content: Some(content),
        }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
        if !self.first.is_empty() {
            let first = std::mem::take(&mut self.first);
            return Poll::Ready(Some(Ok(hyper::body::Frame::data(first))));
        }
        while let Some(content) = &mut self.content {
            match ready!(content.poll_frame(cx)) {
                Some(Ok(Frame::Data(bytes))) => {
                    return Poll::Ready(Some(Ok(hyper::body::Frame::data(bytes))));
                }
                // Lambda has no place for an application's trailers.
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    self.content = None;
                    let trailers = hyper::body::Frame::trailers(broken_off(&error));
                    return Poll::Ready(Some(Ok(trailers)));
                }
                None => self.content = None,
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_empty() && self.content.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match self.content {
            None => SizeHint::with_exact(self.first.len() as u64),
            Some(_) => SizeHint::default(),
        }
    }
}

/// The trailers that tell a response from one that is whole.
fn broken_off(error: &Error) -> HeaderMap {
    let told = json!({"errorType": "Gateway.Body", "errorMessage": error.to_string()});
    let told = STANDARD.encode(told.to_string());
    let mut trailers = HeaderMap::new();
    trailers.insert(ERROR_TYPE, HeaderValue::from_static("Gateway.Body"));
    if let Ok(told) = HeaderValue::from_str(&told) {
        trailers.insert(ERROR_BODY, told);
    }
    trailers
}

pub(crate) const ERROR_TYPE: HeaderName =
    HeaderName::from_static("lambda-runtime-function-error-type");
pub(crate) const ERROR_BODY: HeaderName =
    HeaderName::from_static("lambda-runtime-function-error-body");
