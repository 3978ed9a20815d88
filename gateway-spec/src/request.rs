//! [`Request`]: an owned request, one copy of the head's bytes and a table of offsets.

use std::fmt;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Extensions, Method, StatusCode, Version};

use crate::abi::types::{LENGTH_UNKNOWN, request_flag, scheme};
use crate::address::Address;
use crate::body::Body;
use crate::error::{Error, ErrorKind};
use crate::exchange::Exchange;
use crate::exchange_host::{HostExchange, TlsInfo};
use crate::fields::Fields;
use crate::head::{Facts, Head, ORIGIN, Part, RawAddress};
use crate::pool::Pooled;

/// A request: owned, `Send + 'static`, so that it may move into a spawned task.
///
/// Everything is as the client sent it: nothing is decoded, no dot segment removed. Names of
/// fields are lower-case. What the host found out (peer, client, scheme, id) stands beside it and
/// no field of the client's can set it.
pub struct Request {
    // Always there; an Option only so that `drop` can give the head back to the pool.
    head: Option<Box<Pooled<Head>>>,
}

/// `http` or `https`, as the transport or a trusted proxy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the interface knows these two")]
pub enum Scheme {
    /// Cleartext.
    Http,
    /// TLS, here or at a trusted proxy.
    Https,
}

impl Request {
    pub(crate) fn from_head(head: Box<Pooled<Head>>) -> Self {
        Self { head: Some(head) }
    }

    /// A request made in process, for tests and callers of gateways: no host, no addresses.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if `target` is not an origin-form (`/path?query`), an absolute-form
    /// (`http://host/path`), `*`, or for CONNECT a `host:port`.
    pub fn build(method: Method, target: &str) -> Result<Self, Error> {
        let mut head = Head::take();
        head.facts = Facts::NEW;
        head.origin = ORIGIN;
        (head.peer, head.client, head.local) = (RawAddress::default(), None, RawAddress::default());
        let is_connect = method == Method::CONNECT;
        head.facts.method = head.push(method.as_str().as_bytes());
        head.method = Some(method);
        set_target(&mut head, target.as_bytes(), is_connect)?;
        Ok(Self::from_head(head))
    }

    /// The same request with a field line added.
    #[must_use]
    pub fn with(mut self, name: &HeaderName, value: &HeaderValue) -> Self {
        let head = self.head_mut();
        head.map.take();
        head.push_field(
            name.as_str().as_bytes(),
            value.as_bytes(),
            value.is_sensitive(),
        );
        if *name == http::header::HOST && head.facts.authority.len == 0 {
            head.facts.authority = head.push(value.as_bytes());
        }
        self
    }

