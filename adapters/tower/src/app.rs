//! [`app`]: a tower service as a gateway.

use std::fmt;
use std::future::poll_fn;

use gateway_spec::{Address, Body, Gateway, Request, Response};
use http::header::{
    CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_KEY, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{Method, StatusCode, Uri, Version};
use tower_service::Service;

use crate::body::{self, BoxError};
use crate::connection::Connection;
use crate::late::Late;

/// A tower service as a [`Gateway`]. Made by [`app`].
#[derive(Clone)]
pub struct ServiceGateway<S> {
    service: S,
}

/// A service as a gateway, to stand in `gateway_spec::export!(tokio: ...)`.
///
/// The path is the one below the mount. Requests carry the extensions [`Connection`] and
/// [`gateway_spec::Exchange`], with the feature `axum` those of axum beside them, and where the
/// client offers another protocol `hyper::upgrade::OnUpgrade`, which axum's WebSockets are made of.
pub fn app<S, B>(service: S) -> ServiceGateway<S>
where
    S: Service<http::Request<Body>, Response = http::Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    ServiceGateway { service }
}

/// An axum router as a gateway; as [`app`], and its routes are made ready once.
#[cfg(feature = "axum")]
#[must_use]
pub fn router(router: axum::Router) -> ServiceGateway<axum::Router> {
    app(router.with_state(()))
}

impl<S, B> Gateway for ServiceGateway<S>
where
    S: Service<http::Request<Body>, Response = http::Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    async fn call(&self, request: Request) -> Response {
        let offer = Offer::of(&request);
        let Some(mut request) = converted(request) else {
            return Response::status(StatusCode::BAD_REQUEST);
        };
        let late = offer.as_ref().and_then(|_| Late::new());
        let late = late.map(|(late, upgrade)| {
            request.extensions_mut().insert(upgrade);
            late
        });
        if let Some(offer) = &offer {
            offer.restore(&mut request);
        }
        let mut service = self.service.clone();
        if let Err(error) = poll_fn(|cx| service.poll_ready(cx).map_err(Into::into)).await {
            return failed(&error);
        }
        match service.call(request).await.map_err(Into::into) {
            Ok(response) => answer(response, offer, late).await,
            Err(error) => failed(&error),
        }
    }
}

fn failed(error: &BoxError) -> Response {
    log::error!(target: "gateway", "the service failed: {error}");
    Response::status(StatusCode::INTERNAL_SERVER_ERROR)
}

impl<S> fmt::Debug for ServiceGateway<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceGateway")
    }
}

/// The other protocol that a client offers.
struct Offer {
    protocol: HeaderValue,
    /// CONNECT to an authority, without a path.
    is_tunnel: bool,
    /// CONNECT of HTTP/2 with a path.
    is_extended: bool,
}

impl Offer {
    fn of(request: &Request) -> Option<Self> {
        let is_connect = *request.method() == Method::CONNECT;
        let is_tunnel = is_connect && request.path().is_empty();
        let protocol = match request.protocol() {
            Some(protocol) => HeaderValue::from_bytes(protocol).ok()?,
            None if is_tunnel => HeaderValue::from_static("tunnel"),
            None => return None,
        };
        Some(Self {
            protocol,
            is_tunnel,
            is_extended: is_connect && !is_tunnel,
        })
    }

    /// Tells the service as HTTP/1.1 does, also for an extended CONNECT of HTTP/2 (RFC 8441).
    fn restore(&self, request: &mut http::Request<Body>) {
        if self.is_tunnel {
            return;
        }
        if self.is_extended {
            *request.method_mut() = Method::GET;
            *request.version_mut() = Version::HTTP_11;
        }
        let headers = request.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, self.protocol.clone());
        if self.is_extended && !headers.contains_key(SEC_WEBSOCKET_KEY) {
            // HTTP/2 has none. Its answer is dropped again.
            headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_static(ANY_KEY));
        }
    }
}

