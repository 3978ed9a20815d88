//! [`WebSocket`]: conversations over one connection (RFC 6455).

mod handshake;
mod keep_alive;
mod line;
mod settings;
mod socket;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};
use gateway_spec::Upgraded;
use gateway_spec::http::HeaderValue;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::context::{Cx, InContext};
use crate::error::{Error, Result};
use crate::extract::{Arg, Check, Take};
use crate::response::Response;

use handshake::Handshake;
use keep_alive::KeepAlive;
use line::Line;
use settings::Settings;
use socket::End;
pub use socket::{Socket, SocketError, SocketMessage};

/// A client that asks for a WebSocket. What is not a sound request for one is answered 400 or 426,
/// what comes from a page of another site 403; see
/// [`App::trusted_origin`](crate::App::trusted_origin).
///
/// ```
/// use carafe::*;
///
/// async fn echo(websocket: WebSocket) -> Response {
///     websocket.on_upgrade(async |mut socket| {
///         while let Some(message) = socket.receive().await? {
///             socket.send(message).await?;
///         }
///         Ok(())
///     })
/// }
///
/// let client = App::new().get(rule("/echo").websocket(), echo).test();
/// assert_eq!(client.get("/echo").status(), 400);
/// ```
#[must_use = "the client waits until it is upgraded"]
#[derive(Debug)]
pub struct WebSocket {
    cx: Cx,
    handshake: Handshake,
    settings: Settings,
    protocol: Option<HeaderValue>,
}

impl Arg for WebSocket {
    type Path<Rest> = Rest;

    fn check(check: &mut Check<'_>) {
        if let Err(error) = Settings::read(check.config()) {
            check.mistake(error.to_string());
        }
    }

    async fn take(take: &mut Take<'_>) -> Result<Self> {
        let cx = take.cx().clone();
        Ok(Self {
            handshake: Handshake::read(&cx)?,
            settings: Settings::read(cx.config())?,
            protocol: None,
            cx,
        })
    }
}

impl WebSocket {
    /// Speaks the first of `protocols` that the client offers too, if there is one.
    pub fn protocols(mut self, protocols: &[&'static str]) -> Self {
        let chosen = protocols.iter().find(|name| self.handshake.offers(name));
        self.protocol = chosen.map(|name| HeaderValue::from_static(name));
        self
    }

    /// The protocol that both sides speak, if any was agreed on.
    #[must_use]
    pub fn protocol(&self) -> Option<&str> {
        self.protocol.as_ref()?.to_str().ok()
    }

    /// Accepts: `talk` has the socket, and the connection lasts until it returns.
    pub fn on_upgrade<F, Fut>(self, talk: F) -> Response
    where
        F: FnOnce(Socket) -> Fut + Send + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        let (cx, settings) = (self.cx, self.settings);
        let upgrade = move |stream| converse(cx, stream, settings, talk);
        let response = gateway_spec::Response::upgrade(handshake::WEBSOCKET, upgrade);
        let response = Response::from(response);
        let response = match self.handshake.accept() {
            Some(accept) => response.header("sec-websocket-accept", accept),
            None => response,
        };
        match self.protocol {
            Some(protocol) => response.header("sec-websocket-protocol", protocol),
            None => response,
        }
    }
}

/// The life of one connection: the talk, and a goodbye that the other side may answer.
async fn converse<F, Fut>(cx: Cx, stream: Upgraded, settings: Settings, talk: F)
where
    F: FnOnce(Socket) -> Fut + Send + 'static,
    Fut: Future<Output = Result<()>> + Send + 'static,
{
    let (limits, line) = (settings.limits(), Line::new(stream));
    let stream = WebSocketStream::from_raw_socket(line, Role::Server, Some(limits)).await;
    let (home, returned) = oneshot::channel();
    let keep_alive = KeepAlive::new(settings.ping_interval, settings.ping_timeout);
    let socket = Socket::new(stream, keep_alive, home);
    let talking = AssertUnwindSafe(async move { talk(socket).await });
    let talking = Box::pin(talking.catch_unwind());
    let talked = InContext::new(cx.clone(), talking).await;
    let talked =
        talked.unwrap_or_else(|_| Err(Error::message("the code of the websocket panicked")));
    // Somebody may have kept the socket: the connection then lasts as long as that.
    let Ok((mut stream, end)) = returned.await else {
        return;
    };
    let end = match (end, talked) {
        (Some(end), _) => end,
        (None, Ok(())) => End::with(CloseCode::Normal, ""),
        (None, Err(error)) => {
            cx.report(&error);
            End::with(CloseCode::Error, "")
        }
    };
    let End::Goodbye(frame) = end else { return };
    let goodbye = async {
        // Refused if the other side has closed first: reading then sends the answer to that.
        let _ = stream.close(Some(frame)).await;
        while let Some(Ok(_)) = stream.next().await {}
    };
    let _ = timeout(GOODBYE, goodbye).await;
}

/// How long the other side has to answer that the conversation is over.
const GOODBYE: Duration = Duration::from_secs(5);
