//! The walk of one request through its chain.

use std::ops::Range;
use std::sync::Arc;

use gateway_spec::Level;
use gateway_spec::http::header::{HeaderValue, RETRY_AFTER};
use gateway_spec::http::{Method, StatusCode};

use super::contain::contained;
use super::handle::{On, handle, report};
use super::service::Service;
use super::teardown::Guard;
use super::unmatched;
use crate::chain::Chain;
use crate::context::Cx;
use crate::error::{Error, HttpError, Result};
use crate::response::Response;
use crate::routing::{Outcome, RuleId};

/// Answers a request.
pub(super) async fn run(
    service: &Arc<Service>,
    cx: &Cx,
    rule: Option<RuleId>,
    missed: Option<Outcome>,
) -> gateway_spec::Response {
    let chain = service.chain(rule);
    let guard = Guard::new(service, cx, rule);
    let mut so_far = SoFar {
        response: None,
        missed,
    };
    match chain
        .plain
        .filter(|_| cx.method() != Method::OPTIONS || chain.answers_options)
    {
        None => {
            so_far
                .advance(service, chain, cx, 0..chain.len(), On::Loop)
                .await
        }
        Some((first, last)) => {
            so_far.advance(service, chain, cx, 0..first, On::Loop).await;
            if so_far.blocks(chain, first..last + 1) {
                so_far = hop(service, cx, rule, so_far, first..last + 1, guard.clone()).await;
            } else {
                so_far
                    .advance(service, chain, cx, first..last + 1, On::Loop)
                    .await;
            }
            so_far
                .advance(service, chain, cx, last + 1..chain.len(), On::Loop)
                .await;
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
    missed: Option<Outcome>,
}

impl SoFar {
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
        let mut response = match (self.response.take(), &chain.view) {
            (Some(response), _) => response,
            (None, Some(_)) if cx.method() == Method::OPTIONS && !chain.answers_options => {
                unmatched::automatic_options(cx)
            }
            (None, Some(view)) => contained(cx, view.call.call(cx)).await?,
            (None, None) => unmatched::answer(cx, self.missed.take())?,
        };
        for change in cx.take_after() {
            response = contained(cx, Box::pin(change.apply(response))).await?;
        }
        Ok(Some(response))
    }

    /// Whether a step of `range` that will run is plain.
    fn blocks(&self, chain: &Chain, range: Range<usize>) -> bool {
        let view = chain.view_at();
        let answered = self.response.is_some();
        range.into_iter().any(|index| match index {
            index if index < view => !answered && chain.scope.before[index].facts.plain,
            index if index > view => chain.scope.after[index - view - 1].facts.plain,
            _ => !answered && chain.view.as_ref().is_some_and(|view| view.facts.plain),
        })
    }
}

/// Takes the steps of `range` on the pool.
async fn hop(
    service: &Arc<Service>,
    cx: &Cx,
    rule: Option<RuleId>,
    mut so_far: SoFar,
    range: Range<usize>,
    guard: Option<Arc<Guard>>,
) -> SoFar {
    let chain = service.chain(rule);
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
            let chain = service.chain(rule);
            let steps = so_far.advance(&service, chain, &cx, range, On::Pool);
            service.site.runtime.block_on(steps);
            drop(guard);
            so_far
        }
    };
    let error = match service.site.pool.run(job) {
        Ok(receiver) => match receiver.await {
            Ok(so_far) => return so_far,
            Err(lost) => Error::from(lost),
        },
        Err(refused) => {
            cx.log(Level::Warn, &refused.to_string());
            Error::from(HttpError::new(StatusCode::SERVICE_UNAVAILABLE))
                .with(RETRY_AFTER, const { HeaderValue::from_static("1") })
        }
    };
    SoFar {
        response: Some(handle(service, chain, cx, error, On::Loop).await),
        missed: None,
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
    for change in &service.finish {
        change(cx, &mut response);
    }
    match response.fault() {
        None => response,
        Some(fault) => {
            report(cx, &Error::message(fault.to_owned()));
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
