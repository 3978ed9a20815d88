//! Events are kept alive while nothing happens, and end when the client goes away or the server drains.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use carafe::*;
use gateway_spec::{Exchange, Fields, Gateway, HostExchange, Startup};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

/// A server that drains when a test says so.
#[derive(Default)]
struct Host(Mutex<(bool, Option<Waker>)>);

impl Host {
    fn drain(&self) {
        let mut state = self.0.lock().expect("no panic under the lock");
        state.0 = true;
        if let Some(waker) = state.1.take() {
            waker.wake();
        }
    }
}

impl HostExchange for Host {
    fn inform(&self, _: StatusCode, _: &Fields) -> std::result::Result<(), gateway_spec::Error> {
        Ok(())
    }

    fn poll_closed(&self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn poll_draining(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.lock().expect("no panic under the lock");
        state.1 = Some(cx.waker().clone());
        if state.0 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn finish_on_disconnect(&self) {}
}

/// Tells when it is dropped.
struct Told(UnboundedSender<()>);

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// A response that sends one event and then waits for ever; says when its code has been dropped.
async fn waiting(host: &Arc<Host>, keep_alive: Duration) -> (Body, UnboundedReceiver<()>) {
    let (sender, receiver) = unbounded_channel();
    let app = App::new().get("/", move || {
        let told = Told(sender.clone());
        async move {
            let events = Sse::new(async move |mut events: Events| {
                let _told = told;
                events.send(Event::new("first")).await?;
                pending().await
            });
            events.keep_alive(keep_alive)
        }
    });
    let carafe = app.start(Startup::default()).await.expect("no mistakes");
    let request = gateway_spec::Request::build(GET, "/").expect("a target");
    let shared: Arc<dyn HostExchange> = Arc::clone(host) as _;
    let response = carafe
        .call(request.with_exchange(Exchange::new(shared)))
        .await;
    (response.into_body(), receiver)
}

async fn next(body: &mut Body) -> Option<Bytes> {
    let frame = timeout(
        Duration::from_secs(30),
        std::future::poll_fn(|cx| body.poll_frame(cx)),
    );
    let frame = frame.await.expect("a frame in time")?;
    match frame.expect("a whole body") {
        Frame::Data(data) => Some(data),
        _ => None,
    }
}

async fn dropped(told: &mut UnboundedReceiver<()>) -> bool {
    let told = timeout(Duration::from_secs(30), told.recv());
    told.await.expect("to be dropped in time").is_some()
}

#[tokio::test]
async fn a_comment_goes_out_while_nothing_happens() {
    let (mut body, _told) = waiting(&Arc::default(), Duration::from_millis(1)).await;
    assert_eq!(next(&mut body).await.expect("more"), "data: first\n\n");
    assert_eq!(next(&mut body).await.expect("more"), ":\n\n");
    assert_eq!(next(&mut body).await.expect("more"), ":\n\n");
}

#[tokio::test]
async fn events_end_when_the_server_drains() {
    let host = Arc::<Host>::default();
    let (mut body, mut told) = waiting(&host, Duration::from_secs(3600)).await;
    assert_eq!(next(&mut body).await.expect("more"), "data: first\n\n");
    let end = tokio::spawn(async move { next(&mut body).await });
    host.drain();
    assert_eq!(end.await.expect("no panic"), None);
    assert!(dropped(&mut told).await);
}

#[tokio::test]
async fn the_code_ends_when_the_client_goes_away() {
    let (mut body, mut told) = waiting(&Arc::default(), Duration::from_secs(3600)).await;
    assert_eq!(next(&mut body).await.expect("more"), "data: first\n\n");
    drop(body);
    assert!(dropped(&mut told).await);
}

#[test]
fn events_are_neither_cached_nor_collected_by_proxies() {
    let app = App::new().get("/", async || Sse::new(async |_events| Ok(())));
    let response = app.test().get("/");
    assert_eq!(response.header("content-type"), Some("text/event-stream"));
    assert_eq!(response.header("cache-control"), Some("no-cache"));
    assert_eq!(response.header("x-accel-buffering"), Some("no"));
    assert_eq!(response.text(), "");
}
