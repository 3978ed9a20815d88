//! `app.so` behind a web server that speaks SCGI or uwsgi: what a host of one's own takes.
//!
//! `front-host app.so scgi|uwsgi [--bind 127.0.0.1:9000] [--lint]`

mod protocol;

use std::future::poll_fn;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use gateway_spec::abi::import::Loaded;
use gateway_spec::cgi::Variables;
use gateway_spec::hosting::{Answer, Hosted, Options, load};
use gateway_spec::http::StatusCode;
use gateway_spec::{Body, Frame};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};

use protocol::Protocol;

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let mut options = Options::new();
    if let Some(lint) = words.iter().position(|word| word == "--lint") {
        words.remove(lint);
        options.lint = true;
    }
    let (module, protocol, bind) = match words.as_slice() {
        [module, protocol] => (module, protocol, "127.0.0.1:9000"),
        [module, protocol, flag, bind] if flag == "--bind" => (module, protocol, bind.as_str()),
        _ => bail!("usage: front-host app.so scgi|uwsgi [--bind ADDRESS] [--lint]"),
    };
    let protocol = Protocol::named(protocol)?;

    let (app, stop) = load(module, options).await?;
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
            if let Err(error) = answer(stream, protocol, &app).await {
                tracing::warn!("a connection is broken off: {error}");
            }
        });
    }
    app.shutdown(GRACE).await?;
    Ok(())
}

/// One connection has one request.
async fn answer(mut stream: TcpStream, protocol: Protocol, app: &Hosted<Loaded>) -> Result<()> {
    let mut input = Vec::with_capacity(4096);
    let (variables, length) = loop {
        if let Some(found) = protocol.head(&input)? {
            break found;
        }
        if stream.read_buf(&mut input).await? == 0 {
            // Nobody has asked anything.
            return Ok(());
        }
    };
    let mut body = input.split_off(length);
    let declared = declared(&variables);
    ensure!(
        declared <= MAX_BODY,
        "expected at most {MAX_BODY} bytes of body, found {declared}"
    );
    while body.len() < declared {
        ensure!(
            stream.read_buf(&mut body).await? > 0,
            "the body ended early"
        );
    }
    let answer = match variables.to_request(Body::from(body)) {
        Ok(request) => tokio::select! {
            answer = app.call(request) => answer,
            // The front has nothing more to say: it has gone, and the call with it.
            _ = stream.read_u8() => return Ok(()),
        },
        Err(_) => Answer::refusal(StatusCode::BAD_REQUEST),
    };
    write(&mut stream, protocol, answer).await
}

async fn write(stream: &mut TcpStream, protocol: Protocol, answer: Answer) -> Result<()> {
    let mut head = format!("{} {}\r\n", protocol.before_status(), answer.status).into_bytes();
    for (name, value) in answer.fields.iter() {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            head.extend_from_slice(part);
        }
    }
    head.extend_from_slice(b"\r\n");
    stream.write_all(&head).await?;
    let mut content = answer.content;
    while let Some(frame) = poll_fn(|cx| content.poll_frame(cx)).await {
        // There is no place for trailers.
        if let Frame::Data(bytes) = frame? {
            stream.write_all(&bytes).await?;
        }
    }
    Ok(stream.shutdown().await?)
}

/// The length that the variables declare; one that is no number is refused with them.
fn declared(variables: &Variables) -> usize {
    let text = variables.get("CONTENT_LENGTH").unwrap_or_default();
    let digits = std::str::from_utf8(text).ok();
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// Bytes of a request's body, which is held in memory.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// How long what is under way may take at the end.
const GRACE: Duration = Duration::from_secs(30);
