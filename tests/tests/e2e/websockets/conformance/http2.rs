//! Conversations over HTTP/2, all of them in streams of one connection (RFC 8441).

use std::future::poll_fn;
use std::io::Write as _;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use bytes::Bytes;
use gateway_tests::DEADLINE;
use gateway_tests::address::Address;
use h2::client::{self, SendRequest};
use h2::ext::Protocol;
use h2::{RecvStream, SendStream};
use http::{Method, Request};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::runtime::{Builder, Runtime};

use super::carrier::{Carrier, Wire};

/// HTTP/2 without TLS, begun without asking; the conversations are those of this path.
pub(crate) fn carrier(address: &Address, path: &'static str) -> Carrier {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = Arc::new(runtime.unwrap());
    let requests = runtime.block_on(connect(address));
    Carrier::new("HTTP/2", move || open(&runtime, requests.clone(), path))
}

async fn connect(address: &Address) -> SendRequest<Bytes> {
    let Address::Tcp(address) = address else {
        panic!("expected a port")
    };
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut requests, connection) = client::handshake(stream).await.unwrap();
    tokio::spawn(async move {
        // Its end is seen by the streams.
        let _ = connection.await;
    });
    // The server says in its first frame that it takes them.
    while !requests.is_extended_connect_protocol_enabled() {
        requests = requests.ready().await.unwrap();
        tokio::task::yield_now().await;
    }
    requests
}

/// A conversation in a stream: the test has one end of a pair, two tasks move bytes from and to the other.
fn open(runtime: &Arc<Runtime>, requests: SendRequest<Bytes>, path: &str) -> Box<dyn Wire> {
    let (here, there) = UnixStream::pair().unwrap();
    here.set_read_timeout(Some(DEADLINE)).unwrap();
    here.set_write_timeout(Some(DEADLINE)).unwrap();
    there.set_nonblocking(true).unwrap();
    let (receive, send) = runtime.block_on(request(requests, path));
    runtime.spawn(async move {
        let there = tokio::net::UnixStream::from_std(there).unwrap();
        let (from, to) = there.into_split();
        tokio::spawn(upstream(from, send));
        downstream(receive, to).await;
    });
    Box::new(here)
}

async fn request(requests: SendRequest<Bytes>, path: &str) -> (RecvStream, SendStream<Bytes>) {
    let request = Request::builder()
        .method(Method::CONNECT)
        .uri(format!("http://test{path}"))
        .header("sec-websocket-version", "13")
        .extension(Protocol::from_static("websocket"));
    let mut requests = requests.ready().await.unwrap();
    let (response, send) = requests
        .send_request(request.body(()).unwrap(), false)
        .unwrap();
    let response = response.await.unwrap();
    assert_eq!(response.status(), 200, "{response:?}");
    let key = response.headers().get("sec-websocket-accept");
    assert_eq!(key, None, "an answer to a key that was not sent");
    (response.into_body(), send)
}

/// What the test sends; its end is the stream's.
async fn upstream(mut from: OwnedReadHalf, mut send: SendStream<Bytes>) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let mut rest = Bytes::copy_from_slice(&buffer[..count]);
        while !rest.is_empty() {
            send.reserve_capacity(rest.len());
            let Some(Ok(room)) = poll_fn(|cx| send.poll_capacity(cx)).await else {
                return;
            };
            let piece = rest.split_to(room.min(rest.len()));
            if send.send_data(piece, false).is_err() {
                return;
            }
        }
    }
    let _ = send.send_data(Bytes::new(), true);
}

/// What the server sends, to its end. A reset becomes what no server may say.
async fn downstream(mut receive: RecvStream, mut to: OwnedWriteHalf) {
    while let Some(data) = receive.data().await {
        let heard = match data {
            Ok(data) => {
                let _ = receive.flow_control().release_capacity(data.len());
                data
            }
            Err(error) => Bytes::from(format!("\u{ff}\u{ff}{error}")),
        };
        if to.write_all(&heard).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}

impl Wire for UnixStream {
    fn finish(&mut self) {
        self.flush().unwrap();
        self.shutdown(Shutdown::Write).unwrap();
    }
}
