//! hyper and nothing else in front of `app.so`: HTTP/1 and HTTP/2, in clear text and by TLS.
//!
//! `bare-hyper app.so [127.0.0.1:8000 [CERTIFICATE KEY]]`

mod tls;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use gateway_tower::{Connection, Gateway, GatewayService, Options, load};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (module, bind, files) = match words.as_slice() {
        [module] => (module, "127.0.0.1:8000", None),
        [module, bind] => (module, bind.as_str(), None),
        [module, bind, certificate, key] => (module, bind.as_str(), Some([certificate, key])),
        _ => bail!("usage: bare-hyper app.so [ADDRESS [CERTIFICATE KEY]]"),
    };
    let (app, stop) = load(module, Options::new()).await?;
    let service = GatewayService::new(&app);

    let acceptor = files.map(tls::acceptor).transpose()?;
    let scheme = if acceptor.is_some() { "https" } else { "http" };
    let listener = TcpListener::bind(bind)
        .await
        .with_context(|| format!("cannot listen at {bind}"))?;
    tracing::info!("ready at {scheme}://{}", listener.local_addr()?);

    let graceful = GracefulShutdown::new();
    let mut terminate = signal(SignalKind::terminate())?;
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                // One that has gone already.
                Err(_) => continue,
            },
            _ = terminate.recv() => break,
            _ = stop.asked() => break,
        };
        let connection = Connection::new(peer, stream.local_addr()?);
        tokio::spawn(answer(
            stream,
            acceptor.clone(),
            connection,
            service.clone(),
            graceful.watcher(),
        ));
    }
    drop(listener);
    app.drain();
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(GRACE) => {}
    }
    app.shutdown(GRACE).await?;
    Ok(())
}

/// Serves one connection to its end.
async fn answer<G: Gateway>(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    connection: Connection,
    service: GatewayService<G>,
    watcher: Watcher,
) {
    // Who does not speak TLS, or breaks off, is nobody's fault here.
    match acceptor {
        None => speak(stream, service.on(connection), watcher).await,
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                let connection = connection.with_tls(Some(tls::facts(&stream)));
                speak(stream, service.on(connection), watcher).await;
            }
        }
    }
}

async fn speak<S, G>(stream: S, service: GatewayService<G>, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    G: Gateway,
{
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    builder
        .http2()
        .timer(TokioTimer::new())
        .enable_connect_protocol();
    let serving = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(serving.into_owned()).await {
        tracing::debug!("a connection ended: {error}");
    }
}

/// How long what is under way may take at the end.
const GRACE: Duration = Duration::from_secs(30);
