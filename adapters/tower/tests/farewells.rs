//! The last words of an upgraded connection arrive, whatever its client still sends.

use axum::Router;
use gateway_spec::http::HeaderValue;
use gateway_spec::{Request, Response};
use gateway_tower::{GatewayService, Hosted};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Asks for no bytes, which is no end, and says goodbye without hearing what the client says.
async fn parting(_request: Request) -> Response {
    Response::upgrade(HeaderValue::from_static("mirror"), async |mut stream| {
        assert_eq!(stream.read(&mut []).await.ok(), Some(0));
        let _heard = stream.write_all(&vec![b'l'; LAST_WORDS]).await;
    })
}

#[tokio::test]
async fn an_application_that_asked_for_no_bytes_is_heard_to_the_end() {
    let service = GatewayService::new(&Hosted::new(parting));
    let router = Router::new().fallback_service(service);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let serving = tokio::spawn(axum::serve(listener, router).into_future());
    let mut client = TcpStream::connect(address).await.expect("a connection");
    let head = "GET / HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: mirror\r\n\r\n";
    let request = [head.as_bytes(), &vec![b'c'; 100_000]].concat();
    client.write_all(&request).await.expect("to send a request");
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.expect("all of it");
    let words = answer.iter().rev().take_while(|byte| **byte == b'l');
    assert_eq!(words.count(), LAST_WORDS);
    serving.abort();
}

const LAST_WORDS: usize = 1_000_000;
