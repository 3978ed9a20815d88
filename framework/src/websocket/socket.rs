//! [`Socket`]: an open WebSocket.

use std::future::poll_fn;
use std::task::Poll;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use gateway_spec::Upgraded;
use tokio::sync::oneshot;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as Broken, Message};

type Stream = WebSocketStream<Upgraded>;
/// A stream whose talk is over, and why if that was not the talk's own decision.
type Home = oneshot::Sender<(Stream, Option<CloseCode>)>;

/// An open WebSocket. Pings are answered while somebody [receives](Socket::receive). Once it is
/// dropped the conversation is closed: with 1000, or with 1011 if its code failed.
#[derive(Debug)]
pub struct Socket {
    /// Taken in drop alone.
    open: Option<(Stream, Home)>,
    end: Option<CloseCode>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketMessage {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Bytes),
}

/// Why a message could not be sent or received.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SocketError {
    /// The conversation is over.
    #[error("the websocket is closed")]
    Closed,
    /// A message is longer than the settings `websocket.message_size` and `websocket.frame_size`
    /// allow; the conversation ends with 1009.
    #[error("a message is longer than the limits in `websocket` allow")]
    TooLong,
    /// The other side does not keep to the protocol, or the connection broke.
    #[error("the websocket broke: {0}")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Socket {
    pub(super) fn new(stream: Stream, home: Home) -> Self {
        Self {
            open: Some((stream, home)),
            end: None,
        }
    }

    /// The next message; `None` once the other side has closed, or the server drains (the client is
    /// then told 1001, "going away").
    ///
    /// # Errors
    ///
    /// See [`SocketError`].
    pub async fn receive(&mut self) -> Result<Option<SocketMessage>, SocketError> {
        while self.end.is_none() {
            let Some((stream, _)) = &mut self.open else {
                return Ok(None);
            };
            let next = poll_fn(|cx| match stream.get_mut().poll_draining(cx) {
                Poll::Ready(()) => Poll::Ready(Err(CloseCode::Away)),
                Poll::Pending => stream.poll_next_unpin(cx).map(Ok),
            });
            match next.await {
                Err(code) => self.end = Some(code),
                Ok(None | Some(Ok(Message::Close(_)))) => self.end = Some(CloseCode::Normal),
                Ok(Some(Ok(Message::Text(text)))) => {
                    return Ok(Some(SocketMessage::Text(text.as_str().to_owned())));
                }
                Ok(Some(Ok(Message::Binary(bytes)))) => {
                    return Ok(Some(SocketMessage::Binary(bytes)));
                }
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(error))) => return Err(self.broken(error)),
            }
        }
        Ok(None)
    }

    /// Sends a message; ready once it has been handed to the operating system.
    ///
    /// # Errors
    ///
    /// See [`SocketError`].
    pub async fn send(&mut self, message: impl Into<SocketMessage>) -> Result<(), SocketError> {
        let Some((stream, _)) = self.open.as_mut().filter(|_| self.end.is_none()) else {
            return Err(SocketError::Closed);
        };
        let message = match message.into() {
            SocketMessage::Text(text) => Message::text(text),
            SocketMessage::Binary(bytes) => Message::Binary(bytes),
        };
        stream
            .send(message)
            .await
            .map_err(|error| self.broken(error))
    }

    /// Why it is over, for the caller and for the other side.
    fn broken(&mut self, error: Broken) -> SocketError {
        let (code, told) = match error {
            Broken::ConnectionClosed | Broken::AlreadyClosed => {
                (CloseCode::Normal, SocketError::Closed)
            }
            Broken::Capacity(_) | Broken::WriteBufferFull(_) => {
                (CloseCode::Size, SocketError::TooLong)
            }
            Broken::Utf8(_) => (CloseCode::Invalid, SocketError::Broken(error.into())),
            other => (CloseCode::Protocol, SocketError::Broken(other.into())),
        };
        self.end = Some(code);
        told
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some((stream, home)) = self.open.take() {
            let _ = home.send((stream, self.end));
        }
    }
}

impl From<String> for SocketMessage {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for SocketMessage {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Bytes> for SocketMessage {
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }
}
