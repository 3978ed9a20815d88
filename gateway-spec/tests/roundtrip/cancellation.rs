//! Calls that end before their time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use gateway_spec::{Body, Frame, Gateway, Request, Response};

use super::host::{block_on, call, content, get, module, start};

/// Counts its drops where the request says.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

static BEFORE: AtomicUsize = AtomicUsize::new(0);
static WITHIN: AtomicUsize = AtomicUsize::new(0);

struct Tally(&'static AtomicUsize);

impl Drop for Tally {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_dropped_call_drops_what_it_holds_exactly_once() {
    let app = start(module!(async |request: Request| {
        let _tally = Tally(&BEFORE);
        request.closed().await;
        Response::text("too late")
    }));
    let mut cx = Context::from_waker(Waker::noop());
    for calls in 1..=3 {
        let mut future = Box::pin(app.call(get("/")));
        assert!(future.as_mut().poll(&mut cx).is_pending());
        assert!(future.as_mut().poll(&mut cx).is_pending());
        assert_eq!(BEFORE.load(Ordering::SeqCst), calls - 1);
        drop(future);
        assert_eq!(BEFORE.load(Ordering::SeqCst), calls);
    }
    drop(app.call(get("/never-polled")));
    assert_eq!(BEFORE.load(Ordering::SeqCst), 3);
}

#[test]
fn a_dropped_response_drops_its_body_and_the_request_in_it() {
    let app = start(module!(async |request: Request| {
        let tally = Tally(&WITHIN);
        Response::new(Body::from_fn(move |_| {
            let _both = (&tally, &request);
            Poll::Ready(Some(Ok(Frame::Data("endless".into()))))
        }))
    }));
    let mut response = call(&app, get("/"));
    assert!(block_on(response.body_mut().frame()).is_some());
    assert_eq!(WITHIN.load(Ordering::SeqCst), 0);
    drop(response);
    assert_eq!(WITHIN.load(Ordering::SeqCst), 1);
}

#[test]
fn an_instance_outlives_its_gateway_until_the_last_body_is_gone() {
    static ENDS: AtomicUsize = AtomicUsize::new(0);
    struct App(Tally);
    impl Gateway for App {
        async fn call(&self, _: Request) -> Response {
            let mut left = 2;
            Response::new(Body::from_fn(move |_| {
                left -= 1;
                Poll::Ready((left > 0).then(|| Ok(Frame::Data("body".into()))))
            }))
        }
        async fn shutdown(&self) {
            assert_eq!(self.0.0.load(Ordering::SeqCst), 0);
        }
    }
    fn app() -> App {
        App(Tally(&ENDS))
    }
    let app = start(module!(app));
    let response = call(&app, get("/"));
    block_on(app.shutdown());
    drop(app);
    assert_eq!(ENDS.load(Ordering::SeqCst), 0);
    assert_eq!(content(response), b"body");
    assert_eq!(ENDS.load(Ordering::SeqCst), 1);
}

#[test]
fn a_shutdown_that_is_broken_off_is_dropped_before_the_gateway() {
    use gateway_spec::abi::host::{Config, Module};
    use std::pin::pin;

    struct Borrows<'a>(&'a App);
    impl Drop for Borrows<'_> {
        fn drop(&mut self) {
            self.0.0.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    struct App(Counted);
    impl Gateway for App {
        async fn call(&self, _: Request) -> Response {
            Response::default()
        }
        async fn shutdown(&self) {
            let _borrows = Borrows(self);
            std::future::pending().await
        }
    }
    static COUNT: std::sync::OnceLock<Arc<AtomicUsize>> = std::sync::OnceLock::new();
    fn app() -> App {
        App(Counted(Arc::clone(COUNT.get_or_init(Arc::default))))
    }
    let module = Module::linked(module!(app)).unwrap();
    let app = module
        .create(super::host::table(), &Config::default())
        .unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    assert!(matches!(app.poll_startup(&mut cx), Poll::Ready(Ok(()))));
    let shutdown = pin!(std::future::poll_fn(|cx| app.poll_shutdown(cx, 0)));
    assert!(shutdown.poll(&mut cx).is_pending());
    app.destroy();
    let count = COUNT.get().unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 2);
    assert_eq!(Arc::strong_count(count), 1);
}
