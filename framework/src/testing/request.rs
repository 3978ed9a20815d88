//! [`TestRequest`]: a request put together by a test.

use std::borrow::Cow;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use gateway_spec::http::header::{CONTENT_TYPE, COOKIE, HOST as HOST_FIELD};
use gateway_spec::http::{HeaderName, HeaderValue, Method, StatusCode};
use gateway_spec::{Address, Request, Scheme, Upgrade};

use super::client::{Client, HOST};
use super::response::TestResponse;

/// A request to be sent: `client.request(POST, "/login").body([("name", "ann")]).follow()`.
#[must_use = "a request does nothing until it is sent"]
#[derive(Debug)]
pub struct TestRequest<'a> {
    client: &'a Client,
    method: Method,
    target: String,
    fields: Vec<(HeaderName, HeaderValue)>,
    body: TestBody,
    /// What the browser says of where the request comes from; old ones say nothing.
    site: Option<&'static str>,
    host: String,
    scheme: Scheme,
}

/// A body and the type that it is declared as.
#[derive(Clone, Debug, Default)]
pub struct TestBody {
    kind: Option<Cow<'static, str>>,
    bytes: Bytes,
}

impl Client {
    /// GET, sent at once.
    #[track_caller]
    pub fn get(&self, target: &str) -> TestResponse {
        self.request(Method::GET, target).send()
    }

    /// POST with a body, sent at once: pairs are a form, a `serde_json::Value` JSON, text text.
    #[track_caller]
    pub fn post(&self, target: &str, body: impl Into<TestBody>) -> TestResponse {
        self.request(Method::POST, target).body(body).send()
    }

    /// A request to be put together: `.header(..)`, `.body(..)`, then `.send()` or `.follow()`.
    pub fn request(&self, method: Method, target: &str) -> TestRequest<'_> {
        TestRequest::new(self, method, target)
    }
}

impl<'a> TestRequest<'a> {
    fn new(client: &'a Client, method: Method, target: &str) -> Self {
        Self {
            client,
            method,
            target: target.to_owned(),
            fields: Vec::new(),
            body: TestBody::default(),
            site: Some("same-origin"),
            host: HOST.to_owned(),
            scheme: Scheme::Http,
        }
    }

