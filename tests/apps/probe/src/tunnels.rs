//! What is done with connections that switched protocols.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gateway_spec::http::{HeaderValue, StatusCode};
use gateway_spec::{Request, Response, Upgraded};

/// Switches for `CONNECT mirror:1`, and for nobody else.
pub(crate) fn connect(request: &Request) -> Response {
    match request.authority() {
        b"mirror:1" => switched(mirror),
        _ => (StatusCode::FORBIDDEN, "no such tunnel").into(),
    }
}

/// The response that switches to the protocol `mirror`, whatever that means here.
pub(crate) fn switched<Fut>(talk: impl FnOnce(Upgraded) -> Fut + Send + 'static) -> Response
where
    Fut: Future<Output = ()> + Send + 'static,
{
    Response::upgrade(HeaderValue::from_static("mirror"), talk)
}

/// Sends back what comes until the end of input.
pub(crate) async fn mirror(mut stream: Upgraded) {
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        if stream.write_all(&buffer[..count]).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
    // The client has gone or will see the end.
    let _ended = stream.shutdown().await;
}

/// Says goodbye and ends without waiting until that is heard.
pub(crate) async fn farewell(mut stream: Upgraded) {
    let _heard = stream.write_all(b"goodbye").await;
}

/// Writes until the client is gone.
pub(crate) async fn flood(mut stream: Upgraded, counts: CountsWhenDropped) {
    let _counts = counts;
    while stream.write_all(&[b'f'; 65_536]).await.is_ok() {}
}

/// Ends its half at once, and adds the bytes that come to the count.
pub(crate) async fn listen(mut stream: Upgraded, count: Arc<AtomicU64>) {
    let refused = match stream.shutdown().await {
        Ok(()) => stream.write_all(b"more").await.is_err(),
        Err(_) => false,
    };
    assert!(refused, "probe: an end that is none");
    let read = drain(&mut stream).await;
    count.fetch_add(read, Ordering::SeqCst);
}

/// Reads to the end, and only then answers: how many bytes came, and a million more.
pub(crate) async fn answer_late(mut stream: Upgraded) {
    let read = drain(&mut stream).await;
    let told = format!("{read}\n");
    let _heard = stream.write_all(told.as_bytes()).await;
    let _heard = stream.write_all(&[b'l'; 1_000_000]).await;
}

/// Waits until the server drains and says so.
pub(crate) async fn part(mut stream: Upgraded) {
    poll_fn(|cx| stream.poll_draining(cx)).await;
    let _heard = stream.write_all(b"draining").await;
}

async fn drain(stream: &mut Upgraded) -> u64 {
    let (mut buffer, mut all) = (vec![0; 10_000], 0);
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        all += count as u64;
    }
    all
}

/// Adds one to the count when it ends.
pub(crate) struct CountsWhenDropped(pub(crate) Arc<AtomicU64>);

impl Drop for CountsWhenDropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
