//! Requests as the access log asks for them: [`Logged`], and those whose head could not be read.

use std::borrow::Cow;
use std::fmt::Display;
use std::net::IpAddr;

use gateway_spec::abi::scheme;

use super::dialect::Dialect;
use super::ends::Ends;
use super::handover::{Request, RequestLine};
use super::known::Known;
use super::service::Service;
use crate::clock::monotonic_ns;
use crate::http1::Version;
use crate::logging::{AccessLog, Ended, LoggedRequest};
use crate::proxies::Told;
use crate::scoreboard::{self, RequestId};

/// A request that a log is told of.
pub(super) struct Logged<'k> {
    known: Known<'k>,
    app: Option<&'k str>,
    began_ns: u64,
    id: Option<Cow<'k, str>>,
}

/// What is known of a request whose head could not be read, or none of it but its first line.
pub(super) struct Refused<'r> {
    pub(super) status: u16,
    pub(super) why: &'r dyn Display,
    pub(super) line: Option<RequestLine<'r>>,
    /// What came, of which the first line is shown if it is no request line.
    pub(super) came: &'r [u8],
    pub(super) dialect: Dialect,
    /// What the front that has brought it says of it.
    pub(super) told: Told<'static>,
}

impl<'r> Refused<'r> {
    /// One of whose client's words nothing is known.
    pub(super) fn unwritten(status: u16, why: &'r dyn Display) -> Self {
        Self {
            status,
            why,
            line: None,
            came: b"",
            dialect: Dialect::Http1,
            told: Told::default(),
        }
    }
}

/// The same, as a log asks for it.
struct Unread<'k> {
    ends: &'k Ends,
    told: Told<'static>,
    why: String,
    came: Option<&'k [u8]>,
    method: &'k [u8],
    target: &'k [u8],
    version: &'static str,
    began_ns: u64,
}

impl Ends {
    /// What a log is told of a request. `app` is the name of whom it was for, where there are several; `id` what it is
    /// called if no proxy says, where the log shows that.
    #[inline(always)]
    pub(super) fn logged<'k>(
        &'k self,
        (service, log): (&Service, &AccessLog),
        app: Option<&'k str>,
        request: &'k Request<'k>,
        began_ns: u64,
        id: impl FnOnce() -> RequestId,
    ) -> Logged<'k> {
        let id = || match self.told_id(service, request) {
            Some(told) => String::from_utf8_lossy(told),
            None => id().to_string().into(),
        };
        Logged {
            known: self.known(request),
            app,
            began_ns,
            id: log.names_ids.then(id),
        }
    }

    /// Logs a request whose head could not be read, or none of it but its first line.
    pub(super) fn log_refusal(&self, service: &Service, refused: &Refused<'_>) {
        let Some(log) = &service.access_log else {
            return;
        };
        let Refused {
            status,
            why,
            line,
            came,
            dialect,
            told,
        } = *refused;
        let (method, target, version) = match (line, dialect) {
            (Some((method, target, version)), _) => (method, target, dialect.name(version)),
            (None, Dialect::Http1) => (&b"-"[..], &b"-"[..], "-"),
            (None, _) => (&b"-"[..], &b"-"[..], dialect.name(Version::Http11)),
        };
        let began_ns = service.woke.get();
        let took_ns = monotonic_ns().saturating_sub(began_ns);
        let unread = Unread {
            ends: self,
            told,
            why: why.to_string(),
            came: first_line(came).filter(|_| line.is_none()),
            method,
            target,
            version,
            began_ns,
        };
        log.write(
            &unread,
            &Ended {
                status,
                received: 0,
                sent: 0,
                took_ns,
                first_byte_ns: took_ns,
                queued_ns: 0,
                fields: &[],
            },
        );
    }
}

impl LoggedRequest for Logged<'_> {
    fn client(&self) -> Option<IpAddr> {
        self.known.client()
    }

    fn began_ns(&self) -> u64 {
        self.began_ns
    }

    fn method(&self) -> &[u8] {
        self.known.request.method()
    }

    fn target(&self) -> &[u8] {
        let Request { head, raw, .. } = self.known.request;
        head.target(raw)
    }

    fn path(&self) -> &[u8] {
        self.known.path()
    }

    fn query(&self) -> &[u8] {
        let Request { head, raw, .. } = self.known.request;
        head.query(raw).unwrap_or_default()
    }

    fn version(&self) -> &str {
        self.known.version()
    }

    fn line(&self) -> Option<&[u8]> {
        self.known.line()
    }

    fn scheme(&self) -> &str {
        self.known.scheme()
    }

    fn host(&self) -> &[u8] {
        self.known.host()
    }

    fn id(&self) -> Option<Cow<'_, str>> {
        self.id.as_deref().map(Cow::Borrowed)
    }

    #[inline(always)]
    fn field(&self, name: &[u8], id: u16) -> Option<&[u8]> {
        let Request { head, raw, .. } = self.known.request;
        match id {
            0 => {
                let found = head.fields(raw).find(|field| field.name() == name);
                found.map(|field| field.value())
            }
            id => head.value(id, raw),
        }
    }

    fn app(&self) -> Option<&str> {
        self.app
    }
}

impl LoggedRequest for Unread<'_> {
    fn client(&self) -> Option<IpAddr> {
        let told = self.told.client.map(|client| client.ip());
        told.or_else(|| self.ends.client().ip())
    }

    fn began_ns(&self) -> u64 {
        self.began_ns
    }

    fn method(&self) -> &[u8] {
        self.method
    }

    fn target(&self) -> &[u8] {
        self.target
    }

    fn path(&self) -> &[u8] {
        self.target_parts().0
    }

    fn query(&self) -> &[u8] {
        self.target_parts().1
    }

    fn version(&self) -> &str {
        self.version
    }

    fn line(&self) -> Option<&[u8]> {
        self.came
    }

    fn refused(&self) -> Option<&str> {
        Some(&self.why)
    }

    fn scheme(&self) -> &str {
        match self.told.scheme {
            Some(scheme::HTTPS) => "https",
            Some(_) => "http",
            None => self.ends.entrance.scheme(),
        }
    }

    fn host(&self) -> &[u8] {
        b""
    }

    fn id(&self) -> Option<Cow<'_, str>> {
        Some(scoreboard::new_id().to_string().into())
    }

    fn field(&self, _name: &[u8], _id: u16) -> Option<&[u8]> {
        None
    }

    fn app(&self) -> Option<&str> {
        None
    }
}

/// What stands before the first line's end, if anything does.
fn first_line(came: &[u8]) -> Option<&[u8]> {
    let came = &came[..came.len().min(SHOWN)];
    let mut lines = came.split(|byte| matches!(byte, b'\r' | b'\n'));
    lines.find(|line| !line.is_empty())
}

/// Bytes of what is no request line that are logged.
const SHOWN: usize = 256;

impl Unread<'_> {
    /// Path and query, as they would be in a target that can be read.
    fn target_parts(&self) -> (&[u8], &[u8]) {
        match self.target.iter().position(|byte| *byte == b'?') {
            Some(at) => (&self.target[..at], &self.target[at + 1..]),
            None => (self.target, b""),
        }
    }
}
