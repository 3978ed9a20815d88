//! axum on one thread, as its guide writes it.

use axum::{Router, routing::get, serve::ListenerExt};
use tokio::net::TcpListener;

fn main() -> std::io::Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?
        .block_on(async {
            let app = Router::new().route("/", get(async || "Hello, World!"));
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            eprintln!("ready on http://{}", listener.local_addr()?);
            let listener = listener.tap_io(|stream| {
                stream.set_nodelay(true).ok();
            });
            axum::serve(listener, app.into_make_service()).await
        })
}
