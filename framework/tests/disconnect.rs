//! A call that has begun to wait is finished though its client goes away, unless the route says otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use carafe::*;
use gateway_spec::http::StatusCode as Status;
use gateway_spec::{Exchange, Fields, Gateway, HostExchange, Startup};

#[derive(Default)]
struct Host {
    finishes: AtomicBool,
}

impl HostExchange for Host {
    fn inform(&self, _: Status, _: &Fields) -> std::result::Result<(), gateway_spec::Error> {
        Ok(())
    }

    fn poll_closed(&self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn poll_draining(&self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn finish_on_disconnect(&self) {
        self.finishes.store(true, Ordering::Relaxed);
    }
}

async fn waits() -> &'static str {
    tokio::task::yield_now().await;
    "waited"
}

async fn finishes(path: &str) -> bool {
    let app = App::new()
        .get("/at-once", async || "x")
        .get("/waits", waits)
        .get(
            "/cancelled",
            named("cancelled", cancel_on_disconnect(waits)),
        )
        .blueprint(
            Blueprint::new("hooked")
                .before(async || ())
                .get("/hooked", waits),
        );
    let carafe = app.start(Startup::default()).await.expect("no mistakes");
    let host = Arc::new(Host::default());
    let request = gateway_spec::Request::build(GET, path).expect("a target");
    let shared: Arc<dyn HostExchange> = Arc::clone(&host) as _;
    let response = carafe
        .call(request.with_exchange(Exchange::new(shared)))
        .await;
    assert_eq!(response.status_code(), Status::OK, "{path}");
    carafe.shutdown().await;
    host.finishes.load(Ordering::Relaxed)
}

#[tokio::test]
async fn a_call_that_waits_is_finished_unless_its_route_says_otherwise() {
    assert!(finishes("/waits").await);
    assert!(finishes("/hooked").await);
    assert!(!finishes("/cancelled").await);
    assert!(!finishes("/at-once").await, "nothing to be finished");
}