    /// The same request with this body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Body>) -> Self {
        let head = self.head_mut();
        head.body = body.into();
        head.facts.content_length = head.body.length().unwrap_or(LENGTH_UNKNOWN);
        head.facts.flags |= request_flag::HAS_BODY;
        self
    }

    /// The same request under this exchange, for hosts of the Rust trait.
    #[must_use]
    pub fn with_exchange(mut self, exchange: Exchange) -> Self {
        self.head_mut().link = crate::exchange::Link::Shared(exchange);
        self
    }

    /// Changes the method: for applications to which an extended CONNECT is what GET with an Upgrade
    /// is.
    pub fn set_method(&mut self, method: Method) {
        self.head_mut().method = Some(method);
    }

    /// The same request with this version.
    #[must_use]
    pub fn with_version(mut self, version: Version) -> Self {
        self.head_mut().facts.set_version(version);
        self
    }

    /// The same request with this scheme.
    #[must_use]
    pub fn with_scheme(mut self, scheme: Scheme) -> Self {
        self.head_mut().facts.scheme = match scheme {
            Scheme::Http => scheme::HTTP,
            Scheme::Https => scheme::HTTPS,
        };
        self
    }

    /// The same request with this authority (`host[:port]`).
    #[must_use]
    pub fn with_authority(mut self, authority: &str) -> Self {
        let head = self.head_mut();
        head.facts.authority = head.push(authority.as_bytes());
        self
    }

    /// The same request with these ends of the connection: socket peer, effective client, listener.
    #[must_use]
    pub fn with_addresses(mut self, peer: &Address, client: &Address, local: &Address) -> Self {
        let head = self.head_mut();
        head.peer = head.push_address(peer);
        head.client = Some(head.push_address(client));
        head.local = head.push_address(local);
        self
    }

    /// The same request with this id.
    #[must_use]
    pub fn with_id(mut self, id: &str) -> Self {
        let head = self.head_mut();
        head.facts.id = head.push(id.as_bytes());
        self
    }

    /// The same request asking to switch to this protocol.
    #[must_use]
    pub fn with_protocol(mut self, protocol: &str) -> Self {
        let head = self.head_mut();
        head.facts.protocol = head.push(protocol.as_bytes());
        self
    }

    /// The same request under a mount: `prefix` is a raw prefix of the path that ends at a segment
    /// border, or empty. `None` if it is not; the request is then not the mounted application's.
    #[must_use]
    pub fn with_mount(mut self, prefix: &[u8]) -> Option<Self> {
        let head = self.head_mut();
        let rest = head.slice(head.facts.path).strip_prefix(prefix)?;
        let on_border = prefix.is_empty() || rest.is_empty() || rest.starts_with(b"/");
        if !on_border || prefix.ends_with(b"/") || (!prefix.is_empty() && prefix[0] != b'/') {
            return None;
        }
        head.facts.mount = Part {
            len: prefix.len(),
            ..head.facts.path
        };
        Some(self)
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        self.head().method()
    }

    /// The request target, byte for byte as received.
    #[must_use]
    pub fn target(&self) -> &[u8] {
        self.head().slice(self.head().facts.target)
    }

    /// The raw path: a slice of [`target`](Self::target), mount included.
    #[must_use]
    pub fn path(&self) -> &[u8] {
        self.head().slice(self.head().facts.path)
    }

    /// The raw path below the mount.
    #[must_use]
    pub fn path_below_mount(&self) -> &[u8] {
        let head = self.head();
        head.slice(head.facts.path.skip(head.facts.mount.len))
    }

    /// The raw query after `?`; `None` if there is no `?`, which differs from an empty one.
    #[must_use]
    pub fn query(&self) -> Option<&[u8]> {
        let query = self.head().facts.query.there();
        query.map(|query| self.head().slice(query))
    }

    /// The raw prefix of the path under which the application is mounted; empty at the root.
    #[must_use]
    pub fn mount(&self) -> &[u8] {
        self.head().slice(self.head().facts.mount)
    }

    /// `host[:port]` of the target or the Host field; empty if the client sent none (HTTP/1.0).
    #[must_use]
    pub fn authority(&self) -> &[u8] {
        self.head().slice(self.head().facts.authority)
    }

    /// The scheme, from the transport or a trusted proxy only.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        if self.head().facts.scheme == scheme::HTTPS {
            Scheme::Https
        } else {
            Scheme::Http
        }
    }

    /// Whether a trusted proxy set the scheme.
    #[must_use]
    pub fn scheme_is_forwarded(&self) -> bool {
        self.head().has(request_flag::SCHEME_FORWARDED)
    }

    /// Whether the target came in absolute-form (RFC 9112 §3.2.2).
    #[must_use]
    pub fn is_absolute_form(&self) -> bool {
        self.head().has(crate::head::ABSOLUTE_FORM)
    }

    /// The protocol version of the request.
    #[must_use]
    pub fn version(&self) -> Version {
        self.head().facts.version()
    }

    /// The first value of a field; `name` in any case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        self.fields()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The first value of a field, if it is UTF-8.
    #[must_use]
    pub fn field_str(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.field(name)?).ok()
    }

    /// All field lines as received: lower-case names, repeats separate, in order. Hop-by-hop
    /// fields are the host's and do not appear.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = (&str, &[u8])> {
        self.head().lines()
    }

    /// The fields as a map, made on first use.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.head().header_map()
    }

    /// Length of the body: exact, 0 for none, `None` if the client did not say.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        self.head().facts.content_length()
    }

    /// Whether the request has a body, of a known length or not.
    #[must_use]
    pub fn has_body(&self) -> bool {
        self.head().has(request_flag::HAS_BODY)
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &Body {
        &self.head().body
    }

    /// The body, to be polled.
    pub fn body_mut(&mut self) -> &mut Body {
        &mut self.head_mut().body
    }

    /// Takes the body out, leaving an empty one.
    pub fn take_body(&mut self) -> Body {
        std::mem::take(self.body_mut())
    }

    /// The other end of the socket; never from a field.
    #[must_use]
    pub fn peer(&self) -> Address {
        self.head().address(&self.head().peer)
    }

    /// The client after the host's trusted-proxy policy; equal to the peer without proxies.
    #[must_use]
    pub fn client(&self) -> Address {
        self.head().address(self.head().client())
    }

    /// Whether a trusted proxy named the client.
    #[must_use]
    pub fn client_is_forwarded(&self) -> bool {
        self.head().has(request_flag::CLIENT_FORWARDED)
    }

    /// Our end of the socket.
    #[must_use]
    pub fn local(&self) -> Address {
        self.head().address(&self.head().local)
    }

    /// The request's id, for logs, the same by which the host's own log names it; empty if the host has
    /// none. A host may make it only now.
    #[must_use]
    pub fn id(&self) -> &[u8] {
        match self.head().slice(self.head().facts.id) {
            b"" => self
                .head()
                .link
                .host()
                .and_then(HostExchange::id)
                .unwrap_or_default(),
            id => id,
        }
    }

    /// Arrival in nanoseconds of the host's monotonic clock; 0 if made in process.
    #[must_use]
    pub fn arrival_ns(&self) -> u64 {
        self.head().facts.arrival_ns
    }

    /// The protocol that the client offers to switch to (`websocket`), if the offer is valid.
    #[must_use]
    pub fn protocol(&self) -> Option<&[u8]> {
        let protocol = self.head().facts.protocol.there();
        protocol.map(|protocol| self.head().slice(protocol))
    }

    /// Facts of the TLS connection, if the client came by TLS and the host knows them.
    #[must_use]
    pub fn tls(&self) -> Option<TlsInfo> {
        self.head().link.host()?.tls()
    }

    /// Sends an informational response now; see [`Exchange::inform`].
    ///
    /// # Errors
    ///
    /// As [`Exchange::inform`].
    pub fn inform(&self, status: StatusCode, fields: &Fields) -> Result<(), Error> {
        match self.head().link.host() {
            Some(host) => host.inform(status, fields),
            None => Err(Error::new(
                ErrorKind::Unsupported,
                "no host to inform the client",
            )),
        }
    }

    /// Waits until the client has gone or the exchange has ended.
    pub async fn closed(&self) {
        match self.head().link.host() {
            Some(host) => std::future::poll_fn(|cx| host.poll_closed(cx)).await,
            None => std::future::pending().await,
        }
    }

    /// Waits until the server drains; see [`Exchange::draining`].
    pub async fn draining(&self) {
        match self.head().link.host() {
            Some(host) => std::future::poll_fn(|cx| host.poll_draining(cx)).await,
            None => std::future::pending().await,
        }
    }

    /// From now on a disconnect does not cancel the call.
    pub fn finish_on_disconnect(&self) {
        if let Some(host) = self.head().link.host() {
            host.finish_on_disconnect();
        }
    }

    /// A handle on the exchange that outlives the request.
    pub fn exchange(&mut self) -> Exchange {
        self.head_mut().link.handle()
    }

    /// Values by type, for middleware.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.head().extensions
    }

    /// Values by type, to be changed.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.head_mut().extensions
    }

    /// Puts another exchange in the place of the host's, for middleware that watches it.
    #[cfg(feature = "lint")]
    pub(crate) fn replace_exchange(&mut self, exchange: Exchange) {
        self.head_mut().link = crate::exchange::Link::Shared(exchange);
    }

    #[inline]
    pub(crate) fn head(&self) -> &Head {
        self.head.as_ref().expect("the head leaves only in drop")
    }

    pub(crate) fn head_mut(&mut self) -> &mut Head {
        self.head.as_mut().expect("the head leaves only in drop")
    }
}

