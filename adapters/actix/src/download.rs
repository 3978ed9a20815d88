//! [`Download`]: a response's content as actix-web's body.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use gateway_spec::hosting::Content;
use gateway_spec::{Error, ErrorKind, Frame};

/// The body of a gateway's response.
#[derive(Debug)]
pub struct Download {
    content: Content,
    size: BodySize,
}

impl Download {
    pub(crate) fn new(content: Content, announced: Option<u64>, is_head: bool) -> Self {
        let size = match announced {
            Some(length) => BodySize::Sized(length),
            // Nothing comes, and nobody knows how long it would be.
            None if content.is_over() && !is_head => BodySize::None,
            None => BodySize::Stream,
        };
        Self { content, size }
    }
}

impl MessageBody for Download {
    type Error = Error;

    fn size(&self) -> BodySize {
        self.size
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Error>>> {
        loop {
            match ready!(self.content.poll_frame(cx)) {
                Some(Ok(Frame::Data(bytes))) => return Poll::Ready(Some(Ok(bytes))),
                // There is no place for them.
                Some(Ok(Frame::Trailers(_))) => {}
                Some(Ok(_)) => {
                    let error = Error::new(ErrorKind::Internal, "a frame of another kind");
                    return Poll::Ready(Some(Err(error)));
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}
