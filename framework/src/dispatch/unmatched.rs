//! What is answered without a view: redirects, refusals, OPTIONS.

use gateway_spec::http::header::{ALLOW, HeaderValue};
use gateway_spec::http::{Method, StatusCode};

use crate::context::Cx;
use crate::error::{Abort, Error, Result, abort};
use crate::request;
use crate::response::Response;
use crate::routing::{MethodSet, Outcome};

/// The answer to a request that no view takes.
pub(super) fn answer(cx: &Cx) -> Result<Response> {
    match cx.outcome() {
        Outcome::Redirect(location) => {
            Ok(Response::redirect(StatusCode::PERMANENT_REDIRECT, location))
        }
        Outcome::MethodNotAllowed(methods) if cx.method() == Method::OPTIONS => {
            Ok(options(methods))
        }
        Outcome::MethodNotAllowed(methods) => Err(refusal(methods)),
        Outcome::WebSocketMismatch => abort(StatusCode::BAD_REQUEST),
        Outcome::NotFound | Outcome::Found(_) => abort(StatusCode::NOT_FOUND),
    }
}

/// The answer to OPTIONS where the view does not give it itself.
pub(super) fn automatic_options(cx: &Cx) -> Response {
    let head = cx.head();
    let host = request::host(head.authority(), head.scheme());
    let site = cx.site();
    let binding = site.binding(head, &host);
    options(&site.map.allowed(&binding, head.path_below_mount()))
}

fn options(methods: &MethodSet) -> Response {
    let mut response = Response::empty(StatusCode::OK);
    if let Some(value) = allow(methods) {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}

fn refusal(methods: &MethodSet) -> Error {
    let error = StatusCode::METHOD_NOT_ALLOWED.into_error();
    match allow(methods) {
        Some(value) => error.with(ALLOW, value),
        None => error,
    }
}

fn allow(methods: &MethodSet) -> Option<HeaderValue> {
    HeaderValue::try_from(methods.to_string()).ok()
}
