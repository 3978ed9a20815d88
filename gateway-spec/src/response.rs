//! [`Response`]: what a gateway answers.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Extensions, StatusCode};

use crate::body::Body;
use crate::fields::{Fields, HTML, JSON, OCTETS, TEXT};
use crate::upgrade::Upgraded;

/// A final response: status, fields, body; and, rarely, an upgrade or work behind the answer.
///
/// Content-Length, Transfer-Encoding, Connection and Date are the host's (SPEC.md, RES-07): it
/// derives them from the body, the client and the protocol.
#[derive(Default)]
pub struct Response {
    status: StatusCode,
    fields: Fields,
    body: Body,
    rest: Option<Box<Rest>>,
}

pub(crate) type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;
type UpgradeHandler = Box<dyn FnOnce(Upgraded) -> BoxFuture + Send>;

/// What few responses have.
#[derive(Default)]
pub(crate) struct Rest {
    pub(crate) upgrade: Option<Upgrade>,
    pub(crate) after: Option<BoxFuture>,
    pub(crate) without_date: bool,
    extensions: Extensions,
}

/// A protocol switch that a response asks for; hosts take it with [`Response::take_upgrade`].
pub struct Upgrade {
    /// The protocol chosen.
    pub protocol: HeaderValue,
    handler: UpgradeHandler,
}

impl Response {
    /// 200 with a body.
    pub fn new(body: impl Into<Body>) -> Self {
        Self::made(Fields::new(), body.into())
    }

    /// Without a default whose parts would have to be dropped again.
    #[inline]
    fn made(fields: Fields, body: Body) -> Self {
        Self {
            status: StatusCode::OK,
            fields,
            body,
            rest: None,
        }
    }

    /// A status alone. Anything from 200 to 599; hosts refuse the rest.
    pub fn status(status: StatusCode) -> Self {
        Self::new(Body::empty()).with_status(status)
    }

    /// A status with its reason as text: what a host answers for an application that does not.
    pub(crate) fn reason(status: StatusCode) -> Self {
        let reason = match status {
            // RFC 9110 calls them otherwise than those before it.
            StatusCode::PAYLOAD_TOO_LARGE => "Content Too Large",
            StatusCode::UNPROCESSABLE_ENTITY => "Unprocessable Content",
            _ => status.canonical_reason().unwrap_or_default(),
        };
        Self::new(format!("{reason}\n"))
            .with_status(status)
            .with(CONTENT_TYPE, HeaderValue::from_static("text/plain"))
    }

    /// 200, `text/plain; charset=utf-8`.
    pub fn text(text: impl Into<Body>) -> Self {
        Self::made(Fields::of(&TEXT), text.into())
    }

    /// 200, `text/html; charset=utf-8`.
    pub fn html(text: impl Into<Body>) -> Self {
        Self::made(Fields::of(&HTML), text.into())
    }

    /// 200, `application/json`, of text that is JSON already.
    pub fn json(text: impl Into<Body>) -> Self {
        Self::made(Fields::of(&JSON), text.into())
    }

