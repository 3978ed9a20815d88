//! [`Variables`]: a request as CGI variables (RFC 3875), as WSGI, FastCGI and SCGI carry it, and back.

mod path;
mod target;

use std::net::{IpAddr, SocketAddr};

use http::header::{CONTENT_LENGTH, HOST, HeaderName, HeaderValue};
use http::{Method, Version};

use crate::address::Address;
use crate::body::Body;
use crate::error::{Error, ErrorKind};
use crate::lifespan::Worker;
use crate::request::{Request, Scheme};

use self::path::decoded;
pub use self::target::{Place, Target};

/// CGI variables in a fixed order: names are ASCII, values are bytes.
///
/// The mapping loses what CGI has no place for: the case in which the client wrote names (the host
/// has lowered it already), the order of fields, the border between repeated lines, and `%2F` in
/// `PATH_INFO`. `REQUEST_URI` keeps the exact target, and [`to_request`](Self::to_request) prefers it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    entries: Vec<(String, Vec<u8>)>,
}

impl Variables {
    /// The variables of a request.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        let mut this = Self::default();
        this.set("GATEWAY_INTERFACE", "CGI/1.1");
        this.set("REQUEST_METHOD", request.method().as_str());
        this.set("SERVER_PROTOCOL", protocol(request.version()));
        this.set("SCRIPT_NAME", decoded(request.mount()));
        this.set("PATH_INFO", decoded(request.path_below_mount()));
        this.set("QUERY_STRING", request.query().unwrap_or_default());
        this.set("REQUEST_URI", request.target());
        this.set("RAW_URI", request.target());
        let (name, port) = server(request);
        this.set("SERVER_NAME", name);
        this.set("SERVER_PORT", port);
        this.set_address("SERVER_ADDR", None, &request.local());
        this.set_address("REMOTE_ADDR", Some("REMOTE_PORT"), &request.client());
        if request.peer() != request.client() {
            this.set_address("PEER_ADDR", Some("PEER_PORT"), &request.peer());
        }
        if request.scheme() == Scheme::Https {
            this.set("HTTPS", "on");
        }
        if let (true, Some(length)) = (request.has_body(), request.content_length()) {
            this.set("CONTENT_LENGTH", length.to_string());
        }
        this.set_fields(request);
        this.set_tls(request);
        this
    }

    /// The same with WSGI's own variables; truth is spelled `true` and `false`.
    ///
    /// A request does not know its scheduling, so the worker says it. `wsgi.input_terminated` is
    /// always true: a body's end is always known.
    #[must_use]
    pub fn with_wsgi(mut self, worker: Worker) -> Self {
        let is_https = self.get("HTTPS").is_some();
        self.set("wsgi.url_scheme", if is_https { "https" } else { "http" });
        self.set("wsgi.multithread", (worker.threads > 1).to_string());
        self.set("wsgi.multiprocess", (worker.count > 1).to_string());
        self.set("wsgi.run_once", "false");
        self.set("wsgi.input_terminated", "true");
        self
    }

    /// The value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.entries
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_slice())
    }

    /// All variables, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &[u8])> {
        self.entries
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// The request that these variables describe, with this body.
    ///
    /// The target is as [`Place::target`] finds it, with `REQUEST_URI` or `RAW_URI` as what the client
    /// sent. Nothing of this is to be trusted more than whoever sent it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if a variable is missing or is not what it should be.
    pub fn to_request(&self, body: Body) -> Result<Request, Error> {
        let method = Method::from_bytes(self.need("REQUEST_METHOD")?)
            .map_err(|_| self.wrong("REQUEST_METHOD"))?;
        let (target, mount) = self.target()?;
        let mut request = Request::build(method, &target)?
            .with_version(self.version()?)
            .with_scheme(self.scheme());
        for (name, value) in self.fields() {
            let wrong = || invalid(format!("expected a field, found {name}"));
            let field = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
            request = request.with(
                &field,
                &HeaderValue::from_bytes(value).map_err(|_| wrong())?,
            );
        }
        if request.authority().is_empty() && request.version() > Version::HTTP_10 {
            request = self.with_server_as_host(request)?;
        }
        let client = self.address("REMOTE_ADDR", "REMOTE_PORT")?;
        let local = self.address("SERVER_ADDR", "SERVER_PORT")?;
        let peer = match self.get("PEER_ADDR") {
            Some(_) => self.address("PEER_ADDR", "PEER_PORT")?,
            None => client.clone(),
        };
        request = request.with_addresses(&peer, &client, &local);
        let length = match self.get("CONTENT_LENGTH") {
            None | Some(b"") => None,
            Some(digits) => Some(parsed(digits).ok_or_else(|| self.wrong("CONTENT_LENGTH"))?),
        };
        if let Some(length) = length {
            request = request.with(&CONTENT_LENGTH, &HeaderValue::from(length));
        }
        if length.is_some() || !body.is_empty() {
            request = request.with_body(match length {
                Some(length) => body.with_length(length),
                None => body,
            });
        }
        let prefix = request.path().get(..mount).unwrap_or_default().to_vec();
        request
            .with_mount(&prefix)
            .ok_or_else(|| self.wrong("SCRIPT_NAME"))
    }

    fn set(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        let value = value.into();
        match self.entries.iter_mut().find(|(other, _)| other == name) {
            Some(entry) => entry.1 = value,
            None => self.entries.push((name.to_owned(), value)),
        }
    }

    /// Sets a variable, or adds another line of the field that it stands for.
    fn join(&mut self, name: String, value: &[u8]) {
        let glue: &[u8] = if name == "HTTP_COOKIE" { b"; " } else { b", " };
        match self.entries.iter_mut().find(|(other, _)| *other == name) {
            Some((_, lines)) => lines.extend([glue, value].concat()),
            None => self.entries.push((name, value.to_vec())),
        }
    }

    fn set_address(&mut self, host: &str, port: Option<&str>, address: &Address) {
        if let Address::Ip(address) = address {
            self.set(host, address.ip().to_string());
            if let Some(port) = port {
                self.set(port, address.port().to_string());
            }
        } else if host == "REMOTE_ADDR" {
            // RFC 3875 wants it there; a unix socket has none to give.
            self.set(host, "");
        }
    }

    fn set_fields(&mut self, request: &Request) {
        for (name, value) in request.fields() {
            // `_` in a name would pass for `-`, and HTTP_PROXY is a setting of many clients.
            if name.contains('_') || name == "proxy" || name == "content-length" {
                continue;
            }
            let variable = match name {
                "content-type" => "CONTENT_TYPE".to_owned(),
                _ => format!("HTTP_{}", name.to_ascii_uppercase().replace('-', "_")),
            };
            self.join(variable, value);
        }
    }

    fn set_tls(&mut self, request: &Request) {
        let Some(tls) = request.tls() else { return };
        let version = match tls.version {
            0x0303 => "TLSv1.2",
            0x0304 => "TLSv1.3",
            _ => "",
        };
        self.set("SSL_PROTOCOL", version);
        self.set("SSL_TLS_SNI", tls.server_name);
        let verified = match (tls.peer_chain.is_empty(), tls.peer_verified) {
            (true, _) => "NONE",
            (false, true) => "SUCCESS",
            (false, false) => "FAILED",
        };
        self.set("SSL_CLIENT_VERIFY", verified);
    }

    /// The target, and how much of it is the mount.
    fn target(&self) -> Result<(String, usize), Error> {
        let exact = self.get("REQUEST_URI").filter(|exact| !exact.is_empty());
        let place = Place {
            script_name: self.get("SCRIPT_NAME"),
            path_info: self.get("PATH_INFO"),
            query_string: self.get("QUERY_STRING"),
            request_uri: exact.or_else(|| self.get("RAW_URI")),
        };
        let found = place.target().ok_or_else(|| self.wrong("PATH_INFO"))?;
        let text = String::from_utf8(found.target.into_owned());
        let text = text.map_err(|_| self.wrong("REQUEST_URI"))?;
        Ok((text, found.mount))
    }

    fn version(&self) -> Result<Version, Error> {
        match self.need("SERVER_PROTOCOL")? {
            b"HTTP/1.0" => Ok(Version::HTTP_10),
            b"HTTP/1.1" => Ok(Version::HTTP_11),
            b"HTTP/2.0" | b"HTTP/2" => Ok(Version::HTTP_2),
            b"HTTP/3.0" | b"HTTP/3" => Ok(Version::HTTP_3),
            _ => Err(self.wrong("SERVER_PROTOCOL")),
        }
    }

    fn scheme(&self) -> Scheme {
        let is_on = |value: &[u8]| value == b"1" || value.eq_ignore_ascii_case(b"on");
        let says_https = self.get("wsgi.url_scheme") == Some(b"https");
        if says_https || self.get("HTTPS").is_some_and(is_on) {
            Scheme::Https
        } else {
            Scheme::Http
        }
    }

    /// Fields by their names in HTTP.
    fn fields(&self) -> impl Iterator<Item = (String, &[u8])> {
        self.iter().filter_map(|(name, value)| {
            let field = match name {
                "CONTENT_TYPE" => "content-type".to_owned(),
                _ => name
                    .strip_prefix("HTTP_")?
                    .to_ascii_lowercase()
                    .replace('_', "-"),
            };
            // An empty CONTENT_TYPE means none.
            let repeats = name == "HTTP_CONTENT_TYPE" && self.get("CONTENT_TYPE").is_some();
            let is_none = field == "content-type" && (value.is_empty() || repeats);
            (!is_none && !DROPPED.contains(&field.as_str())).then_some((field, value))
        })
    }

    fn with_server_as_host(&self, request: Request) -> Result<Request, Error> {
        let Some(name) = self.get("SERVER_NAME").filter(|name| !name.is_empty()) else {
            return Ok(request);
        };
        let mut authority = name.to_vec();
        let usual: &[u8] = if request.scheme() == Scheme::Https {
            b"443"
        } else {
            b"80"
        };
        if let Some(port) = self.get("SERVER_PORT").filter(|port| *port != usual) {
            authority.push(b':');
            authority.extend_from_slice(port);
        }
        let value = HeaderValue::from_bytes(&authority).map_err(|_| self.wrong("SERVER_NAME"))?;
        Ok(request.with(&HOST, &value))
    }

    fn address(&self, host: &str, port: &str) -> Result<Address, Error> {
        let Some(text) = self.get(host).filter(|text| !text.is_empty()) else {
            return Ok(Address::Unknown);
        };
        let text = std::str::from_utf8(text).map_err(|_| self.wrong(host))?;
        let ip: IpAddr = text.parse().map_err(|_| self.wrong(host))?;
        let port = match self.get(port) {
            None => 0,
            Some(digits) => parsed(digits)
                .and_then(|number| u16::try_from(number).ok())
                .ok_or_else(|| self.wrong(port))?,
        };
        Ok(Address::Ip(SocketAddr::new(ip, port)))
    }

    fn need(&self, name: &str) -> Result<&[u8], Error> {
        self.get(name)
            .ok_or_else(|| invalid(format!("expected the variable {name}, found none")))
    }

    fn wrong(&self, name: &str) -> Error {
        let found = self.get(name).unwrap_or_default().escape_ascii();
        invalid(format!("expected a valid {name}, found \"{found}\""))
    }
}

