//! [`TestSocket`]: a WebSocket in process, from the client's side.

use std::future::Future;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::{SinkExt as _, StreamExt as _};
use gateway_spec::{Duplex, Upgraded};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio::sync::oneshot;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{Error as Broken, Message};

use super::client::Client;
use super::request::TestRequest;
use super::response::TestResponse;
use crate::websocket::SocketMessage;

type Stream = WebSocketStream<DuplexStream>;

/// An open WebSocket of a test. Dropping it breaks the connection off, as a client that vanishes does.
#[derive(Debug)]
pub struct TestSocket<'a> {
    client: &'a Client,
    handshake: TestResponse,
    /// Out while something is done with it.
    stream: Option<Stream>,
    drain: Option<oneshot::Sender<()>>,
    goodbye: Option<CloseFrame>,
}

impl Client {
    /// Opens a WebSocket.
    ///
    /// ```
    /// use carafe::*;
    ///
    /// async fn shout(websocket: WebSocket) -> Response {
    ///     websocket.on_upgrade(async |mut socket| {
    ///         while let Some(SocketMessage::Text(text)) = socket.receive().await? {
    ///             socket.send(text.to_uppercase()).await?;
    ///         }
    ///         Ok(())
    ///     })
    /// }
    ///
    /// let client = App::new().get(rule("/shout").websocket(), shout).test();
    /// let mut socket = client.websocket("/shout");
    /// socket.send("tea");
    /// assert_eq!(socket.receive_text(), "TEA");
    /// socket.close(1000, "");
    /// assert_eq!(socket.close_code(), Some(1000));
    /// ```
    ///
    /// # Panics
    ///
    /// If the application does not switch.
    #[track_caller]
    pub fn websocket(&self, target: &str) -> TestSocket<'_> {
        self.request(http::Method::GET, target).websocket()
    }
}

impl<'a> TestRequest<'a> {
    /// Sends it as the request for a WebSocket; the protocols that the client speaks are a header,
    /// `Sec-WebSocket-Protocol`.
    ///
    /// # Panics
    ///
    /// If the application does not switch.
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    #[track_caller]
    pub fn websocket(self) -> TestSocket<'a> {
        match self.try_websocket() {
            Ok(socket) => socket,
            Err(refused) => panic!(
                "expected a WebSocket at {}, found {}: {}",
                refused.path(),
                refused.status(),
                refused.text()
            ),
        }
    }

    /// As [`websocket`](TestRequest::websocket), for tests of refusals.
    ///
    /// # Errors
    ///
    /// The answer, if it is another.
    #[track_caller]
    pub fn try_websocket(self) -> Result<TestSocket<'a>, TestResponse> {
        let request = self
            .default_header("sec-websocket-version", "13")
            .default_header("sec-websocket-key", KEY);
        let client = request.client();
        let (handshake, upgrade) = request.send_for("websocket");
        let Some(upgrade) = upgrade else {
            return Err(handshake);
        };
        let (here, there) = duplex(PIPE);
        let (drain, drains) = oneshot::channel();
        let stream = client.wait(async move {
            tokio::spawn(upgrade.run(Upgraded::new(Host(there, drains))));
            WebSocketStream::from_raw_socket(here, Role::Client, None).await
        });
        Ok(TestSocket {
            client,
            handshake,
            stream: Some(stream),
            drain: Some(drain),
            goodbye: None,
        })
    }
}

