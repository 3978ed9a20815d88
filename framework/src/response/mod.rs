//! [`Response`]: what a view answers, to be changed by hooks on its way out.

mod cookie;

use std::borrow::Cow;
use std::fmt;
use std::future::Future;

use bytes::Bytes;
use gateway_spec::http::{self, StatusCode};
use gateway_spec::{Body, BodyStream, Fields};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, SET_COOKIE, VARY};
use percent_encoding::{AsciiSet, utf8_percent_encode};

pub use cookie::{Cookie, SameSite};

/// A response: status, header fields, body.
///
/// The methods that set a field take anything that may become one. A value that may not (it holds
/// a line break, say) is never sent: the response becomes a 500 and the log says which field it was.
pub struct Response {
    inner: gateway_spec::Response,
    /// Whether somebody chose the status. An error handler's plain body keeps the error's.
    chosen: bool,
    fault: Option<Box<Fault>>,
}

/// Why a response must not go out.
struct Fault {
    why: String,
}

impl Response {
    /// 200 with a body and no content type.
    pub fn new(body: impl Into<Body>) -> Self {
        gateway_spec::Response::new(body).into()
    }

    /// 200, `text/plain; charset=utf-8`.
    pub fn text(text: impl Into<Body>) -> Self {
        gateway_spec::Response::text(text).into()
    }

    /// 200, `text/html; charset=utf-8`. The text is not escaped: it is HTML.
    pub fn html(text: impl Into<Body>) -> Self {
        gateway_spec::Response::html(text).into()
    }

    /// 200, `application/json`, of text that is JSON already.
    pub fn json(text: impl Into<Body>) -> Self {
        gateway_spec::Response::json(text).into()
    }

    /// 200 with a body whose pieces are pulled as the client takes them.
    pub fn stream(frames: impl BodyStream) -> Self {
        Self::new(Body::stream(frames))
    }

    /// A status without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self::new(Body::empty()).with_status(status)
    }

    /// `status` with a `Location`, in which spaces, letters beyond ASCII and the like are encoded. [`redirect`] is
    /// the short form for 302.
    pub fn redirect(status: StatusCode, location: &str) -> Self {
        let location = Cow::from(utf8_percent_encode(location, NOT_IN_URLS));
        Self::empty(status).header(LOCATION, location.as_ref())
    }

    /// The same response with this status, which is thereby chosen.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.set_status(status);
        self
    }

    /// The same response with the only line of this field.
    #[must_use]
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        self.set_header(name, value);
        self
    }

    /// The same response with one more line of this field.
    #[must_use]
    pub fn append<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        if let Some((name, value)) = self.line(name, value) {
            self.inner.fields_mut().append(name, value);
        }
        self
    }

    /// The same response with this content type.
    #[must_use]
    pub fn content_type<V: TryInto<HeaderValue>>(self, kind: V) -> Self {
        self.header(CONTENT_TYPE, kind)
    }

    /// The same response with a cookie to set.
    #[must_use]
    pub fn cookie(mut self, cookie: &Cookie) -> Self {
        self.set_cookie(cookie);
        self
    }

    /// The same response asking the client to forget a cookie, which must name the same path and
    /// domain as when it was set.
    #[must_use]
    pub fn delete_cookie(self, cookie: Cookie) -> Self {
        self.cookie(&cookie.removal())
    }

    /// Work behind the answer: it neither delays the client nor ends with its connection.
    #[must_use]
    pub fn after(mut self, work: impl Future<Output = ()> + Send + 'static) -> Self {
        self.inner = self.inner.after(work);
        self
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.inner.status_code()
    }

    /// Chooses the status.
    pub fn set_status(&mut self, status: StatusCode) {
        *self.inner.status_mut() = status;
        self.chosen = true;
    }

    /// Whether the status was chosen, rather than left at 200.
    #[must_use]
    pub fn status_is_chosen(&self) -> bool {
        self.chosen
    }

    /// The header fields.
    #[must_use]
    pub fn headers(&self) -> &Fields {
        self.inner.fields()
    }

    /// The header fields, to be changed.
    pub fn headers_mut(&mut self) -> &mut Fields {
        self.inner.fields_mut()
    }

    /// Sets the only line of a field.
    pub fn set_header<N, V>(&mut self, name: N, value: V)
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        if let Some((name, value)) = self.line(name, value) {
            self.inner.fields_mut().insert(name, value);
        }
    }

    /// Adds a cookie to set.
    pub fn set_cookie(&mut self, cookie: &Cookie) {
        match cookie.to_header() {
            Ok(value) => self.inner.fields_mut().append(SET_COOKIE, value),
            Err(why) => self.blame(why),
        }
    }

    /// Says that the answer depends on this request field, unless it says so already.
    pub fn vary(&mut self, field: &'static str) {
        let fields = self.inner.fields_mut();
        let named = |value: &HeaderValue| {
            let listed = value.to_str().unwrap_or_default().split(',');
            let mut listed = listed.map(str::trim);
            listed.any(|one| one == "*" || one.eq_ignore_ascii_case(field))
        };
        if !fields.get_all(&VARY).any(named) {
            fields.append(VARY, HeaderValue::from_static(field));
        }
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &Body {
        self.inner.body()
    }

    /// The body, to be changed or taken.
    pub fn body_mut(&mut self) -> &mut Body {
        self.inner.body_mut()
    }

    /// Takes the body out.
    #[must_use]
    pub fn into_body(self) -> Body {
        self.inner.into_body()
    }

    /// The interface's response within.
    #[must_use]
    pub fn into_inner(self) -> gateway_spec::Response {
        self.inner
    }

    /// What was wrong with a field that somebody tried to set: the response must not go out.
    pub(crate) fn fault(&self) -> Option<&str> {
        self.fault.as_ref().map(|fault| fault.why.as_str())
    }

    /// Gives the status unless one was chosen.
    pub(crate) fn default_status(&mut self, status: StatusCode) {
        if !self.chosen {
            *self.inner.status_mut() = status;
        }
    }

    fn line<N, V>(&mut self, name: N, value: V) -> Option<(HeaderName, HeaderValue)>
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        let Ok(name) = name.try_into() else {
            self.blame("expected the name of a header field, found something else".into());
            return None;
        };
        let Ok(value) = value.try_into() else {
            let why = format!("expected a value without control characters for the field {name}");
            self.blame(why);
            return None;
        };
        Some((name, value))
    }

    /// Keeps the first fault.
    fn blame(&mut self, why: String) {
        self.fault.get_or_insert_with(|| Box::new(Fault { why }));
    }
}