impl<N: Into<String>, V: Into<Vec<u8>>> FromIterator<(N, V)> for Variables {
    /// Variables as they came; several of one name are lines of a field, or the last counts: of what is no
    /// field, and of `HTTP_HOST`, of which there is one.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(entries: I) -> Self {
        let mut this = Self::default();
        for (name, value) in entries {
            let (name, value) = (name.into(), value.into());
            match name.starts_with("HTTP_") && name != "HTTP_HOST" {
                true => this.join(name, &value),
                false => this.set(&name, value),
            }
        }
        this
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::Invalid, message)
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        Version::HTTP_3 => "HTTP/3.0",
        _ => "HTTP/1.1",
    }
}

/// Name and port of the authority; what it lacks comes from our end of the connection.
fn server(request: &Request) -> (Vec<u8>, String) {
    let authority = request.authority();
    let colon = authority.iter().rposition(|byte| *byte == b':');
    let (name, port) = match colon.filter(|at| !authority[*at..].contains(&b']')) {
        Some(at) => (&authority[..at], parsed(&authority[at + 1..])),
        None => (authority, None),
    };
    let usual = if request.scheme() == Scheme::Https {
        443
    } else {
        80
    };
    match (name, request.local()) {
        ([], Address::Ip(local)) => {
            let name = match local.ip() {
                IpAddr::V4(ip) => ip.to_string(),
                IpAddr::V6(ip) => format!("[{ip}]"),
            };
            (name.into(), local.port().to_string())
        }
        _ => (name.to_vec(), port.unwrap_or(usual).to_string()),
    }
}

/// A number by digits alone.
fn parsed(digits: &[u8]) -> Option<u64> {
    let is_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits)
        .ok()
        .filter(|_| is_digits)?
        .parse()
        .ok()
}

/// Fields that are no fields of the request: those of the client's hop to whoever has made variables of
/// it, one that would contradict CONTENT_LENGTH, and one that many clients take for a setting.
const DROPPED: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "proxy",
];