    /// One more header field.
    ///
    /// # Panics
    ///
    /// If it is not a valid field.
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    #[track_caller]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (name.parse(), HeaderValue::try_from(value)) {
            (Ok(name), Ok(value)) => self.fields.push((name, value)),
            _ => panic!("expected a header field, found {name:?}: {value:?}"),
        }
        self
    }

    /// The same, where the test has not named that field.
    #[track_caller]
    pub(super) fn default_header(self, name: &'static str, value: &str) -> Self {
        if self.fields.iter().any(|(other, _)| other == name) {
            return self;
        }
        self.header(name, value)
    }

    /// The body; see [`Client::post`].
    pub fn body(mut self, body: impl Into<TestBody>) -> Self {
        self.body = body.into();
        self
    }

    /// Comes from a page of another site, as a forged request does.
    pub fn cross_site(mut self) -> Self {
        self.site = Some("cross-site");
        self
    }

    /// Says nothing of where it comes from, as browsers of before 2023 do.
    pub fn from_old_browser(mut self) -> Self {
        self.site = None;
        self
    }

    /// Names this host instead of `localhost`.
    pub fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// Comes by HTTPS.
    pub fn secure(mut self) -> Self {
        self.scheme = Scheme::Https;
        self
    }

    /// Sends it.
    #[track_caller]
    pub fn send(self) -> TestResponse {
        self.exchange(|request| request).0
    }

    /// Sends it, offering to switch to a protocol; and what the application does then, if it switches.
    #[track_caller]
    pub(super) fn send_for(self, protocol: &str) -> (TestResponse, Option<Upgrade>) {
        self.exchange(|request| request.with_protocol(protocol))
    }

    pub(super) fn client(&self) -> &'a Client {
        self.client
    }

    #[track_caller]
    fn exchange(self, change: impl FnOnce(Request) -> Request) -> (TestResponse, Option<Upgrade>) {
        let path = self.target.split('?').next().unwrap_or_default();
        let cookies = self.client.jar().field(path);
        let request = change(self.build(cookies.as_deref()));
        let (response, upgrade) = self.client.exchange(request, &self.target);
        self.client.jar().take(response.fields());
        (response, upgrade)
    }

    /// Sends it and follows redirects within the application to their end.
    ///
    /// # Panics
    ///
    /// If a redirect leads to another site, or there are more than 20.
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    #[track_caller]
    pub fn follow(self) -> TestResponse {
        let (client, host, scheme) = (self.client, self.host.clone(), self.scheme);
        let (mut method, mut body) = (self.method.clone(), self.body.clone());
        let mut response = self.send();
        let mut history = Vec::new();
        while let Some(location) = response.location() {
            if history.len() == MAX_REDIRECTS {
                panic!("more than {MAX_REDIRECTS} redirects, the last one to {location}");
            }
            let Some(target) = within(&location, &host) else {
                panic!("a redirect to another site: {location}");
            };
            let keeps = [
                StatusCode::TEMPORARY_REDIRECT,
                StatusCode::PERMANENT_REDIRECT,
            ];
            if !keeps.contains(&response.status_code()) && method != Method::HEAD {
                (method, body) = (Method::GET, TestBody::default());
            }
            history.push(response);
            let mut next = client.request(method.clone(), &target).body(body.clone());
            (next.host, next.scheme) = (host.clone(), scheme);
            response = next.send();
        }
        response.with_history(history)
    }

    #[expect(clippy::panic, reason = "a test fails by panicking")]
    #[track_caller]
    fn build(&self, cookies: Option<&str>) -> Request {
        let mut request = match Request::build(self.method.clone(), &self.target) {
            Ok(request) => request.with_authority(&self.host).with_scheme(self.scheme),
            Err(error) => panic!("{error}"),
        };
        let peer = Address::Ip(SocketAddr::from((Ipv4Addr::LOCALHOST, 50_000)));
        request = request.with_addresses(&peer, &peer, &Address::Unknown);
        let mut own = vec![(HOST_FIELD, self.host.clone())];
        let site = self.site.map(str::to_owned);
        own.extend(site.map(|site| (HeaderName::from_static("sec-fetch-site"), site)));
        own.extend(cookies.map(|cookies| (COOKIE, cookies.to_owned())));
        own.extend((self.body.kind.iter()).map(|kind| (CONTENT_TYPE, kind.clone().into_owned())));
        for (name, value) in own {
            let given = self.fields.iter().any(|(other, _)| *other == name);
            if let (false, Ok(value)) = (given, HeaderValue::try_from(value)) {
                request = request.with(&name, &value);
            }
        }
        for (name, value) in &self.fields {
            request = request.with(name, value);
        }
        if self.body.kind.is_some() || !self.body.bytes.is_empty() {
            request = request.with_body(self.body.bytes.clone());
        }
        request
    }
}

impl TestBody {
    /// Bytes declared as this media type.
    pub fn new(kind: impl Into<Cow<'static, str>>, bytes: impl Into<Bytes>) -> Self {
        Self {
            kind: Some(kind.into()),
            bytes: bytes.into(),
        }
    }
}

impl From<()> for TestBody {
    fn from((): ()) -> Self {
        Self::default()
    }
}

impl From<&str> for TestBody {
    fn from(text: &str) -> Self {
        Self::new("text/plain; charset=utf-8", text.to_owned())
    }
}

impl From<String> for TestBody {
    fn from(text: String) -> Self {
        Self::new("text/plain; charset=utf-8", text)
    }
}

impl From<Vec<u8>> for TestBody {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new("application/octet-stream", bytes)
    }
}

impl From<serde_json::Value> for TestBody {
    fn from(document: serde_json::Value) -> Self {
        Self::new("application/json", document.to_string())
    }
}

impl<N: AsRef<str>, V: AsRef<str>, const COUNT: usize> From<[(N, V); COUNT]> for TestBody {
    /// A form.
    fn from(pairs: [(N, V); COUNT]) -> Self {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(pairs);
        Self::new("application/x-www-form-urlencoded", form.finish())
    }
}

/// The target of a redirect if it stays on this host.
fn within(location: &str, host: &str) -> Option<String> {
    if location.starts_with('/') && !location.starts_with("//") {
        return Some(location.to_owned());
    }
    let rest = location.split_once("//")?.1.strip_prefix(host)?;
    match rest {
        "" => Some("/".to_owned()),
        rest if rest.starts_with('/') => Some(rest.to_owned()),
        _ => None,
    }
}

/// Redirects that are followed.
const MAX_REDIRECTS: usize = 20;
