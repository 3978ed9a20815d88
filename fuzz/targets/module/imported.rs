//! The module behind the Rust trait.

use std::cell::OnceCell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use gateway_spec::abi::host::{Config, Module};
use gateway_spec::abi::import::Loaded;
use gateway_spec::http::Method;
use gateway_spec::{Body, Gateway as _, Request};

use super::create::{good, host};
use super::play::{begin, choice};

thread_local! {
    static LOADED: OnceCell<Loaded> = const { OnceCell::new() };
}

/// Loads it, while it behaves.
pub(super) fn load() {
    LOADED.with(|cell| {
        cell.get_or_init(|| {
            begin(b"");
            let module = Module::linked(good()).expect("a good descriptor");
            let loading = Loaded::start(&module, host(), &Config::default());
            soon(loading)
                .expect("it is ready at once")
                .expect("it starts")
        });
    });
}

/// Calls it with a request, and takes what comes; then with another, which is answered as ever.
pub(super) fn call() {
    LOADED.with(|cell| {
        let loaded = cell.get().expect("loaded before");
        let request = Request::build(Method::POST, "/").expect("a target");
        let request = match choice(3) {
            0 => request,
            1 => request.with_body("hello"),
            _ => request.with_body(Body::from_fn(|_| Poll::Ready(None))),
        };
        take(loaded, request);
        begin(b"");
        let request = Request::build(Method::GET, "/").expect("a target");
        assert_eq!(take(loaded, request).as_deref(), Some(&b"ok"[..]));
    });
}

/// The answer's content, if it comes soon and whole.
fn take(loaded: &Loaded, request: Request) -> Option<Vec<u8>> {
    let mut response = soon(loaded.call(request))?;
    if let Some(work) = response.take_after() {
        let _ = soon(work);
    }
    let mut whole = Vec::new();
    while let Some(piece) = soon(response.body_mut().data())? {
        whole.extend_from_slice(&piece.ok()?);
    }
    Some(whole)
}

/// What comes of it within some polls.
fn soon<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..20 {
        if let Poll::Ready(value) = work.as_mut().poll(&mut cx) {
            return Some(value);
        }
    }
    None
}
