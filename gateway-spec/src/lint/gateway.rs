//! [`Lint`]: a gateway around a gateway.

use std::ffi::OsString;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::{Method, Version};

use super::body::{BodyWatch, Side};
use super::exchange::WatchedExchange;
use super::fields::Line;
use super::request::RequestFacts;
use super::response::{Offer, ResponseFacts};
use super::violation::{Reports, Sink};
use crate::body::{Body, BodyStream, Frame};
use crate::command::Command;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::gateway::Gateway;
use crate::request::Request;
use crate::response::Response;
use crate::rules;

/// Middleware that checks both sides of the contract around it and changes nothing.
///
/// ```
/// use gateway_spec::lint::Lint;
/// use gateway_spec::{Gateway, Request, Response};
///
/// async fn app(_: Request) -> Response {
///     Response::text("Hello, World!")
/// }
///
/// // Panics at the first breach, whichever side commits it: for tests.
/// let app = Lint::panicking(app);
/// # fn is_gateway(_: impl Gateway) {}
/// # is_gateway(app);
/// ```
pub struct Lint<G> {
    inner: G,
    reports: Reports,
    patience: Duration,
    calls: Arc<AtomicUsize>,
    is_shut_down: AtomicBool,
}

impl<G: Gateway> Lint<G> {
    /// Watches `gateway` and reports to `sink`.
    pub fn new(gateway: G, sink: impl Sink) -> Self {
        Self {
            inner: gateway,
            reports: Reports::new(sink),
            patience: PATIENCE,
            calls: Arc::default(),
            is_shut_down: AtomicBool::new(false),
        }
    }

    /// Watches `gateway` and panics at the first breach, naming the rule.
    ///
    /// # Panics
    ///
    /// Not here, but wherever a breach is noticed: in `call`, in a body's poll, in `inform`.
    #[expect(clippy::panic, reason = "what a test asks for by this name")]
    pub fn panicking(gateway: G) -> Self {
        Self::new(gateway, |violation| panic!("{violation}"))
    }

    /// The same with another longest time for one poll; 50 ms unless told.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    fn watch_request(&self, request: &mut Request, is_answered: &Arc<AtomicBool>) {
        facts(request).check(&self.reports);
        let declared = request.content_length();
        let body = request.take_body();
        *request.body_mut() = self.watch(Side::Request, body, declared);
        if let Some(host) = request.exchange().into_host() {
            let watched = WatchedExchange {
                host,
                reports: self.reports.clone(),
                is_answered: Arc::clone(is_answered),
            };
            request.replace_exchange(Exchange::new(Arc::new(watched)));
        }
    }

    fn watch_response(&self, response: &mut Response, asked: &Asked) {
        let body = response.body();
        let has_more = body.is_stream();
        let at_hand = if has_more {
            0
        } else {
            body.length().unwrap_or_default()
        };
        let lines = response.fields().iter().map(|(name, value)| Line {
            name: name.as_str().as_bytes(),
            value: value.as_bytes(),
        });
        let declared = ResponseFacts {
            status: u32::from(response.status_code().as_u16()),
            fields: lines.collect(),
            at_hand,
            has_more,
            declared: body.length().filter(|_| has_more),
            switches_to: response.upgrade_protocol().map(http::HeaderValue::as_bytes),
            offered: Offer::of(asked.protocol.as_deref(), asked.is_connect),
            answers_head: asked.is_head,
            answers_connect: asked.is_connect,
        }
        .check(&self.reports);
        let body = std::mem::take(response.body_mut());
        *response.body_mut() = self.watch(Side::Response, body, declared);
    }

    /// The body with a watch before it; bodies whose bytes are all there need none.
    fn watch(&self, side: Side, body: Body, declared: Option<u64>) -> Body {
        if !body.is_stream() {
            let length = body.length().unwrap_or_default();
            if side == Side::Request && declared.is_some_and(|declared| declared != length) {
                let mut watch = BodyWatch::new(side, self.reports.clone(), declared, 0);
                watch.data(length);
                watch.end();
            }
            return body;
        }
        let watch = BodyWatch::new(side, self.reports.clone(), declared, 0);
        Body::stream(WatchedBody {
            body,
            watch,
            reports: self.reports.clone(),
            patience: self.patience,
        })
    }
}

