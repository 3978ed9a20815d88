//! An actix-web server with `app.so` inside: `/own` is actix-web's, everything below `/mounted` and
//! whatever else there is the application's.
//!
//! `actix-host app.so [127.0.0.1:8000]`

use std::time::Duration;

use actix_web::rt::signal::unix::{SignalKind, signal};
use actix_web::{App, HttpServer, web};
use anyhow::{Context, Result};
use gateway_actix::{GatewayHandler, Options, load};

fn main() -> Result<()> {
    actix_web::rt::System::new().block_on(serve())
}

async fn serve() -> Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (module, bind) = match words.as_slice() {
        [module] => (module, "127.0.0.1:8000"),
        [module, bind] => (module, bind.as_str()),
        _ => anyhow::bail!("usage: actix-host app.so [ADDRESS]"),
    };

    let (app, stop) = load(module, Options::new()).await?;
    let handler = GatewayHandler::new(&app);
    let server = HttpServer::new(move || {
        let mounted = handler.clone().at("/mounted");
        App::new()
            .route("/own", web::get().to(async || "actix-web's own"))
            .service(web::scope("/mounted").default_service(web::to(mounted)))
            .default_service(web::to(handler.clone()))
    })
    .workers(1)
    .disable_signals()
    .shutdown_timeout(GRACE.as_secs());
    let server = server
        .bind(bind)
        .with_context(|| format!("cannot listen at {bind}"))?;
    let address = server.addrs().first().copied().context("no address")?;
    tracing::info!("ready at http://{address}");

    let server = server.run();
    let handle = server.handle();
    let draining = app.clone();
    let mut terminate = signal(SignalKind::terminate())?;
    actix_web::rt::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = stop.asked() => {}
        }
        // Streams that never end by themselves hear of it.
        draining.drain();
        handle.stop(true).await;
    });
    server.await?;
    app.shutdown(GRACE).await?;
    Ok(())
}

/// How long what is under way may take at the end.
const GRACE: Duration = Duration::from_secs(30);
