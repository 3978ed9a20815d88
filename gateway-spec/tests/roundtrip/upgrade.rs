//! Connections that switch protocols.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use gateway_spec::{Duplex, Request, Response, Upgraded};
use http::HeaderValue;

use super::host::{block_on, call, get, module, start};

/// A connection whose client says something and hears what is written.
#[derive(Clone, Default)]
struct Wire(Arc<Mutex<Ends>>);

#[derive(Default)]
struct Ends {
    says: VecDeque<u8>,
    heard: Vec<u8>,
    flushes: usize,
    is_shut: bool,
}

impl Duplex for Wire {
    fn poll_read(&mut self, _: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut ends = self.0.lock().unwrap();
        let count = buffer.len().min(ends.says.len());
        for (place, byte) in buffer.iter_mut().zip(ends.says.drain(..count)) {
            *place = byte;
        }
        Poll::Ready(Ok(count))
    }

    fn poll_write(
        &mut self,
        _: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut ends = self.0.lock().unwrap();
        // Some of it, as a socket does.
        let some = buffers.first().map_or(0, |first| first.len().min(3));
        ends.heard.extend_from_slice(&buffers[0][..some]);
        Poll::Ready(Ok(some))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.lock().unwrap().flushes += 1;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.lock().unwrap().is_shut = true;
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn poll_draining(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

async fn shout(mut stream: Upgraded) {
    let mut buffer = [0; 4];
    loop {
        let count = stream.read(&mut buffer).await.unwrap();
        if count == 0 {
            break;
        }
        buffer.make_ascii_uppercase();
        stream.write_all(&buffer[..count]).await.unwrap();
    }
    stream.flush().await.unwrap();
    std::future::poll_fn(|cx| stream.poll_draining(cx)).await;
    let error = stream.shutdown().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
}

#[test]
fn an_upgraded_connection_is_a_stream_both_ways() {
    let app = start(module!(async |request: Request| {
        let protocol = HeaderValue::from_bytes(request.protocol().unwrap()).unwrap();
        Response::upgrade(protocol, shout)
    }));
    let mut response = call(&app, get("/").with_protocol("shouting"));
    assert_eq!(response.status_code(), 101);
    assert_eq!(response.upgrade_protocol().unwrap(), "shouting");
    let wire = Wire::default();
    wire.0.lock().unwrap().says.extend(b"hello, world");
    let upgrade = response.take_upgrade().unwrap();
    block_on(upgrade.run(Upgraded::new(wire.clone())));
    let ends = wire.0.lock().unwrap();
    assert_eq!(ends.heard, b"HELLO, WORLD");
    assert_eq!((ends.flushes, ends.is_shut), (1, true));
    assert_eq!(Arc::strong_count(&wire.0), 1, "the stream was given back");
}

#[test]
fn an_upgraded_connection_may_move_to_a_thread() {
    let app = start(module!(async |_: Request| {
        Response::upgrade(HeaderValue::from_static("shouting"), async |stream| {
            std::thread::spawn(move || block_on(shout(stream)))
                .join()
                .unwrap();
        })
    }));
    let mut response = call(&app, get("/").with_protocol("shouting"));
    let wire = Wire::default();
    wire.0.lock().unwrap().says.extend(b"far away");
    let upgrade = response.take_upgrade().unwrap();
    block_on(upgrade.run(Upgraded::new(wire.clone())));
    assert_eq!(wire.0.lock().unwrap().heard, b"FAR AWAY");
}

#[test]
fn an_upgrade_that_nobody_takes_cancels_the_call() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static DROPS: AtomicUsize = AtomicUsize::new(0);
    struct Tally;
    impl Drop for Tally {
        fn drop(&mut self) {
            DROPS.fetch_add(1, Ordering::SeqCst);
        }
    }
    let app = start(module!(async |_: Request| {
        let tally = Tally;
        Response::upgrade(HeaderValue::from_static("shouting"), async move |stream| {
            let _tally = tally;
            shout(stream).await;
        })
    }));
    let response = call(&app, get("/").with_protocol("shouting"));
    assert_eq!(DROPS.load(Ordering::SeqCst), 0);
    drop(response);
    assert_eq!(DROPS.load(Ordering::SeqCst), 1);
}
