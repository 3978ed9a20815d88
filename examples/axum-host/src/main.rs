//! An axum server with `app.so` inside: `/own` is axum's, everything below `/mounted` and whatever
//! else there is the application's.
//!
//! `axum-host app.so [127.0.0.1:8000]`

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::routing::get;
use gateway_tower::{GatewayService, Options, load};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (module, bind) = match words.as_slice() {
        [module] => (module, "127.0.0.1:8000"),
        [module, bind] => (module, bind.as_str()),
        _ => anyhow::bail!("usage: axum-host app.so [ADDRESS]"),
    };

    let (app, stop) = load(module, Options::new()).await?;
    let service = GatewayService::new(&app);
    let router = Router::new()
        .route("/own", get(async || "axum's own"))
        .nest_service("/mounted", service.clone())
        .fallback_service(service);

    let listener = TcpListener::bind(bind)
        .await
        .with_context(|| format!("cannot listen at {bind}"))?;
    tracing::info!("ready at http://{}", listener.local_addr()?);
    let mut terminate = signal(SignalKind::terminate())?;
    let draining = app.clone();
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, router)
        .with_graceful_shutdown(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = stop.asked() => {}
            }
            // Streams that never end by themselves hear of it.
            draining.drain();
        })
        .await?;
    app.shutdown(GRACE).await?;
    Ok(())
}

/// How long what is under way may take at the end.
const GRACE: Duration = Duration::from_secs(30);