    /// Switches the connection to `protocol` and hands its bytes to `handler` (RFC 9110 §7.8); the
    /// exchange lasts until the handler's future ends. The host writes 101, or 200 for CONNECT.
    ///
    /// Only for a request whose [`protocol`](crate::Request::protocol) named it, or for CONNECT without
    /// one; a host refuses other upgrades. In answer to CONNECT it refuses a success without one.
    pub fn upgrade<F, Fut>(protocol: HeaderValue, handler: F) -> Self
    where
        F: FnOnce(Upgraded) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let handler: UpgradeHandler = Box::new(move |stream| Box::pin(handler(stream)));
        let rest = Rest {
            upgrade: Some(Upgrade { protocol, handler }),
            ..Rest::default()
        };
        Self {
            status: StatusCode::SWITCHING_PROTOCOLS,
            rest: Some(Box::new(rest)),
            ..Self::new(Body::empty())
        }
    }

    /// Work behind the answer: polled once the response has been given, neither delaying the
    /// connection's next request nor cancelled by a disconnect; the server's graceful timeout
    /// bounds it.
    #[must_use]
    pub fn after(mut self, work: impl Future<Output = ()> + Send + 'static) -> Self {
        let rest = self.rest.get_or_insert_default();
        rest.after = Some(match rest.after.take() {
            None => Box::pin(work),
            Some(earlier) => Box::pin(async move {
                earlier.await;
                work.await;
            }),
        });
        self
    }

    /// The same response with this status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same response with this field line added.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.fields.append(name, value);
        self
    }

    /// The same response, to which the host adds no Date field: for a resource without a clock
    /// (RFC 9110 §6.6.1).
    #[must_use]
    pub fn without_date(mut self) -> Self {
        self.rest.get_or_insert_default().without_date = true;
        self
    }

    /// The status.
    #[must_use]
    pub fn status_code(&self) -> StatusCode {
        self.status
    }

    /// The status, to be changed.
    pub fn status_mut(&mut self) -> &mut StatusCode {
        &mut self.status
    }

    /// The field lines.
    #[must_use]
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The field lines, to be changed.
    pub fn fields_mut(&mut self) -> &mut Fields {
        &mut self.fields
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The body, to be changed or taken.
    pub fn body_mut(&mut self) -> &mut Body {
        &mut self.body
    }

    /// Takes the body out.
    #[must_use]
    pub fn into_body(self) -> Body {
        self.body
    }

    /// Values by type, for middleware; they do not cross the ABI.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.rest.get_or_insert_default().extensions
    }

    /// Whether the host adds a Date field.
    #[must_use]
    pub fn wants_date(&self) -> bool {
        !self.rest.as_ref().is_some_and(|rest| rest.without_date)
    }

    /// The protocol that the response switches to, if it does.
    #[must_use]
    pub fn upgrade_protocol(&self) -> Option<&HeaderValue> {
        Some(&self.rest.as_ref()?.upgrade.as_ref()?.protocol)
    }

    /// What crosses the ABI.
    #[inline]
    pub(crate) fn into_parts(self) -> (StatusCode, Fields, Body, Option<Box<Rest>>) {
        (self.status, self.fields, self.body, self.rest)
    }

    /// Takes the protocol switch, for hosts.
    pub fn take_upgrade(&mut self) -> Option<Upgrade> {
        self.rest.as_mut()?.upgrade.take()
    }

    /// Takes the work behind the answer, for hosts: to be polled after the response was given.
    pub fn take_after(&mut self) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        self.rest.as_mut()?.after.take()
    }
}

impl Upgrade {
    /// Gives the stream to the handler; the future is the upgraded connection's life.
    pub fn run(self, stream: Upgraded) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        (self.handler)(stream)
    }
}

impl fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upgrade({:?})", self.protocol)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("fields", &self.fields)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

impl From<StatusCode> for Response {
    fn from(status: StatusCode) -> Self {
        Self::status(status)
    }
}

impl From<&'static str> for Response {
    fn from(text: &'static str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Response {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<Bytes> for Response {
    fn from(bytes: Bytes) -> Self {
        Self::made(Fields::of(&OCTETS), bytes.into())
    }
}

impl<R: Into<Self>> From<(StatusCode, R)> for Response {
    fn from((status, response): (StatusCode, R)) -> Self {
        response.into().with_status(status)
    }
}

impl<T: Into<Self>, E: Into<Self>> From<Result<T, E>> for Response {
    fn from(result: Result<T, E>) -> Self {
        result.map_or_else(Into::into, Into::into)
    }
}

impl<B: Into<Body>> From<http::Response<B>> for Response {
    fn from(response: http::Response<B>) -> Self {
        let (parts, body) = response.into_parts();
        let mut converted = Self::new(body.into()).with_status(parts.status);
        converted.fields = parts.headers.into();
        if !parts.extensions.is_empty() {
            *converted.extensions_mut() = parts.extensions;
        }
        converted
    }
}

impl From<Response> for http::Response<Body> {
    /// An upgrade and work behind the answer are not carried: take them first.
    fn from(mut response: Response) -> Self {
        let mut converted = Self::new(response.body);
        *converted.status_mut() = response.status;
        *converted.headers_mut() = response.fields.into();
        if let Some(rest) = &mut response.rest {
            *converted.extensions_mut() = std::mem::take(&mut rest.extensions);
        }
        converted
    }
}
