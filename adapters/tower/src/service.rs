//! [`GatewayService`]: a gateway as a tower service.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use gateway_spec::Gateway;
use gateway_spec::hosting::{Answer, Call, Hosted, Switch};
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderValue, UPGRADE};
use http::{Method, Response, StatusCode, Version};
use http_body::Body as _;
use hyper::upgrade::OnUpgrade;
use tower_service::Service;

use crate::body::{BoxError, ResponseBody};
use crate::connection::Connection;
use crate::request::{Received, received};
use crate::tunnel::Tunnel;

/// A gateway as a `tower::Service` of `http::Request<B>`, for any body, and as hyper's own
/// `Service`. Clones share the gateway.
///
/// It is always ready, and never fails: what goes wrong is an answer or a body that breaks off.
/// Dropping the future of a response, or its body, tells the application that the client has gone.
pub struct GatewayService<G> {
    hosted: Hosted<G>,
    mount: Option<Arc<str>>,
    connection: Option<Connection>,
}

impl<G: Gateway> GatewayService<G> {
    /// The service of a gateway.
    #[must_use]
    pub fn new(hosted: &Hosted<G>) -> Self {
        Self {
            hosted: hosted.clone(),
            mount: None,
            connection: None,
        }
    }

    /// The same for the requests of this connection, except those that bring another as an extension.
    #[must_use]
    pub fn on(mut self, connection: Connection) -> Self {
        self.connection = Some(connection);
        self
    }

    /// The same below a prefix of the path, which requests carry; others are answered with 404.
    ///
    /// Where axum nests a service it takes the prefix off and says so: that is understood without
    /// this, by the feature `axum`.
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

    fn answer<B>(&self, request: http::Request<B>) -> ResponseFuture
    where
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let is_tunnel = *request.method() == Method::CONNECT;
        let version = request.version();
        let received = received(request, self.mount.as_deref(), self.connection.as_ref());
        let state = match received {
            Err(status) => State::Refused(status),
            Ok(Received {
                request,
                upgrade,
                tls,
            }) => State::Called {
                call: self.hosted.call_with(request, tls),
                upgrade,
                is_tunnel: is_tunnel || version >= Version::HTTP_2,
            },
        };
        ResponseFuture { state }
    }
}

impl<G: Gateway, B> Service<http::Request<B>> for GatewayService<G>
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> ResponseFuture {
        self.answer(request)
    }
}

impl<G: Gateway, B> hyper::service::Service<http::Request<B>> for GatewayService<G>
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn call(&self, request: http::Request<B>) -> ResponseFuture {
        self.answer(request)
    }
}

impl<G> Clone for GatewayService<G> {
    fn clone(&self) -> Self {
        Self {
            hosted: self.hosted.clone(),
            mount: self.mount.clone(),
            connection: self.connection.clone(),
        }
    }
}

impl<G> fmt::Debug for GatewayService<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mount = self.mount.as_deref().unwrap_or_default();
        write!(f, "GatewayService({mount:?}, {:?})", self.hosted)
    }
}

/// The response of a gateway, in a while.
#[derive(Debug)]
pub struct ResponseFuture {
    state: State,
}

#[derive(Debug)]
enum State {
    Called {
        call: Call,
        upgrade: Option<OnUpgrade>,
        /// Switching is said with 200: CONNECT, and everything of HTTP/2.
        is_tunnel: bool,
    },
    Refused(StatusCode),
}

impl Future for ResponseFuture {
    type Output = Result<Response<ResponseBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = match &mut self.state {
            State::Refused(status) => refusal(*status),
            State::Called {
                call,
                upgrade,
                is_tunnel,
            } => {
                let answer = ready!(Pin::new(call).poll(cx));
                written(answer, upgrade.take(), *is_tunnel)
            }
        };
        Poll::Ready(Ok(response))
    }
}

fn written(answer: Answer, upgrade: Option<OnUpgrade>, is_tunnel: bool) -> Response<ResponseBody> {
    let Answer {
        status,
        fields,
        length,
        content,
        switch,
        ..
    } = answer;
    let body = ResponseBody::new(content);
    let mut headers = HeaderMap::from(fields);
    // What the content says itself, servers write down.
    if let Some(length) = length.filter(|length| body.size_hint().exact() != Some(*length)) {
        headers.insert(CONTENT_LENGTH, length.into());
    }
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    match (switch, upgrade) {
        (None, _) => response,
        (Some(_), None) => refusal(StatusCode::NOT_IMPLEMENTED),
        (Some(switch), Some(upgrade)) => {
            if is_tunnel {
                *response.status_mut() = StatusCode::OK;
            } else {
                let headers = response.headers_mut();
                headers.insert(UPGRADE, switch.protocol.clone());
                headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            }
            tokio::spawn(tunnelled(upgrade, switch));
            response
        }
    }
}

/// The rest of an exchange that switched.
async fn tunnelled(upgrade: OnUpgrade, switch: Switch) {
    // An error is a connection that was lost on the way.
    if let Ok(upgraded) = upgrade.await {
        let draining = switch.draining();
        switch.run(Tunnel::new(upgraded, draining)).await;
    }
}

fn refusal(status: StatusCode) -> Response<ResponseBody> {
    written(Answer::refusal(status), None, false)
}
