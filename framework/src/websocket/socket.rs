//! [`Socket`]: an open WebSocket.

use std::future::poll_fn;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::oneshot;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as Broken, Message};

use super::keep_alive::{KeepAlive, Silent};
use super::line::Line;

type Stream = WebSocketStream<Line>;
/// A stream whose talk is over, and how if that was not the talk's own decision.
type Home = oneshot::Sender<(Stream, Option<End>)>;

/// An open WebSocket. While somebody [receives](Socket::receive), pings are answered and the other side
/// is asked from time to time whether it is still there. Once it is dropped the conversation is
/// closed: with 1000, or with 1011 if its code failed.
#[derive(Debug)]
pub struct Socket {
    /// Taken in drop alone.
    open: Option<(Stream, Home)>,
    keep_alive: Option<KeepAlive>,
    end: Option<End>,
    /// The other side's goodbye.
    heard: Option<CloseFrame>,
}

/// How a conversation ends for the other side.
#[derive(Debug)]
pub(super) enum End {
    Goodbye(CloseFrame),
    /// There is nobody to say it to.
    Gone,
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
    /// The other side was not heard of within `websocket.ping_timeout` of a ping.
    #[error("the other side of the websocket does not answer")]
    Silent,
    /// The code or the reason of a goodbye is none.
    #[error(
        "expected a goodbye with a code of 1000 to 1003, 1007 to 1013 or 3000 to 4999 and a reason \
         of at most 123 bytes, found {code} and {length} bytes"
    )]
    BadGoodbye {
        /// The code.
        code: u16,
        /// Bytes of the reason.
        length: usize,
    },
    /// The other side does not keep to the protocol, or the connection broke.
    #[error("the websocket broke: {0}")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What the wait for a message ends with.
enum Next {
    Draining,
    Silent,
    Message(Option<Result<Message, Broken>>),
}

impl Socket {
    pub(super) fn new(stream: Stream, keep_alive: Option<KeepAlive>, home: Home) -> Self {
        Self {
            open: Some((stream, home)),
            keep_alive,
            end: None,
            heard: None,
        }
    }

    /// The next message; `None` once the other side has closed, or the server drains (the client is
    /// then told 1001, "going away"). To give it up, as in a `select!`, loses nothing.
    ///
    /// # Errors
    ///
    /// See [`SocketError`].
    pub async fn receive(&mut self) -> Result<Option<SocketMessage>, SocketError> {
        while self.end.is_none() {
            match poll_fn(|cx| self.poll_next(cx)).await {
                Next::Draining => self.end = Some(End::with(CloseCode::Away, "")),
                Next::Silent => {
                    self.end = Some(End::with(CloseCode::Error, "no answer to a ping"));
                    return Err(SocketError::Silent);
                }
                Next::Message(None) => self.end = Some(End::with(CloseCode::Normal, "")),
                Next::Message(Some(Ok(Message::Close(frame)))) => {
                    self.heard = frame;
                    // That is answered by itself.
                    self.end = Some(End::with(CloseCode::Normal, ""));
                }
                Next::Message(Some(Ok(Message::Text(text)))) => {
                    return Ok(Some(SocketMessage::Text(text.as_str().to_owned())));
                }
                Next::Message(Some(Ok(Message::Binary(bytes)))) => {
                    return Ok(Some(SocketMessage::Binary(bytes)));
                }
                Next::Message(Some(Ok(_))) => {}
                Next::Message(Some(Err(error))) => return Err(self.broken(error)),
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

    /// Ends the conversation with a code and a reason of the application's own; those of 4000 to 4999
    /// are nobody else's. If it is over already, nothing more is said.
    ///
    /// # Errors
    ///
    /// [`SocketError::BadGoodbye`]; the conversation then ends as if the socket was dropped.
    pub fn close(mut self, code: u16, reason: &str) -> Result<(), SocketError> {
        let length = reason.len();
        let allowed = CloseCode::from(code);
        if !allowed.is_allowed() || length > REASON {
            return Err(SocketError::BadGoodbye { code, length });
        }
        self.end.get_or_insert(End::with(allowed, reason));
        Ok(())
    }

    /// The code with which the other side has closed, if it has and gave one.
    #[must_use]
    pub fn close_code(&self) -> Option<u16> {
        self.heard.as_ref().map(|frame| frame.code.into())
    }

    /// The reason that the other side gave for closing.
    #[must_use]
    pub fn close_reason(&self) -> Option<&str> {
        self.heard.as_ref().map(|frame| frame.reason.as_str())
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        let Some((stream, _)) = &mut self.open else {
            return Poll::Ready(Next::Message(None));
        };
        if stream.get_mut().poll_draining(cx).is_ready() {
            return Poll::Ready(Next::Draining);
        }
        if let Poll::Ready(message) = stream.poll_next_unpin(cx) {
            return Poll::Ready(Next::Message(message));
        }
        match &mut self.keep_alive {
            Some(keep_alive) => keep_alive.poll(stream, cx).map(|Silent| Next::Silent),
            None => Poll::Pending,
        }
    }

    /// Why it is over, for the caller and for the other side.
    fn broken(&mut self, error: Broken) -> SocketError {
        let (end, told) = match error {
            Broken::ConnectionClosed | Broken::AlreadyClosed => {
                (End::with(CloseCode::Normal, ""), SocketError::Closed)
            }
            Broken::Capacity(_) | Broken::WriteBufferFull(_) => {
                (End::with(CloseCode::Size, ""), SocketError::TooLong)
            }
            Broken::Io(_) | Broken::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                (End::Gone, SocketError::Broken(error.into()))
            }
            Broken::Utf8(_) => (
                End::with(CloseCode::Invalid, ""),
                SocketError::Broken(error.into()),
            ),
            other => (
                End::with(CloseCode::Protocol, ""),
                SocketError::Broken(other.into()),
            ),
        };
        self.end = Some(end);
        told
    }
}

impl End {
    pub(super) fn with(code: CloseCode, reason: &str) -> Self {
        Self::Goodbye(CloseFrame {
            code,
            reason: reason.into(),
        })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some((stream, home)) = self.open.take() {
            let _ = home.send((stream, self.end.take()));
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

impl From<Vec<u8>> for SocketMessage {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes.into())
    }
}

/// Bytes of a goodbye's reason: a control frame has 125, the code is two of them.
const REASON: usize = 123;
