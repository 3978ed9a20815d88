//! [`GatewayHandler`]: a gateway as a handler of actix-web.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::body::MessageBody as _;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::{Handler, HttpRequest, HttpResponse, web};
use gateway_spec::Gateway;
use gateway_spec::hosting::{Answer, Hosted};

use crate::download::Download;
use crate::request::received;

/// A gateway as a handler, for `web::to`: of a resource, a scope's default, the application's
/// default. Clones share the gateway.
///
/// Dropping its future, or the body of its response, tells the application that the client has gone.
pub struct GatewayHandler<G> {
    hosted: Hosted<G>,
    mount: Option<Arc<str>>,
}

impl<G: Gateway> GatewayHandler<G> {
    /// The handler of a gateway.
    #[must_use]
    pub fn new(hosted: &Hosted<G>) -> Self {
        Self {
            hosted: hosted.clone(),
            mount: None,
        }
    }

    /// The same below a prefix of the path, that of the scope in which it stands; others are answered
    /// with 404.
    ///
    /// # Panics
    ///
    /// If `prefix` does not begin with `/`, or ends with it.
    #[must_use]
    pub fn at(mut self, prefix: &str) -> Self {
        assert!(
            prefix.starts_with('/') && !prefix.ends_with('/'),
            "expected a prefix like /app, found {prefix:?}"
        );
        self.mount = Some(prefix.into());
        self
    }
}

impl<G: Gateway> Handler<(HttpRequest, web::Payload)> for GatewayHandler<G> {
    type Output = HttpResponse;
    type Future = Pin<Box<dyn Future<Output = HttpResponse>>>;

    fn call(&self, (request, payload): (HttpRequest, web::Payload)) -> Self::Future {
        let is_head = request.method() == actix_web::http::Method::HEAD;
        let call = match received(&request, payload, self.mount.as_deref()) {
            Ok(request) => self.hosted.call(request),
            Err(status) => {
                return Box::pin(async move { written(Answer::refusal(status), is_head) });
            }
        };
        Box::pin(async move { written(call.await, is_head) })
    }
}

/// The answer in actix-web's types, which are those of `http` 0.2.
fn written(answer: Answer, is_head: bool) -> HttpResponse {
    let Answer {
        status,
        fields,
        length,
        content,
        switch,
        ..
    } = answer;
    if switch.is_some() {
        // Not offered to the application, so there is none.
        return HttpResponse::NotImplemented().finish();
    }
    let status = StatusCode::from_u16(status.as_u16());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    for (name, value) in fields.iter() {
        response.append_header((name.as_str(), value.as_bytes()));
    }
    // Without content actix-web takes a length as a field alone, or waits for that content.
    let (field, length) = match length {
        length if status == StatusCode::NOT_MODIFIED => (length, None),
        length => (None, length),
    };
    if let Some(length) = field {
        response.append_header((CONTENT_LENGTH, length));
    }
    response.body(Download::new(content, length, is_head).boxed())
}

impl<G> Clone for GatewayHandler<G> {
    fn clone(&self) -> Self {
        Self {
            hosted: self.hosted.clone(),
            mount: self.mount.clone(),
        }
    }
}

impl<G> fmt::Debug for GatewayHandler<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mount = self.mount.as_deref().unwrap_or_default();
        write!(f, "GatewayHandler({mount:?}, {:?})", self.hosted)
    }
}
