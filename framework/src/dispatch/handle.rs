//! From an error to its answer: the handlers of the scopes, innermost first, else a page.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use gateway_spec::Level;
use gateway_spec::http::StatusCode;

use super::contain::contained;
use super::place::Place;
use super::service::Service;
use crate::chain::Chain;
use crate::context::Cx;
use crate::error::{Error, HttpError, Result};
use crate::pages;
use crate::response::Response;
use crate::scope::Handlers;
use crate::signals;
use crate::signals::events::GotRequestException;
use crate::step::{CallCatch, CallView, Step};

/// Where the walk is: a plain handler must not run on the event loop.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    Loop,
    Pool,
}

/// The handler that an error goes to.
enum Choice {
    ByCode(Step<dyn CallView>),
    ByType(Step<dyn CallCatch>),
}

/// Answers an error. Boxed, so that calls which go well do not carry its size.
#[cold]
pub(super) fn handle<'a>(
    service: &'a Arc<Service>,
    chain: &'a Chain,
    cx: &'a Cx,
    error: Error,
    on: On,
) -> Pin<Box<dyn Future<Output = Response> + Send + 'a>> {
    Box::pin(answer(service, chain, cx, error, on))
}

async fn answer(
    service: &Arc<Service>,
    chain: &Chain,
    cx: &Cx,
    mut error: Error,
    on: On,
) -> Response {
    if let Some(response) = error.take_response() {
        return response;
    }
    let mut fields = error.take_fields();
    let (status, summary) = (error.status(), advised(cx, error.summary()));
    cx.set_failure(Some(summary.clone()));
    let choice = choose(&chain.scope.handlers, &error);
    let unexpected = error.is_unexpected() && !matches!(choice, Some(Choice::ByType(_)));
    if unexpected {
        failed(cx, &error);
    }
    let mut response = match choice {
        None => page(service, cx, &summary, unexpected.then_some(&error)),
        Some(choice) => match run(service, cx, choice, error, on).await {
            Ok(response) => response,
            Err(mut second) => match second.take_response() {
                Some(response) => response,
                None => {
                    fields = second.take_fields();
                    let unexpected = second.is_unexpected();
                    if unexpected {
                        failed(cx, &second);
                    }
                    let summary = advised(cx, second.summary());
                    page(service, cx, &summary, unexpected.then_some(&second))
                }
            },
        },
    };
    response.default_status(status);
    for (name, value) in fields {
        if response.headers().get(&name).is_none() {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// What the client may be told, where there is advice for others: in debug runs they are the client.
fn advised(cx: &Cx, summary: HttpError) -> HttpError {
    let Some(advice) = summary.advice() else {
        return summary;
    };
    let (code, name) = (summary.status().as_u16(), summary.name());
    let (method, path) = (cx.method(), cx.path().escape_debug());
    let line = format!("{method} {path}: {code} {name}: {advice}");
    cx.log(Level::Info, &line);
    match cx.site().debug {
        true => {
            let advice = advice.to_owned();
            summary.describe(advice)
        }
        false => summary,
    }
}

/// Tells of an error that nobody expected.
fn failed(cx: &Cx, error: &Error) {
    cx.report(error);
    signals::send(cx, || GotRequestException {
        error: error.to_string(),
    });
}

/// The page for an error that no handler takes.
pub(super) fn page(
    service: &Service,
    cx: &Cx,
    summary: &HttpError,
    error: Option<&Error>,
) -> Response {
    match &service.page {
        Some(page) => page(cx, summary, error),
        None => pages::error_page(cx, summary),
    }
}

async fn run(
    service: &Arc<Service>,
    cx: &Cx,
    choice: Choice,
    error: Error,
    on: On,
) -> Result<Response> {
    let plain = match &choice {
        Choice::ByCode(step) => step.facts.plain,
        Choice::ByType(step) => step.facts.plain,
    };
    if !plain || on == On::Pool {
        return call(cx, choice, error).await;
    }
    let (inner, runtime) = (cx.clone(), service.site.runtime.clone());
    let job = move || runtime.block_on(call(&inner, choice, error));
    let receiver = service
        .site
        .pool
        .run(Place(cx), job)
        .map_err(|refused| Error::with_cause(StatusCode::SERVICE_UNAVAILABLE, refused))?;
    receiver.await?
}

async fn call(cx: &Cx, choice: Choice, error: Error) -> Result<Response> {
    match choice {
        Choice::ByCode(step) => contained(cx, step.call.call(cx)).await,
        Choice::ByType(step) => contained(cx, step.call.call(cx, error)).await,
    }
}

/// In each scope: exact type, type of a source from the outside in, exact code, range of codes, `HttpError`, any error.
fn choose(scopes: &[Arc<Handlers>], error: &Error) -> Option<Choice> {
    let code = error.status().as_u16();
    let http = std::any::TypeId::of::<HttpError>();
    scopes.iter().find_map(|handlers| {
        let by_type = |wanted: &dyn Fn(&Step<dyn CallCatch>) -> bool| {
            let found = handlers.by_type.iter().filter(|step| wanted(step));
            let found = found.filter_map(|step| Some((step.call.distance(error)?, step)));
            let (_, step) = found.min_by_key(|(distance, _)| *distance)?;
            Some(Choice::ByType(step.clone()))
        };
        let by_code = |exact: bool| {
            let mut found = handlers.by_code.iter();
            let (_, step) =
                found.find(|(codes, _)| codes.is_exact() == exact && codes.0.contains(&code))?;
            Some(Choice::ByCode(step.clone()))
        };
        by_type(&|step| step.call.takes().is_some_and(|takes| takes != http))
            .or_else(|| by_code(true))
            .or_else(|| by_code(false))
            .or_else(|| by_type(&|step| step.call.takes() == Some(http)))
            .or_else(|| by_type(&|step| step.call.takes().is_none()))
    })
}
