//! [`Request`]: the head of a request in Flask's words, parsed as it is asked for.

mod accept;
mod cookies;
mod url;

use std::net::IpAddr;
use std::sync::OnceLock;

use gateway_spec::http::{HeaderMap, Method};
use gateway_spec::{Address, Scheme};

use crate::multidict::MultiDict;

pub use accept::Accept;
pub(crate) use url::{host, scheme};

/// The head of a request. What is a text here is decoded; what stands in
/// [`head`](Request::head) is byte for byte what the client sent.
#[derive(Debug)]
pub struct Request {
    head: gateway_spec::Request,
    parsed: OnceLock<Box<Parsed>>,
}

/// What has been asked for so far.
#[derive(Debug, Default)]
struct Parsed {
    path: OnceLock<String>,
    args: OnceLock<MultiDict>,
    cookies: OnceLock<MultiDict>,
}

impl Request {
    pub(crate) fn new(head: gateway_spec::Request) -> Self {
        Self {
            head,
            parsed: OnceLock::new(),
        }
    }

    /// The interface's request: raw path and query, peer, TLS, early hints. Its body has been taken.
    #[must_use]
    pub fn head(&self) -> &gateway_spec::Request {
        &self.head
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        self.head.method()
    }

    /// The path below the mount, decoded; what is not UTF-8 becomes U+FFFD.
    #[must_use]
    pub fn path(&self) -> &str {
        (self.parsed().path).get_or_init(|| url::decoded(self.head.path_below_mount()))
    }

    /// The prefix under which the application is mounted, raw; empty at the root.
    #[must_use]
    pub fn mount(&self) -> &str {
        std::str::from_utf8(self.head.mount()).unwrap_or_default()
    }

    /// The query as a multidict: `/search?q=tea` has `args().get("q") == Some("tea")`.
    #[must_use]
    pub fn args(&self) -> &MultiDict {
        (self.parsed().args).get_or_init(|| MultiDict::parse(self.query_string()))
    }

    /// The raw query; empty if there is none.
    #[must_use]
    pub fn query_string(&self) -> &[u8] {
        self.head.query().unwrap_or_default()
    }

    /// The cookies, in the order of the field.
    #[must_use]
    pub fn cookies(&self) -> &MultiDict {
        self.parsed()
            .cookies
            .get_or_init(|| cookies::parse(&self.head))
    }

    /// The value of a cookie.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies().get(name)
    }

    /// The first value of a header field, if it is text; `name` in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.field_str(name)
    }

    /// All header fields as a map, made on first use.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.head.headers()
    }

    /// The media type of the body, lower-case and without parameters: `application/json`.
    #[must_use]
    pub fn mimetype(&self) -> Option<String> {
        let kind = self.header("content-type")?;
        let essence = kind.split(';').next().unwrap_or_default();
        Some(essence.trim().to_ascii_lowercase())
    }

    /// Whether the body says that it is JSON: `application/json` or `application/*+json`.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.mimetype().is_some_and(|kind| {
            let sub = kind.strip_prefix("application/");
            sub.is_some_and(|sub| sub == "json" || sub.ends_with("+json"))
        })
    }

    /// What the client would rather have, by its Accept field.
    #[must_use]
    pub fn accept(&self) -> Accept {
        Accept::parse(self.header("accept"))
    }

    /// The host that the client named, lower-case, without the scheme's own port; empty if it named
    /// none.
    #[must_use]
    pub fn host(&self) -> String {
        host(self.head.authority(), self.head.scheme()).into_owned()
    }

    /// `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        scheme(self.head.scheme())
    }

    /// Whether the client came by HTTPS, as far as the server and its trusted proxies know.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.head.scheme() == Scheme::Https
    }

    /// The whole URL: `http://example.org/page?a=1`.
    #[must_use]
    pub fn url(&self) -> String {
        let mut url = self.base_url();
        if let Some(query) = self.head.query().filter(|query| !query.is_empty()) {
            url.push('?');
            url.push_str(&String::from_utf8_lossy(query));
        }
        url
    }

    /// The URL without the query.
    #[must_use]
    pub fn base_url(&self) -> String {
        let path = String::from_utf8_lossy(self.head.path());
        format!("{}://{}{path}", self.scheme(), self.host())
    }

    /// The URL of the application's root, with a slash at its end.
    #[must_use]
    pub fn root_url(&self) -> String {
        format!("{}://{}{}/", self.scheme(), self.host(), self.mount())
    }

    /// Path and query below the mount.
    #[must_use]
    pub fn full_path(&self) -> String {
        let query = String::from_utf8_lossy(self.query_string());
        format!("{}?{query}", self.path())
    }

    /// The client: the peer, or whom a trusted proxy named.
    #[must_use]
    pub fn client(&self) -> Address {
        self.head.client()
    }

    /// The client's IP address, if it has one.
    #[must_use]
    pub fn remote_addr(&self) -> Option<IpAddr> {
        self.head.client().ip()
    }

    /// The request's id, as it stands in the log; empty if the server gave none.
    #[must_use]
    pub fn id(&self) -> &str {
        std::str::from_utf8(self.head.id()).unwrap_or_default()
    }

    fn parsed(&self) -> &Parsed {
        self.parsed.get_or_init(Box::default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway_spec::http::header::{CONTENT_TYPE, COOKIE, HeaderValue};

    fn request(target: &str) -> Request {
        let head = gateway_spec::Request::build(Method::GET, target).unwrap();
        let head = head.with_authority("Example.ORG:80");
        let head = head.with(
            &COOKIE,
            &HeaderValue::from_static("a=1; b=\"x\\073y\"; a=2"),
        );
        Request::new(head.with(
            &CONTENT_TYPE,
            &HeaderValue::from_static("Application/Problem+JSON; charset=utf-8"),
        ))
    }

    #[test]
    fn everything_about_the_url_is_at_hand() {
        let request = request("/caf%C3%A9/a%2Fb?q=1&q=2");
        assert_eq!(request.path(), "/café/a/b");
        assert_eq!(request.args().get("q"), Some("1"));
        assert_eq!(request.host(), "example.org");
        assert_eq!(request.url(), "http://example.org/caf%C3%A9/a%2Fb?q=1&q=2");
        assert_eq!(request.base_url(), "http://example.org/caf%C3%A9/a%2Fb");
        assert_eq!(request.root_url(), "http://example.org/");
        assert_eq!(request.full_path(), "/café/a/b?q=1&q=2");
    }

    #[test]
    fn cookies_and_the_media_type_are_read() {
        let request = request("/");
        assert_eq!(request.cookie("a"), Some("1"));
        assert_eq!(request.cookie("b"), Some("x;y"));
        assert_eq!(
            request.mimetype().as_deref(),
            Some("application/problem+json")
        );
        assert!(request.is_json());
    }
}