/// 302 to `location`: a path of this application as [`Cx::url`](crate::Cx::url) builds it, or an
/// absolute URL.
#[must_use]
pub fn redirect(location: impl AsRef<str>) -> Response {
    Response::redirect(StatusCode::FOUND, location.as_ref())
}

impl Default for Response {
    fn default() -> Self {
        Self::new(Bytes::new())
    }
}

impl From<gateway_spec::Response> for Response {
    fn from(inner: gateway_spec::Response) -> Self {
        Self {
            chosen: inner.status_code() != StatusCode::OK,
            inner,
            fault: None,
        }
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// What RFC 3986 lets stand in no URL. `%` stays, for what is encoded already; control characters stay too, to be
/// refused as a value of any field.
const NOT_IN_URLS: &AsciiSet = &AsciiSet::EMPTY
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_a_url_whatever_it_was_made_of() {
        for (given, sent) in [
            ("/a b?c=ü#d", "/a%20b?c=%C3%BC#d"),
            ("/%C3%BC?a=b&c=%26", "/%C3%BC?a=b&c=%26"),
            (
                "https://[::1]:8000/\"<x>\\",
                "https://[::1]:8000/%22%3Cx%3E%5C",
            ),
        ] {
            let response = redirect(given);
            assert_eq!(response.headers().get(&LOCATION).unwrap(), sent);
        }
    }

    #[test]
    fn a_value_with_a_line_break_never_becomes_a_field() {
        let response = Response::text("x").header("x-a", "1\r\nset-cookie: a=b");
        assert!(
            response
                .headers()
                .get(&HeaderName::from_static("x-a"))
                .is_none()
        );
        assert!(response.fault().unwrap().contains("x-a"));
        let response = Response::redirect(StatusCode::FOUND, "/a\nb");
        assert!(response.fault().unwrap().contains("location"));
    }

    #[test]
    fn vary_names_a_field_once() {
        let mut response = Response::text("x").header("vary", "Accept, cookie");
        response.vary("Cookie");
        response.vary("Origin");
        let lines: Vec<_> = response.headers().get_all(&VARY).collect();
        assert_eq!(lines, ["Accept, cookie", "Origin"]);
    }

    #[test]
    fn a_status_is_chosen_by_saying_so() {
        assert!(!Response::text("x").status_is_chosen());
        assert!(
            Response::text("x")
                .with_status(StatusCode::OK)
                .status_is_chosen()
        );
    }
}
