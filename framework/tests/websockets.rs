//! WebSockets over a stream in this process, with a client of the protocol at its other end.

use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use carafe::*;
use futures_util::{SinkExt as _, StreamExt as _};
use gateway_spec::{Duplex, Gateway, Startup, Upgraded};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

/// A host's stream; the sender says that the server drains.
struct Stream(DuplexStream, oneshot::Receiver<()>);

impl Duplex for Stream {
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

async fn echo(websocket: WebSocket) -> Response {
    websocket
        .protocols(&["tea.v2", "tea.v1"])
        .on_upgrade(async |mut socket| {
            while let Some(message) = socket.receive().await? {
                if message == SocketMessage::from("fail") {
                    return Err(Error::message("as asked"));
                }
                socket.send(message).await?;
            }
            Ok(())
        })
}

fn app() -> App {
    App::new()
        .get(rule("/echo").websocket(), echo)
        .config_set("websocket.message_size", 1000)
}

fn opening() -> gateway_spec::Request {
    let request = gateway_spec::Request::build(GET, "/echo").expect("a target");
    let mut request = request
        .with_authority("localhost")
        .with_protocol("websocket");
    for (name, value) in [
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-protocol", "coffee, tea.v1"),
    ] {
        request = request.with(
            &HeaderName::from_static(name),
            &HeaderValue::from_static(value),
        );
    }
    request
}

/// An open connection, and what makes its server drain.
async fn open() -> (WebSocketStream<DuplexStream>, oneshot::Sender<()>) {
    let carafe = app().start(Startup::default()).await.expect("no mistakes");
    let mut response = carafe.call(opening()).await;
    assert_eq!(response.status_code(), StatusCode::SWITCHING_PROTOCOLS);
    let field = |name| {
        response
            .fields()
            .get(&HeaderName::from_static(name))
            .cloned()
    };
    // The example of RFC 6455, section 1.3.
    assert_eq!(
        field("sec-websocket-accept").expect("an answer"),
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    );
    assert_eq!(field("sec-websocket-protocol").expect("a choice"), "tea.v1");
    let upgrade = response.take_upgrade().expect("an upgrade");
    let (here, there) = tokio::io::duplex(4096);
    let (drain, drains) = oneshot::channel();
    tokio::spawn(upgrade.run(Upgraded::new(Stream(there, drains))));
    (
        WebSocketStream::from_raw_socket(here, Role::Client, None).await,
        drain,
    )
}

async fn next(client: &mut WebSocketStream<DuplexStream>) -> Message {
    let message = timeout(Duration::from_secs(30), client.next());
    let message = message.await.expect("a message in time");
    message.expect("more").expect("a sound message")
}

/// The code with which the other side closes.
async fn closed(client: &mut WebSocketStream<DuplexStream>) -> Option<u16> {
    match next(client).await {
        Message::Close(Some(frame)) => Some(frame.code.into()),
        _ => None,
    }
}

#[tokio::test]
async fn messages_and_pings_are_answered_until_the_client_closes() {
    let (mut client, _drain) = open().await;
    for message in [Message::text("tea"), Message::binary(vec![0, 255])] {
        client.send(message.clone()).await.expect("sent");
        assert_eq!(next(&mut client).await, message);
    }
    client.send(Message::Ping("x".into())).await.expect("sent");
    assert_eq!(next(&mut client).await, Message::Pong("x".into()));
    client.close(None).await.expect("sent");
    assert!(matches!(next(&mut client).await, Message::Close(_)));
}

#[tokio::test]
async fn a_server_that_drains_says_that_it_goes_away() {
    let (mut client, drain) = open().await;
    drain.send(()).expect("somebody listens");
    assert_eq!(closed(&mut client).await, Some(1001));
}

#[tokio::test]
async fn code_that_fails_closes_with_an_error() {
    let (mut client, _drain) = open().await;
    client.send(Message::text("fail")).await.expect("sent");
    assert_eq!(closed(&mut client).await, Some(1011));
}

#[tokio::test]
async fn a_message_beyond_the_limit_closes() {
    let (mut client, _drain) = open().await;
    client
        .send(Message::text("x".repeat(1001)))
        .await
        .expect("sent");
    assert_eq!(closed(&mut client).await, Some(1009));
}

#[tokio::test]
async fn what_is_no_sound_handshake_is_refused() {
    let carafe = app().start(Startup::default()).await.expect("no mistakes");
    let plain = gateway_spec::Request::build(GET, "/echo").expect("a target");
    let refused = carafe.call(plain.with_authority("localhost")).await;
    assert_eq!(refused.status_code(), 400);

    let bare = || {
        let request = gateway_spec::Request::build(GET, "/echo").expect("a target");
        request
            .with_authority("localhost")
            .with_protocol("websocket")
    };
    let refused = carafe.call(bare()).await;
    let version = refused
        .fields()
        .get(&HeaderName::from_static("sec-websocket-version"));
    assert_eq!(
        (
            refused.status_code().as_u16(),
            version.expect("a version").as_bytes()
        ),
        (426, &b"13"[..])
    );
    let version = HeaderName::from_static("sec-websocket-version");
    let without_key = bare().with(&version, &HeaderValue::from_static("13"));
    assert_eq!(carafe.call(without_key).await.status_code(), 400);
}

#[tokio::test]
async fn a_page_of_another_site_opens_nothing() {
    let from = |app: App, name: &'static str, value: &'static str| async move {
        let carafe = app.start(Startup::default()).await.expect("no mistakes");
        let request = opening().with(
            &HeaderName::from_static(name),
            &HeaderValue::from_static(value),
        );
        carafe.call(request).await.status_code().as_u16()
    };
    assert_eq!(from(app(), "origin", "https://evil.example").await, 403);
    assert_eq!(from(app(), "sec-fetch-site", "cross-site").await, 403);
    assert_eq!(from(app(), "origin", "http://localhost").await, 101);
    let trusting = app().trusted_origin("https://pay.example");
    assert_eq!(from(trusting, "origin", "https://pay.example").await, 101);
}
