//! Bodies, both ways.

use std::error::Error as StdError;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use gateway_spec::hosting::Content;
use gateway_spec::{Body, BodyStream, Error, ErrorKind, Fields, Frame};
use http_body::Body as _;

pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

/// The body of a response of a gateway.
pub struct ResponseBody {
    content: Option<Content>,
}

impl ResponseBody {
    pub(crate) fn new(content: Content) -> Self {
        let content = (!content.is_over()).then_some(content);
        Self { content }
    }
}

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Error>>> {
        let Some(content) = &mut self.content else {
            return Poll::Ready(None);
        };
        let frame = match ready!(content.poll_frame(cx)) {
            Some(Ok(Frame::Data(bytes))) => Some(Ok(http_body::Frame::data(bytes))),
            Some(Ok(Frame::Trailers(fields))) => {
                Some(Ok(http_body::Frame::trailers(fields.into())))
            }
            Some(Ok(_)) => {
                let what = "a frame that is neither data nor trailers";
                Some(Err(Error::new(ErrorKind::Internal, what)))
            }
            Some(Err(error)) => Some(Err(error)),
            None => None,
        };
        if !matches!(frame, Some(Ok(_))) {
            self.content = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.content.as_ref().is_none_or(Content::is_over)
    }

    /// Nothing is said of bodies that are not there: in answer to HEAD that would be taken for the
    /// length of the others.
    fn size_hint(&self) -> http_body::SizeHint {
        let length = self.content.as_ref().and_then(Content::length);
        length.map_or_else(
            http_body::SizeHint::default,
            http_body::SizeHint::with_exact,
        )
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Some(content) => content.fmt(f),
            None => f.write_str("ResponseBody(empty)"),
        }
    }
}

/// The body of a request that a server received, if it has one.
pub(crate) fn received<B>(body: B) -> Option<Body>
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    (!body.is_end_stream()).then(|| Body::stream(Foreign::new(body)))
}

/// The body of a service's response: at once, if it is all there.
pub(crate) async fn answered<B>(body: B) -> Body
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    if body.is_end_stream() {
        return Body::empty();
    }
    let length = body.size_hint().exact();
    let mut foreign = Foreign::new(body);
    if length.is_some_and(|length| length <= AT_ONCE) {
        let polled = poll_fn(|cx| Poll::Ready(Pin::new(&mut foreign).poll_frame(cx))).await;
        match polled {
            Poll::Ready(Some(Ok(Frame::Data(bytes)))) if foreign.body.is_end_stream() => {
                return bytes.into();
            }
            Poll::Ready(frame) => foreign.ahead = Some(frame),
            Poll::Pending => {}
        }
    }
    let stream = Body::stream(foreign);
    match length {
        Some(length) => stream.with_length(length),
        None => stream,
    }
}

/// Frames of an [`http_body::Body`].
struct Foreign<B> {
    body: Pin<Box<B>>,
    /// What was polled to see whether it is all.
    ahead: Option<Option<Result<Frame, Error>>>,
}

impl<B> Foreign<B> {
    fn new(body: B) -> Self {
        Self {
            body: Box::pin(body),
            ahead: None,
        }
    }
}

impl<B> BodyStream for Foreign<B>
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, Error>>> {
        if let Some(frame) = self.ahead.take() {
            return Poll::Ready(frame);
        }
        let frame = match ready!(self.body.as_mut().poll_frame(cx)) {
            None => return Poll::Ready(None),
            Some(Err(error)) => return Poll::Ready(Some(Err(told(error.into())))),
            Some(Ok(frame)) => frame,
        };
        let frame = match frame.into_data() {
            Ok(mut data) => {
                let length = data.remaining();
                Frame::Data(data.copy_to_bytes(length))
            }
            Err(frame) => Frame::Trailers(Fields::from(frame.into_trailers().unwrap_or_default())),
        };
        Poll::Ready(Some(Ok(frame)))
    }

    fn length(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }
}

/// The error of a body, of the kind that it or one of its causes tells.
fn told(error: BoxError) -> Error {
    let message = error.to_string();
    let mut cause: Option<&(dyn StdError + 'static)> = Some(&*error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<Error>() {
            return error.clone();
        }
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            return Error::new(kind_of(error), message);
        }
        if error.to_string() == TOO_LONG {
            return Error::new(ErrorKind::Limit, message);
        }
        cause = error.source();
    }
    Error::new(ErrorKind::Io, message)
}

fn kind_of(error: &hyper::Error) -> ErrorKind {
    let io = error
        .source()
        .and_then(|cause| cause.downcast_ref::<std::io::Error>())
        .map(std::io::Error::kind);
    let is_gone = error.is_incomplete_message() || error.is_closed() || error.is_canceled();
    match io {
        _ if error.is_timeout() => ErrorKind::Timeout,
        Some(std::io::ErrorKind::UnexpectedEof) => ErrorKind::Closed,
        _ if is_gone => ErrorKind::Closed,
        // What hyper says of chunks that are none.
        Some(std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData) | None => {
            ErrorKind::Protocol
        }
        Some(_) => ErrorKind::Io,
    }
}

/// What `http_body_util::Limited` says, whose error is a type that only its own crate needs.
const TOO_LONG: &str = "length limit exceeded";
/// Responses up to this length are looked at once before they count as streams.
const AT_ONCE: u64 = 64 * 1024;