impl<G: Gateway> Gateway for Lint<G> {
    async fn call(&self, mut request: Request) -> Response {
        //# [LIFE-02] A call begins only after `startup` was READY and before `shutdown` is first called.
        self.reports.expect(
            !self.is_shut_down.load(Ordering::Acquire),
            rules::LIFE_02,
            || "a call after shutdown".to_owned(),
        );
        let _live = Live::new(&self.calls);
        let is_answered = Arc::new(AtomicBool::new(false));
        self.watch_request(&mut request, &is_answered);
        let asked = Asked {
            is_head: request.method() == Method::HEAD,
            is_connect: request.method() == Method::CONNECT,
            protocol: request.protocol().map(<[u8]>::to_vec),
        };
        let mut call = pin!(self.inner.call(request));
        let mut response = poll_fn(|cx| {
            timed(&self.reports, self.patience, "call", || {
                call.as_mut().poll(cx)
            })
        })
        .await;
        is_answered.store(true, Ordering::Release);
        self.watch_response(&mut response, &asked);
        response
    }

    async fn shutdown(&self) {
        //# [LIFE-03] `shutdown` is called once, and only when every call has ended, by itself or dropped.
        let is_second = self.is_shut_down.swap(true, Ordering::AcqRel);
        let calls = self.calls.load(Ordering::Acquire);
        self.reports
            .expect(!is_second && calls == 0, rules::LIFE_03, || {
                format!("shutdown with {calls} calls pending, second time: {is_second}")
            });
        self.inner.shutdown().await;
    }

    fn commands(&self) -> Vec<Command> {
        self.inner.commands()
    }

    fn command(&self, words: Vec<OsString>) -> impl Future<Output = u8> + Send {
        self.inner.command(words)
    }
}

impl<G> fmt::Debug for Lint<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lint")
    }
}

/// What the response has to fit.
struct Asked {
    is_head: bool,
    is_connect: bool,
    protocol: Option<Vec<u8>>,
}

/// A call that has not ended, by whichever way.
struct Live(Arc<AtomicUsize>);

impl Live {
    fn new(calls: &Arc<AtomicUsize>) -> Self {
        calls.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(calls))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

struct WatchedBody {
    body: Body,
    watch: BodyWatch,
    reports: Reports,
    patience: Duration,
}

impl BodyStream for WatchedBody {
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, Error>>> {
        let Self {
            body,
            watch,
            reports,
            patience,
        } = &mut *self;
        watch.poll();
        let answer = timed(reports, *patience, "body", || body.poll_frame(cx));
        match &answer {
            Poll::Pending => {}
            Poll::Ready(None) => watch.end(),
            Poll::Ready(Some(Err(_))) => watch.error(),
            Poll::Ready(Some(Ok(Frame::Data(bytes)))) => watch.data(bytes.len() as u64),
            Poll::Ready(Some(Ok(Frame::File(region)))) => {
                watch.file(&region.file, region.offset, region.length);
            }
            Poll::Ready(Some(Ok(Frame::Trailers(fields)))) => {
                let lines: Vec<_> = fields
                    .iter()
                    .map(|(name, value)| Line {
                        name: name.as_str().as_bytes(),
                        value: value.as_bytes(),
                    })
                    .collect();
                watch.trailers(&lines);
            }
        }
        answer
    }

    fn length(&self) -> Option<u64> {
        self.body.length()
    }
}

/// Runs one poll and reports it if it took too long.
pub(crate) fn timed<T>(
    reports: &Reports,
    patience: Duration,
    what: &str,
    poll: impl FnOnce() -> T,
) -> T {
    //# [CALL-05] A poll does not block: it computes for a short time and returns. Modules that cannot promise this
    //# set BLOCKING; hosts report polls that take longer than a threshold (50 ms unless configured).
    let start = Instant::now();
    let answer = poll();
    let took = start.elapsed();
    reports.expect(took <= patience, rules::CALL_05, || {
        format!("one poll of a {what} took {} ms", took.as_millis())
    });
    answer
}

fn facts(request: &Request) -> RequestFacts<'_> {
    let fields = request.fields().map(|(name, value)| Line {
        name: name.as_bytes(),
        value,
    });
    RequestFacts {
        method: request.method().as_str().as_bytes(),
        target: request.target(),
        path: request.path(),
        query: request.query(),
        mount: request.mount(),
        authority: request.authority(),
        protocol: request.protocol(),
        fields: fields.collect(),
        version: match request.version() {
            Version::HTTP_10 => (1, 0),
            Version::HTTP_2 => (2, 0),
            Version::HTTP_3 => (3, 0),
            _ => (1, 1),
        },
        is_absolute_form: request.is_absolute_form(),
        content_length: request.content_length(),
        has_body: request.has_body(),
        peer_is_client: request.peer() == request.client(),
        client_is_forwarded: request.client_is_forwarded(),
        is_homemade: request.head().link.host().is_none(),
    }
}

/// How long one poll may take.
pub(crate) const PATIENCE: Duration = Duration::from_millis(50);
