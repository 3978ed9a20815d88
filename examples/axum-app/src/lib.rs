//! An application as axum's users write them: a list of things to do, uploads, WebSockets, events.
//!
//! `main.rs` serves it with `axum::serve`; the last line makes it `libaxum_app.so`, which any server of the
//! Gateway Interface serves. Nothing else here knows of that.

mod chat;
mod todos;
mod uploads;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, OriginalUri, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get, post};
use futures_util::{StreamExt, stream};

use todos::Todos;

/// All of it.
pub fn router() -> Router {
    let nested = Router::new().route(
        "/where",
        get(async |uri: OriginalUri, below: axum::http::Uri| format!("{} {below}", uri.0)),
    );
    Router::new()
        .route("/", get(async || "Hello, World!"))
        .route("/hello/{name}", get(hello))
        .route("/client", get(client))
        .route("/headers", get(headers))
        .route("/old", get(async || Redirect::permanent("/")))
        .route("/slow", get(slow))
        .route("/echo", post(async |body: Body| body))
        .route("/length", post(async |body: Bytes| body.len().to_string()))
        .route("/numbers/{count}", get(numbers))
        .route("/events", get(chat::events))
        .route("/socket", any(chat::socket))
        .route("/upload", post(uploads::upload))
        .merge(todos::routes())
        .nest("/nested", nested)
        .fallback(async || (StatusCode::NOT_FOUND, "nothing here"))
        .layer(middleware::from_fn(named))
        .with_state(Todos::default())
}

async fn hello(Path(name): Path<String>) -> String {
    format!("Hello, {name}!")
}

/// Whom the server takes for the client.
async fn client(ConnectInfo(client): ConnectInfo<SocketAddr>) -> String {
    client.ip().to_string()
}

/// The request's fields that begin with `x-`, as they came.
async fn headers(headers: HeaderMap) -> String {
    let lines = headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-"));
    let line = |(name, value): (_, &header::HeaderValue)| {
        format!("{name}: {}\n", value.as_bytes().escape_ascii())
    };
    lines.map(line).collect()
}

/// Proof that a runtime of axum's kind is entered.
async fn slow(State(todos): State<Todos>) -> String {
    tokio::time::sleep(Duration::from_millis(5)).await;
    let counted = tokio::spawn(async move { todos.len() });
    counted
        .await
        .map_or_else(|_| "lost".into(), |count| count.to_string())
}

/// A response that is made while it is sent.
async fn numbers(Path(count): Path<u64>) -> Body {
    let lines = stream::iter(0..count).map(|number| Ok::<_, std::io::Error>(format!("{number}\n")));
    Body::from_stream(lines)
}

/// Middleware: every response names its application.
async fn named(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    ([("x-application", "axum-app")], response).into_response()
}

gateway_spec::export!(tokio: gateway_tower::router(router()));