impl Drop for Request {
    #[inline]
    fn drop(&mut self) {
        if let Some(head) = self.head.take() {
            Head::give_back(head);
        }
    }
}

impl fmt::Debug for Request {
    /// Method, target and version; no field, since fields carry secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {:?}",
            self.method(),
            self.target().escape_ascii(),
            self.version()
        )
    }
}

fn set_target(head: &mut Head, target: &[u8], is_connect: bool) -> Result<(), Error> {
    let is_clean = !target
        .iter()
        .any(|byte| byte.is_ascii_control() || *byte == b' ');
    // Where the authority and the path begin.
    let (authority, path) = match target {
        [b'/', ..] | b"*" => (0, 0),
        _ if is_connect => (0, target.len()),
        _ => match target.windows(3).position(|part| part == b"://") {
            Some(colon) => {
                let rest = &target[colon + 3..];
                let length = rest.iter().position(|byte| b"/?".contains(byte));
                head.facts.flags |= request_flag::ABSOLUTE_FORM;
                (colon + 3, colon + 3 + length.unwrap_or(rest.len()))
            }
            None => (0, 0),
        },
    };
    let has_form = target.starts_with(b"/") || target == b"*" || authority < path;
    if !is_clean || !has_form {
        let found = target.escape_ascii();
        let message = format!("expected a target like /path?query or *, found {found}");
        return Err(Error::new(ErrorKind::Invalid, message));
    }
    let all = head.push(target);
    head.facts.target = all;
    if authority < path {
        head.facts.authority = Part {
            len: path - authority,
            ..all.skip(authority)
        };
    }
    let rest = all.skip(path);
    let question = target[path..].iter().position(|byte| *byte == b'?');
    head.facts.path = Part {
        len: question.unwrap_or(rest.len),
        ..rest
    };
    if head.facts.path.len == 0 && !is_connect {
        // `http://host` names the root (RFC 9110 §4.2.3).
        head.facts.path = head.push(b"/");
    }
    head.facts.query = question.map_or(Part::NONE, |at| rest.skip(at + 1));
    Ok(())
}

