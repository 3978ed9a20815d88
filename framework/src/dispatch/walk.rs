//! The walk of one request through its chain.

use std::future::{Future, poll_fn};
use std::ops::Range;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use gateway_spec::Level;
use gateway_spec::http::StatusCode;
use gateway_spec::http::header::{HeaderValue, RETRY_AFTER};
use tokio::sync::oneshot::error::RecvError;

use super::contain::contained;
use super::handle::{On, handle};
use super::place::Place;
use super::service::Service;
use super::teardown::Guard;
use super::unmatched;
use crate::chain::Chain;
use crate::context::Cx;
use crate::error::{Error, HttpError, Result};
use crate::pool;
use crate::response::Response;

/// Makes the response what goes out, if a view without hooks has left nothing else to be done: whether
/// that is so.
pub(super) fn finish_at_once(service: &Service, cx: &Cx, response: &mut Response) -> bool {
    if cx.is_used() || response.fault().is_some() {
        return false;
    }
    polish(service, cx, response);
    response.fault().is_none()
}

/// What remains behind a view without hooks: the answer to its error, what it has asked for.
pub(super) async fn end(
    service: &Arc<Service>,
    cx: &Cx,
    result: Result<Response>,
) -> gateway_spec::Response {
    let chain = service.chain(cx.rule_id());
    let response = match result {
        Ok(response) => response,
        Err(error) => handle(service, chain, cx, error, On::Loop).await,
    };
    let response = deferred(service, chain, cx, response, On::Loop).await;
    finish(service, chain, cx, response).await.into_inner()
}

/// Answers a request.
pub(super) async fn run(service: &Arc<Service>, cx: &Cx) -> gateway_spec::Response {
    if !cx.options().is_some_and(|options| options.cancel) {
        cx.head().finish_on_disconnect();
    }
    let chain = service.chain(cx.rule_id());
    let guard = Guard::new(service, cx);
    let mut so_far = SoFar { response: None };
    match chain.plain {
        None => {
            let all = 0..chain.len();
            so_far.advance(service, chain, cx, all, On::Loop).await;
        }
        Some(plain) => {
            let walk = so_far.cross(service, cx, plain, guard.clone());
            so_far = Box::pin(walk).await;
        }
    }
    let response = so_far.response.unwrap_or_default();
    let mut response = finish(service, chain, cx, response).await;
    if let Some(guard) = guard {
        Guard::follow(guard, &mut response);
    }
    response.into_inner()
}

/// How far a request has come.
struct SoFar {
    response: Option<Response>,
}

impl SoFar {
    /// Takes all steps, those from the first plain one to the last on the pool.
    async fn cross(
        mut self,
        service: &Arc<Service>,
        cx: &Cx,
        (first, last): (usize, usize),
        guard: Option<Arc<Guard>>,
    ) -> Self {
        let chain = service.chain(cx.rule_id());
        let (plain, rest) = (first..last + 1, last + 1..chain.len());
        self.advance(service, chain, cx, 0..first, On::Loop).await;
        if self.blocks(chain, cx, plain.clone()) {
            self = hop(service, cx, self, plain, guard).await;
        } else {
            self.advance(service, chain, cx, plain, On::Loop).await;
        }
        self.advance(service, chain, cx, rest, On::Loop).await;
        self
    }

    /// Takes the steps of `range`.
    async fn advance(
        &mut self,
        service: &Arc<Service>,
        chain: &Chain,
        cx: &Cx,
        range: Range<usize>,
        on: On,
    ) {
        for index in range {
            let result = self.step(chain, cx, index).await;
            match result {
                Ok(response) => self.response = response,
                Err(error) => {
                    self.response = Some(handle(service, chain, cx, error, on).await);
                }
            }
            if index == chain.view_at() {
                let response = self.response.take().unwrap_or_default();
                self.response = Some(deferred(service, chain, cx, response, on).await);
            }
        }
    }

    async fn step(&mut self, chain: &Chain, cx: &Cx, index: usize) -> Result<Option<Response>> {
        let view = chain.view_at();
        if index < view {
            let hook = &chain.scope.before[index];
            return match self.response.take() {
                Some(response) => Ok(Some(response)),
                None if hook.facts.only_unsafe && cx.method().is_safe() => Ok(None),
                None => contained(cx, hook.call.call(cx)).await,
            };
        }
        if index > view {
            let response = self.response.take().unwrap_or_default();
            let hook = &chain.scope.after[index - view - 1];
            return contained(cx, hook.call.call(cx, response)).await.map(Some);
        }
        let response = match (self.response.take(), &chain.view) {
            (Some(response), _) => response,
            (None, Some(_)) if chain.is_automatic(cx.method()) => unmatched::automatic_options(cx),
            (None, Some(view)) => contained(cx, view.call.call(cx)).await?,
            (None, None) => unmatched::answer(cx)?,
        };
        Ok(Some(response))
    }

