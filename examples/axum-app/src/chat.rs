//! What lasts: WebSockets and server-sent events.

use std::convert::Infallible;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};

/// Answers every message with itself in capitals; speaks `loud` if it is asked to.
pub(crate) async fn socket(upgrade: WebSocketUpgrade) -> impl IntoResponse {
    upgrade.protocols(["loud"]).on_upgrade(converse)
}

async fn converse(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        let answer = match message {
            Message::Text(text) => Message::Text(text.to_uppercase().into()),
            Message::Binary(bytes) => Message::Binary(bytes),
            _ => continue,
        };
        // Who has gone needs no answer.
        if socket.send(answer).await.is_err() {
            return;
        }
    }
}

/// Three events.
pub(crate) async fn events() -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = (1..=3).map(|number| Ok(Event::default().event("count").data(number.to_string())));
    Sse::new(stream::iter(events)).keep_alive(KeepAlive::default())
}
