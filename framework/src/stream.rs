//! [`stream`]: a body that async code produces piece by piece.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use gateway_spec::{BodyStream, ErrorKind, Frame};
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::context::{InContext, current};
use crate::error::{Error, Result};
use crate::response::Response;

/// A response whose body is produced while it is sent, at the client's pace:
///
/// ```
/// use carafe::*;
///
/// async fn countdown() -> Response {
///     stream(async |mut pieces| {
///         for number in (1..=3).rev() {
///             pieces.send(format!("{number}\n")).await?;
///         }
///         Ok(())
///     })
/// }
///
/// let client = App::new().get("/", countdown).test();
/// assert_eq!(client.get("/").text(), "3\n2\n1\n");
/// ```
///
/// It is text unless [`content_type`](Response::content_type) says otherwise. When the client goes
/// away the code ends at its next `await`; an error breaks the body off, so that nobody takes it
/// for whole.
pub fn stream<F, Fut>(produce: F) -> Response
where
    F: FnOnce(Pieces) -> Fut,
    Fut: Future<Output = Result<()>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(1);
    let work: Work = Box::pin(produce(Pieces { sender }));
    let work: Work = match current() {
        Some(cx) => Box::pin(InContext::new(cx, work)),
        None => work,
    };
    let body = gateway_spec::Body::stream(Produced {
        work: Some(work),
        receiver,
        broken: None,
    });
    Response::text(body)
}

/// Where a [`stream`]'s code sends its pieces.
#[derive(Debug)]
pub struct Pieces {
    sender: Sender<Bytes>,
}

impl Pieces {
    /// Sends a piece; ready when the client has room for the next.
    ///
    /// # Errors
    ///
    /// If the body has ended, because the client has gone.
    pub async fn send(&mut self, piece: impl Into<Bytes>) -> Result<()> {
        let sent = self.sender.send(piece.into()).await;
        sent.map_err(|_| {
            Error::from(gateway_spec::Error::new(
                ErrorKind::Closed,
                "the body has ended",
            ))
        })
    }
}

type Work = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// The code and what it has sent.
struct Produced {
    work: Option<Work>,
    receiver: Receiver<Bytes>,
    /// What broke the work off, to be told behind the pieces that it has sent.
    broken: Option<gateway_spec::Error>,
}

impl BodyStream for Produced {
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, gateway_spec::Error>>> {
        loop {
            if let Poll::Ready(Some(piece)) = self.receiver.poll_recv(cx) {
                return Poll::Ready(Some(Ok(Frame::Data(piece))));
            }
            let Some(work) = &mut self.work else {
                return Poll::Ready(self.broken.take().map(Err));
            };
            match work.as_mut().poll(cx) {
                Poll::Ready(Ok(())) => self.work = None,
                Poll::Ready(Err(error)) => {
                    let broken = gateway_spec::Error::new(ErrorKind::Internal, error.to_string());
                    (self.work, self.broken) = (None, Some(broken));
                }
                // It waits for room: the piece before it has arrived.
                Poll::Pending if !self.receiver.is_empty() => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