    /// Whether a step of `range` that will run is plain.
    fn blocks(&self, chain: &Chain, cx: &Cx, range: Range<usize>) -> bool {
        let view = chain.view_at();
        let answered = self.response.is_some();
        range.into_iter().any(|index| match index {
            index if index < view => !answered && chain.scope.before[index].facts.plain,
            index if index > view => chain.scope.after[index - view - 1].facts.plain,
            _ => {
                let plain = chain.view.as_ref().is_some_and(|view| view.facts.plain);
                plain && !answered && !chain.is_automatic(cx.method())
            }
        })
    }
}

/// Takes the steps of `range` on the pool.
async fn hop(
    service: &Arc<Service>,
    cx: &Cx,
    mut so_far: SoFar,
    range: Range<usize>,
    guard: Option<Arc<Guard>>,
) -> SoFar {
    let chain = service.chain(cx.rule_id());
    if chain.reads_body {
        // Kept in the context, its error too: whoever asks for the body gets it there.
        let _ = cx.body().await;
    }
    if chain.reads_form {
        let _ = cx.form().await;
    }
    let job = {
        let (service, cx) = (Arc::clone(service), cx.clone());
        move || {
            let chain = service.chain(cx.rule_id());
            let steps = so_far.advance(&service, chain, &cx, range, On::Pool);
            service.site.runtime.block_on(steps);
            drop(guard);
            so_far
        }
    };
    let error = match service.site.pool.run(Place(cx), job) {
        Ok(answer) => match waited(cx, answer).await {
            Some(Ok(so_far)) => return so_far,
            Some(Err(lost)) => Error::from(lost),
            None => {
                return SoFar {
                    response: Some(Response::empty(StatusCode::SERVICE_UNAVAILABLE)),
                };
            }
        },
        Err(refused) => {
            cx.log(Level::Warn, &refused.to_string());
            Error::from(HttpError::new(StatusCode::SERVICE_UNAVAILABLE))
                .with(RETRY_AFTER, const { HeaderValue::from_static("1") })
        }
    };
    SoFar {
        response: Some(handle(service, chain, cx, error, On::Loop).await),
    }
}

/// What the pool answers; none if the exchange has ended before the job began, which then leaves the queue.
async fn waited<T>(
    cx: &Cx,
    mut answer: pool::Answer<T, Place<'_>>,
) -> Option<std::result::Result<T, RecvError>> {
    let mut closed = pin!(cx.head().closed());
    let (mut is_first, mut is_closed) = (true, false);
    poll_fn(|waker| {
        let polled = Pin::new(&mut answer).poll(waker);
        if polled.is_ready() {
            return polled.map(Some);
        }
        // Hosts poll calls again that go on behind their exchange: to ask then spares all others the question.
        if !std::mem::take(&mut is_first) && !is_closed {
            is_closed = closed.as_mut().poll(waker).is_ready();
            if is_closed && answer.forsake() {
                return Poll::Ready(None);
            }
        }
        Poll::Pending
    })
    .await
}

/// Makes the changes that were asked for this request alone.
async fn deferred(
    service: &Arc<Service>,
    chain: &Chain,
    cx: &Cx,
    mut response: Response,
    on: On,
) -> Response {
    for change in cx.take_after() {
        response = match contained(cx, Box::pin(change.apply(response))).await {
            Ok(response) => response,
            Err(error) => handle(service, chain, cx, error, on).await,
        };
    }
    response
}

/// What changes every response without waiting.
fn polish(service: &Service, cx: &Cx, response: &mut Response) {
    for change in &service.finish {
        change(cx, response);
    }
}

/// What happens to every response, last of all.
async fn finish(service: &Arc<Service>, chain: &Chain, cx: &Cx, response: Response) -> Response {
    let mut response = faultless(service, chain, cx, response).await;
    for change in cx.take_at_end() {
        response = match contained(cx, Box::pin(change.apply(response))).await {
            Ok(response) => response,
            Err(error) => handle(service, chain, cx, error, On::Loop).await,
        };
    }
    polish(service, cx, &mut response);
    match response.fault() {
        None => response,
        Some(fault) => {
            cx.report(&Error::message(fault.to_owned()));
            Response::empty(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// The response, or the answer to its fault.
async fn faultless(service: &Arc<Service>, chain: &Chain, cx: &Cx, response: Response) -> Response {
    match response.fault() {
        None => response,
        Some(fault) => {
            let error = Error::message(fault.to_owned());
            handle(service, chain, cx, error, On::Loop).await
        }
    }
}
