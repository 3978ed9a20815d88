//! A body that a layer bounds ends with its limit for the application as well.

use axum::Router;
use axum::body::Body;
use axum::extract::Request as Asked;
use axum::middleware::{Next, from_fn};
use gateway_spec::{Request, Response};
use gateway_tower::{GatewayService, Hosted};
use http_body_util::Limited;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

async fn length(mut request: Request) -> Response {
    match request.take_body().collect(1 << 20).await {
        Ok(body) => Response::text(body.len().to_string()),
        Err(error) => error.kind().status().into(),
    }
}

/// What `tower_http::limit::RequestBodyLimitLayer` does of bodies without a length.
async fn bounded(request: Asked, next: Next) -> axum::response::Response {
    let bounded = request.map(|body| Body::new(Limited::new(body, LIMIT)));
    next.run(bounded).await
}

#[tokio::test]
async fn a_body_beyond_the_layers_limit_is_413() {
    let service = GatewayService::new(&Hosted::new(length));
    let router = Router::new().fallback_service(service);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let serving = axum::serve(listener, router.layer(from_fn(bounded)));
    let serving = tokio::spawn(serving.into_future());
    for (size, status) in [(LIMIT, "200 OK"), (LIMIT + 1, "413 Payload Too Large")] {
        let mut client = TcpStream::connect(address).await.expect("a connection");
        let head = format!(
            "POST / HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n"
        );
        let request = [head.as_bytes(), &vec![b'u'; size]].concat();
        client.write_all(&request).await.expect("to send a request");
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.expect("an answer");
        let line = format!("HTTP/1.1 {status}\r\n");
        assert!(answer.starts_with(&line), "{answer}");
        assert_eq!(
            answer.ends_with("\r\n\r\n100000"),
            size == LIMIT,
            "{answer}"
        );
    }
    serving.abort();
}

const LIMIT: usize = 100_000;