fn converted(mut request: Request) -> Option<http::Request<Body>> {
    let uri = uri(&request)?;
    let mut headers = HeaderMap::with_capacity(request.fields().len() + 2);
    for (name, value) in request.fields() {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_bytes(value).ok()?);
    }
    let mut converted = http::Request::new(request.take_body());
    *converted.method_mut() = request.method().clone();
    *converted.version_mut() = request.version();
    *converted.headers_mut() = headers;
    let extensions = converted.extensions_mut();
    *extensions = std::mem::take(request.extensions_mut());
    insert_axums(extensions, &request, &uri);
    extensions.insert(connection(&request));
    extensions.insert(request.exchange());
    *converted.uri_mut() = uri;
    Some(converted)
}

/// The target below the mount.
fn uri(request: &Request) -> Option<Uri> {
    if request.path().is_empty() {
        return Uri::try_from(request.target()).ok();
    }
    if request.mount().is_empty() && !request.is_absolute_form() {
        return Uri::try_from(request.target()).ok();
    }
    let mut target = request.path_below_mount().to_vec();
    if target.is_empty() {
        target.push(b'/');
    }
    if let Some(query) = request.query() {
        target.push(b'?');
        target.extend_from_slice(query);
    }
    Uri::try_from(target).ok()
}

fn connection(request: &Request) -> Connection {
    let connection = Connection::new(request.peer(), request.local());
    let connection = match request.client() {
        client if client == *connection.peer() => connection,
        client => connection.with_client(client),
    };
    match request.scheme() {
        gateway_spec::Scheme::Https => connection.with_tls(request.tls()),
        gateway_spec::Scheme::Http => connection,
    }
}

#[cfg(feature = "axum")]
fn insert_axums(extensions: &mut http::Extensions, request: &Request, uri: &Uri) {
    use axum::extract::{ConnectInfo, OriginalUri};
    if let Address::Ip(client) = request.client() {
        extensions.insert(ConnectInfo(client));
    }
    let original = match request.mount() {
        b"" => Some(uri.clone()),
        _ => Uri::try_from(request.target()).ok(),
    };
    if let Some(original) = original {
        extensions.insert(OriginalUri(original));
    }
}

#[cfg(not(feature = "axum"))]
fn insert_axums(_: &mut http::Extensions, _: &Request, _: &Uri) {
    let _ = Address::Unknown;
}

async fn answer<B>(
    response: http::Response<B>,
    offer: Option<Offer>,
    late: Option<Late>,
) -> Response
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let (mut parts, body) = response.into_parts();
    let chosen = parts.headers.remove(UPGRADE);
    for name in &[CONNECTION, TRANSFER_ENCODING, TRAILER] {
        parts.headers.remove(name);
    }
    for name in ["keep-alive", "proxy-connection", "te"] {
        parts.headers.remove(name);
    }
    let switches = match &offer {
        Some(offer) if offer.is_tunnel => parts.status.is_success(),
        _ => parts.status == StatusCode::SWITCHING_PROTOCOLS,
    };
    let mut response = match (offer, late) {
        (Some(offer), Some(late)) if switches => {
            parts.headers.remove(CONTENT_LENGTH);
            if offer.is_extended {
                parts.headers.remove(SEC_WEBSOCKET_ACCEPT);
            }
            let protocol = chosen.unwrap_or(offer.protocol);
            Response::upgrade(protocol, |stream| late.keep(stream))
        }
        // The service has answered what it takes for GET; to the client a success is the other protocol.
        (Some(offer), _) if offer.is_extended && parts.status.is_success() => {
            return Response::from(StatusCode::NOT_IMPLEMENTED);
        }
        _ => Response::new(body::answered(body).await).with_status(parts.status),
    };
    *response.fields_mut() = parts.headers.into();
    if !parts.extensions.is_empty() {
        *response.extensions_mut() = parts.extensions;
    }
    response
}

/// What an extended CONNECT answers with where HTTP/1.1 wants a key.
const ANY_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAA==";
