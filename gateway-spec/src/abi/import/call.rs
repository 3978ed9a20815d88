//! [`Running`]: one call in an imported application, and what outlives its response.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use http::{HeaderValue, Method};

use super::exchange::{Collecting, Given};
use super::head::Lent;
use crate::abi::body::ForeignBody;
use crate::abi::host::{Call, Pool};
use crate::abi::instance::Instance;
use crate::body::{Body, BodyStream, Frame};
use crate::error::{Error, ErrorKind};
use crate::request::Request;
use crate::response::Response;

/// A call that may migrate between threads, used by one at a time; cancelled when dropped.
pub(super) struct Running {
    // Always there; an Option only so that `drop` can end it.
    call: Option<Call<Collecting>>,
}

/// How a call ended, if it has.
pub(super) type Ended = Poll<Result<(), ErrorKind>>;

// SAFETY: `Loaded` takes only modules whose calls may migrate. Of the call's block, the collecting
// half is `Send` (below), its cells are used by whoever holds the call, and the rest is atomic.
unsafe impl Send for Running {}

const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<Collecting>();
};

impl Running {
    /// Hands the request over and polls the call once; says how it ended, if it has.
    pub(super) fn start(
        instance: &Arc<Instance>,
        mut request: Request,
        waker: &Waker,
    ) -> (Self, Ended) {
        let has_body = request.has_body() || !request.body().is_empty();
        let body = has_body.then(|| request.take_body());
        let content_length = body.as_ref().map_or(Some(0), Body::length);
        let exchange = Collecting {
            exchange: request.exchange(),
            is_connect: *request.method() == Method::CONNECT,
            given: None,
        };
        let head = request.head();
        let lent = Lent::of(head);
        let head = lent.head(head, content_length);
        let call = with_pool(|pool| {
            let function = instance.call();
            // SAFETY: `Loaded` has started the instance, which any thread may call.
            unsafe { Call::start_in(instance, function, pool, head, body, exchange, waker) }
        });
        let end = call.end();
        (Self { call: Some(call) }, end)
    }

    /// The same call, polled.
    pub(super) fn polled(mut self, waker: &Waker) -> (Self, Ended) {
        let end = self.call().poll(waker);
        (self, end)
    }

    /// The response, once it was given.
    pub(super) fn take_given(&mut self) -> Option<Given> {
        self.call().exchange().given.take()
    }

    fn call(&mut self) -> &mut Call<Collecting> {
        self.call.as_mut().expect("the call leaves only in drop")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut call) = self.call.take() {
            call.cancel();
            call.shared().end();
            with_pool(|pool| drop(call.finish(pool)));
        }
    }
}

impl Given {
    /// The response, which keeps the call for as long as it needs it: for work behind the answer,
    /// for an upgraded connection, for a body whose application asks its exchange.
    pub(super) fn into_response(self, mut call: Running) -> Response {
        let is_pending = call.call().end().is_pending();
        let mut body = Body::from(self.first);
        let held = (is_pending || self.rest.is_some()).then(|| Held::new(call));
        if self.rest.is_some() || body.length() != self.length {
            let rest = Rest {
                body: self.rest,
                held: held.clone(),
            };
            body = Body::chained(body.take_bytes(), self.length, Box::pin(rest));
        }
        let mut response = match self.upgrade {
            None => Response::new(body),
            Some(protocol) => upgraded(protocol, body, held.clone().filter(|_| is_pending)),
        }
        .with_status(self.status);
        *response.fields_mut() = self.fields;
        if !self.wants_date {
            response = response.without_date();
        }
        match held {
            Some(held) if is_pending && response.upgrade_protocol().is_none() => {
                response.after(Driving(held))
            }
            _ => response,
        }
    }
}

/// A response whose upgraded connection goes to a pending call; without one it is closed.
fn upgraded(protocol: HeaderValue, body: Body, held: Option<Arc<Held>>) -> Response {
    let mut response = Response::upgrade(protocol, async move |stream| {
        if let Some(held) = held {
            let stream = stream.into_duplex();
            held.lock().call().shared().give_stream(stream);
            Driving(held).await;
        }
    });
    *response.body_mut() = body;
    response
}

/// A call that was answered, shared by what follows: the body, and the work behind it. It is over
/// when both are gone.
struct Held {
    call: Mutex<Running>,
}

impl Held {
    fn new(call: Running) -> Arc<Self> {
        Arc::new(Self {
            call: Mutex::new(call),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        self.call.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Polls a held call to its end; dropped before that, it cancels it.
struct Driving(Arc<Held>);

impl Future for Driving {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.lock().call().poll(cx.waker()).map(|_| ())
    }
}

impl Drop for Driving {
    fn drop(&mut self) {
        self.0.lock().call().cancel();
    }
}

/// What follows a response's first bytes, if anything does.
struct Rest {
    body: Option<ForeignBody>,
    /// The exchange, which lasts until the body ends.
    held: Option<Arc<Held>>,
}

impl BodyStream for Rest {
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = BodyStream::poll_frame(Pin::new(body), cx);
        if let Poll::Ready(None | Some(Err(_))) = frame {
            self.body = None;
            self.held = None;
        }
        frame
    }
}

/// This thread's pool, or an empty one where the thread is ending.
fn with_pool<T>(work: impl FnOnce(&Pool<Collecting>) -> T) -> T {
    thread_local! {
        static POOL: Pool<Collecting> = Pool::default();
    }
    if POOL.try_with(|_| ()).is_ok() {
        POOL.with(work)
    } else {
        work(&Pool::default())
    }
}