impl<B: Into<Body>> TryFrom<http::Request<B>> for Request {
    type Error = Error;

    /// The target becomes the URI's path and query; its authority, or the Host field, the authority.
    fn try_from(request: http::Request<B>) -> Result<Self, Error> {
        let (parts, body) = request.into_parts();
        let target = parts
            .uri
            .path_and_query()
            .map_or("/", |target| target.as_str());
        let mut converted = Self::build(parts.method, target)?.with_version(parts.version);
        if let Some(authority) = parts.uri.authority() {
            converted = converted.with_authority(authority.as_str());
        }
        if parts.uri.scheme_str() == Some("https") {
            converted = converted.with_scheme(Scheme::Https);
        }
        for (name, value) in &parts.headers {
            converted = converted.with(name, value);
        }
        let body = body.into();
        if !body.is_empty() {
            converted = converted.with_body(body);
        }
        converted.head_mut().extensions = parts.extensions;
        Ok(converted)
    }
}

impl TryFrom<Request> for http::Request<Body> {
    type Error = Error;

    /// The exchange becomes an extension of type [`Exchange`].
    fn try_from(mut request: Request) -> Result<Self, Error> {
        let invalid = |error: http::Error| {
            Error::new(
                ErrorKind::Invalid,
                format!("a target that `http` refuses: {error}"),
            )
        };
        let mut converted = http::Request::builder()
            .method(request.method().clone())
            .uri(request.target())
            .version(request.version())
            .body(request.take_body())
            .map_err(invalid)?;
        *converted.headers_mut() = request.headers().clone();
        let exchange = request.exchange();
        *converted.extensions_mut() = std::mem::take(request.extensions_mut());
        converted.extensions_mut().insert(exchange);
        Ok(converted)
    }
}
