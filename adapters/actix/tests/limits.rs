//! A payload that a server of actix-web's bounds ends with its limit for the application as well.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::pin::Pin;
use std::task::ready;

use actix_web::dev::{Payload, Service as _, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::rt::System;
use actix_web::rt::task::spawn_blocking;
use actix_web::{App, HttpMessage as _, HttpServer, web};
use futures_util::{Stream as _, stream};
use gateway_actix::{GatewayHandler, Hosted};
use gateway_spec::{Request, Response};

async fn length(mut request: Request) -> Response {
    match request.take_body().collect(1 << 20).await {
        Ok(body) => Response::text(body.len().to_string()),
        Err(error) => error.kind().status().into(),
    }
}

#[test]
fn a_payload_beyond_the_servers_limit_is_413() {
    let answers = System::new().block_on(async {
        let handler = GatewayHandler::new(&Hosted::new(length));
        let server = HttpServer::new(move || {
            let handler = handler.clone();
            let app = App::new().wrap_fn(|mut request, service| {
                bound(&mut request);
                service.call(request)
            });
            app.default_service(web::to(handler))
        });
        let server = server.workers(1).disable_signals().bind("127.0.0.1:0");
        let server = server.expect("a port");
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let answers = spawn_blocking(move || [LIMIT, LIMIT + 1].map(|size| post(address, size)));
        let answers = answers.await.expect("answers");
        handle.stop(true).await;
        answers
    });
    for (answer, status) in answers.iter().zip(["200 OK", "413 Payload Too Large"]) {
        let line = format!("HTTP/1.1 {status}\r\n");
        assert!(answer.starts_with(&line), "{answer}");
    }
    assert!(answers[0].ends_with("\r\n\r\n100000"), "{}", answers[0]);
}

/// What a middleware does that bounds payloads; actix-web's own limits are those of its extractors.
fn bound(request: &mut ServiceRequest) {
    let (mut payload, mut left) = (request.take_payload(), LIMIT);
    let bounded = stream::poll_fn(move |cx| {
        let piece = ready!(Pin::new(&mut payload).poll_next(cx));
        let is_within = match &piece {
            Some(Ok(bytes)) => left.checked_sub(bytes.len()).map(|rest| left = rest),
            _ => Some(()),
        };
        match is_within {
            Some(()) => piece,
            None => Some(Err(PayloadError::Overflow)),
        }
        .into()
    });
    request.set_payload(Payload::Stream {
        payload: Box::pin(bounded),
    });
}

/// The answer to an upload, to its end.
fn post(address: SocketAddr, size: usize) -> String {
    let mut client = TcpStream::connect(address).expect("a connection");
    let head = format!(
        "POST / HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n"
    );
    let request = [head.as_bytes(), &vec![b'u'; size]].concat();
    client.write_all(&request).expect("to send a request");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("an answer");
    answer
}

const LIMIT: usize = 100_000;
