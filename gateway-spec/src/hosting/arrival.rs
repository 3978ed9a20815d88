//! [`Arrival`]: what another server received, as a [`Request`] that keeps the rules.

use http::header::HeaderName;
use http::{Method, Version};

use crate::abi::types::{LENGTH_UNKNOWN, request_flag};
use crate::body::Body;
use crate::error::{Error, ErrorKind};
use crate::request::Request;

/// A request on its way from another server's types: method, version and target first, then the
/// field lines, then [`finish`](Self::finish).
#[derive(Debug)]
pub struct Arrival {
    request: Request,
    fault: Option<&'static str>,
    /// Values of Connection, and of what depends on it.
    connection: Vec<u8>,
    upgrade: Vec<u8>,
    cookies: Vec<u8>,
    declared: Option<u64>,
    hosts: u8,
    is_chunked: bool,
}

impl Arrival {
    /// A head begins. `target` is as on the wire: origin-form, absolute-form, `*`, or for CONNECT an
    /// authority.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a target of another form.
    pub fn new(method: Method, version: Version, target: &str) -> Result<Self, Error> {
        Ok(Self {
            request: Request::build(method, target)?.with_version(version),
            fault: None,
            connection: Vec::new(),
            upgrade: Vec::new(),
            cookies: Vec::new(),
            declared: None,
            hosts: 0,
            is_chunked: false,
        })
    }

    /// The authority of a target that is told apart, as HTTP/2 tells it.
    pub fn authority(&mut self, authority: &str) {
        let head = self.request.head_mut();
        head.facts.authority = head.push(authority.as_bytes());
    }

    /// The protocol that an extended CONNECT offers, where there is a stream to switch.
    pub fn protocol(&mut self, protocol: &str) {
        // Names of fields are tokens too.
        if HeaderName::from_bytes(protocol.as_bytes()).is_err() {
            self.fault = Some("a protocol that is no token");
        }
        let head = self.request.head_mut();
        head.facts.protocol = head.push(protocol.as_bytes());
    }

    /// One field line; `name` in lower case, white space around `value` gone.
    pub fn field(&mut self, name: &str, value: &[u8]) {
        match name {
            "connection" => extend(&mut self.connection, b",", value),
            "upgrade" => extend(&mut self.upgrade, b",", value),
            "keep-alive" | "proxy-connection" => {}
            "transfer-encoding" => self.is_chunked = true,
            "te" if !has_option(value, b"trailers") => {}
            "te" => self.push(name, b"trailers"),
            "host" => self.host(value),
            "content-length" => self.length(value),
            "cookie" if self.request.version() >= Version::HTTP_2 => {
                extend(&mut self.cookies, b"; ", value);
            }
            _ => self.push(name, value),
        }
    }

    /// The request, without what ends at the host.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Protocol`] for two hosts or lengths, a length that is none, a host that is not
    /// the target's, a protocol that is no token: to be answered with 400.
    pub fn finish(mut self, body: Option<Body>) -> Result<Request, Error> {
        if !self.cookies.is_empty() {
            let cookies = std::mem::take(&mut self.cookies);
            self.push("cookie", &cookies);
        }
        self.check_host();
        if self.is_chunked && self.declared.is_some() {
            self.fault = Some("content-length beside transfer-encoding");
        }
        if let Some(fault) = self.fault {
            return Err(Error::new(ErrorKind::Protocol, fault));
        }
        self.drop_nominated();
        let offers = has_option(&self.connection, b"upgrade") && !self.upgrade.is_empty();
        let declared = self.declared;
        let mut request = self.request;
        if offers && request.version() == Version::HTTP_11 {
            let head = request.head_mut();
            head.facts.protocol = head.push(&self.upgrade);
        }
        if let Some(body) = body {
            request = request.with_body(body);
            let head = request.head_mut();
            if let (Some(length), LENGTH_UNKNOWN) = (declared, head.facts.content_length) {
                head.facts.content_length = length;
            }
        } else {
            debug_assert!(request.head().facts.flags & request_flag::HAS_BODY == 0);
        }
        Ok(request)
    }

    fn push(&mut self, name: &str, value: &[u8]) {
        let head = self.request.head_mut();
        head.push_field(name.as_bytes(), value, false);
    }

    fn host(&mut self, value: &[u8]) {
        self.hosts = self.hosts.saturating_add(1);
        let authority = self.request.authority();
        if !authority.is_empty() && !authority.eq_ignore_ascii_case(value) {
            self.fault = Some("a host that is not the target's");
        }
        if authority.is_empty() {
            let head = self.request.head_mut();
            head.facts.authority = head.push(value);
        }
        self.push("host", value);
    }

    fn check_host(&mut self) {
        match self.hosts {
            0 if self.request.authority().is_empty() => {
                if self.request.version() != Version::HTTP_10 {
                    self.fault = Some("no host");
                }
            }
            0 => {
                let authority = self.request.authority().to_vec();
                self.push("host", &authority);
            }
            1 => {}
            _ => self.fault = Some("two hosts"),
        }
    }

    fn length(&mut self, value: &[u8]) {
        let text = std::str::from_utf8(value).unwrap_or_default();
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let length = text.parse().ok().filter(|_| is_number);
        if length.is_none() || self.declared.is_some() {
            self.fault = Some("a content-length that is no number, or two");
        }
        self.declared = length;
        self.push("content-length", value);
    }

    /// Drops the fields that Connection names.
    fn drop_nominated(&mut self) {
        let usual = |option: &[u8]| USUAL.iter().any(|usual| option.eq_ignore_ascii_case(usual));
        let options = self.connection.split(|byte| *byte == b',');
        let mut named = options
            .map(<[u8]>::trim_ascii)
            .filter(|option| !option.is_empty() && !usual(option))
            .peekable();
        if named.peek().is_none() {
            return;
        }
        let named: Vec<&[u8]> = named.collect();
        let head = self.request.head_mut();
        let mut lines = std::mem::take(&mut head.lines);
        lines.retain(|line| {
            let name = head.written_name(line);
            let stays = KEPT.contains(&name);
            stays || !named.iter().any(|named| named.eq_ignore_ascii_case(name))
        });
        head.lines = lines;
    }
}

fn extend(all: &mut Vec<u8>, between: &[u8], value: &[u8]) {
    if !all.is_empty() {
        all.extend_from_slice(between);
    }
    all.extend_from_slice(value);
}

fn has_option(list: &[u8], option: &[u8]) -> bool {
    let mut options = list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    options.any(|other| {
        let name = other.split(|byte| *byte == b';').next().unwrap_or_default();
        name.trim_ascii().eq_ignore_ascii_case(option)
    })
}

/// Options of Connection that name no field, or one that is dealt with anyway.
const USUAL: [&[u8]; 5] = [
    b"close",
    b"keep-alive",
    b"upgrade",
    b"te",
    b"transfer-encoding",
];
/// Fields that no Connection takes away: what a message means hangs on them.
const KEPT: [&[u8]; 2] = [b"host", b"content-length"];