impl TestSocket<'_> {
    /// The answer that switched.
    #[must_use]
    pub fn handshake(&self) -> &TestResponse {
        &self.handshake
    }

    /// The protocol that both sides speak, if any was agreed on.
    #[must_use]
    pub fn protocol(&self) -> Option<&str> {
        self.handshake.header("sec-websocket-protocol")
    }

    /// Sends a message.
    ///
    /// # Panics
    ///
    /// If the conversation is over.
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    #[track_caller]
    pub fn send(&mut self, message: impl Into<SocketMessage>) {
        let message = match message.into() {
            SocketMessage::Text(text) => Message::text(text),
            SocketMessage::Binary(bytes) => Message::Binary(bytes),
        };
        let sent = self.with(|mut stream| async move { (stream.send(message).await, stream) });
        if let Err(error) = sent {
            panic!("cannot send to {}: {error}", self.handshake.path());
        }
    }

    /// The next message; `None` once the application has closed. Pings are answered and not shown.
    ///
    /// # Panics
    ///
    /// If the application's code has failed, or does neither within a minute.
    #[track_caller]
    pub fn receive(&mut self) -> Option<SocketMessage> {
        loop {
            let next = self.with(|mut stream| async move { (stream.next().await, stream) });
            match next {
                Some(Ok(Message::Text(text))) => {
                    return Some(SocketMessage::Text(text.as_str().to_owned()));
                }
                Some(Ok(Message::Binary(bytes))) => return Some(SocketMessage::Binary(bytes)),
                Some(Ok(Message::Close(goodbye))) => self.goodbye = goodbye,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => {
                    self.client.expect_no_errors();
                    return None;
                }
            }
        }
    }

    /// The next message, which is text.
    ///
    /// # Panics
    ///
    /// As [`receive`](TestSocket::receive), and if it is none.
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    #[track_caller]
    pub fn receive_text(&mut self) -> String {
        match self.receive() {
            Some(SocketMessage::Text(text)) => text,
            other => panic!("expected text, found {other:?}"),
        }
    }

    /// Says goodbye, and waits until the application has answered.
    ///
    /// # Panics
    ///
    /// As [`receive`](TestSocket::receive).
    #[track_caller]
    pub fn close(&mut self, code: u16, reason: &str) {
        let goodbye = CloseFrame {
            code: code.into(),
            reason: reason.into(),
        };
        let close = Some(goodbye);
        // Refused if the application has closed: what it said is read below.
        let _: Result<(), Broken> =
            self.with(|mut stream| async move { (stream.close(close).await, stream) });
        while self.receive().is_some() {}
    }

    /// Tells the application that its server drains.
    #[track_caller]
    pub fn drain(&mut self) {
        let drain = self.drain.take();
        // Nobody listens any more if the conversation is over.
        let _ = drain.map(|drain| drain.send(()));
    }

    /// The code with which the application has closed, if it has and gave one.
    #[must_use]
    pub fn close_code(&self) -> Option<u16> {
        self.goodbye.as_ref().map(|goodbye| goodbye.code.into())
    }

    /// The reason that it gave.
    #[must_use]
    pub fn close_reason(&self) -> Option<&str> {
        let goodbye = self.goodbye.as_ref();
        goodbye.map(|goodbye| goodbye.reason.as_str())
    }

    /// Does something with the stream on the client's threads.
    #[track_caller]
    fn with<T, F>(&mut self, work: impl FnOnce(Stream) -> F) -> T
    where
        T: Send + 'static,
        F: Future<Output = (T, Stream)> + Send + 'static,
    {
        let stream = self.stream.take();
        let stream = stream.expect("the stream to be back: a failed wait has ended the test");
        let (done, stream) = self.client.wait(work(stream));
        self.stream = Some(stream);
        done
    }
}

/// The stream as a host gives it; the other end of the channel says that the server drains.
struct Host(DuplexStream, oneshot::Receiver<()>);

impl Duplex for Host {
    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<std::io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        let read = Pin::new(&mut self.0).poll_read(cx, &mut buffer);
        read.map_ok(|()| buffer.filled().len())
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, buffers)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn poll_draining(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match Pin::new(&mut self.1).poll(cx) {
            Poll::Ready(Ok(())) => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }
}

/// Bytes that wait in each direction, as few as between real ones.
const PIPE: usize = 64 << 10;
/// The example of RFC 6455, section 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
