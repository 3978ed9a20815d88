//! `app.so` behind a web server that speaks FastCGI, SCGI or uwsgi: what a host of one's own takes.
//!
//! `front-host app.so fastcgi|scgi|uwsgi [127.0.0.1:9000]`

mod front;
mod protocol;

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use gateway_spec::Body;
use gateway_spec::abi::import::Loaded;
use gateway_spec::hosting::{Answer, Hosted, Options, load};
use gateway_spec::http::StatusCode;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};

use front::Front;
use protocol::Protocol;

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (module, protocol, bind) = match words.as_slice() {
        [module, protocol] => (module, protocol, "127.0.0.1:9000"),
        [module, protocol, bind] => (module, protocol, bind.as_str()),
        _ => bail!("usage: front-host app.so fastcgi|scgi|uwsgi [ADDRESS]"),
    };
    let protocol = Protocol::named(protocol)?;

    let (app, stop) = load(module, Options::new()).await?;
    let listener = TcpListener::bind(bind)
        .await
        .with_context(|| format!("cannot listen at {bind}"))?;
    tracing::info!("ready at {}://{}", protocol.name(), listener.local_addr()?);
    let mut terminate = signal(SignalKind::terminate())?;
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // One that has gone already.
                Err(_) => continue,
            },
            _ = terminate.recv() => break,
            _ = stop.asked() => break,
        };
        let app = app.clone();
        tokio::spawn(async move {
            if let Err(error) = converse(stream, protocol, &app).await {
                tracing::warn!("a connection is broken off: {error}");
            }
        });
    }
    app.shutdown(GRACE).await?;
    Ok(())
}

/// Serves one connection: request after request, as long as the front keeps it.
async fn converse(stream: TcpStream, protocol: Protocol, app: &Hosted<Loaded>) -> Result<()> {
    let mut front = Front::new(stream, protocol)?;
    while let Some(asked) = front.asked().await? {
        let answer = match asked.variables.to_request(Body::from(asked.body)) {
            Ok(request) => tokio::select! {
                answer = app.call(request) => answer,
                // The call goes with it.
                () = front.gone() => return Ok(()),
            },
            Err(_) => Answer::refusal(StatusCode::BAD_REQUEST),
        };
        front.answer(asked.begun, answer).await?;
        if !asked.begun.is_some_and(|begun| begun.keep) {
            return front.end().await;
        }
    }
    Ok(())
}

/// How long what is under way may take at the end.
const GRACE: Duration = Duration::from_secs(30);
