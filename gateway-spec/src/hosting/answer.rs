//! [`Answer`]: a response that keeps the rules, ready to be written.

use std::fmt;
use std::future::Future;

use http::header::{
    CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{Method, StatusCode};

use super::bounded::{Bounded, detach};
use super::content::Content;
use super::exchange::Attendance;
use super::life::{Draining, Life, Watch};
use crate::fields::Fields;
use crate::request::Request;
use crate::response::{Response, Upgrade};
use crate::upgrade::{Duplex, Upgraded};

/// What a response has to fit.
#[derive(Debug)]
pub(super) struct Terms {
    is_head: bool,
    is_connect: bool,
    is_upgradable: bool,
}

impl Terms {
    pub(super) fn of(request: &Request) -> Self {
        let is_connect = *request.method() == Method::CONNECT;
        Self {
            is_head: *request.method() == Method::HEAD,
            is_connect,
            is_upgradable: request.protocol().is_some() || is_connect,
        }
    }
}

/// A final response: one that breaks the rules has become 500.
///
/// Connection and framing are the server's.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// From 200 to 599, or 101 with a `switch`.
    pub status: StatusCode,
    /// Field lines, without a content-length.
    pub fields: Fields,
    /// What a content-length says: there exactly where one belongs.
    pub length: Option<u64>,
    /// The content: none in answer to HEAD and with 204 and 304.
    pub content: Content,
    /// The other protocol, if the response switches to one.
    pub switch: Option<Switch>,
}

/// A protocol to switch to.
pub struct Switch {
    /// Its name.
    pub protocol: HeaderValue,
    upgrade: Upgrade,
    attendance: Attendance,
}

impl Answer {
    /// What the server answers for an application that does not: a status, its reason as text.
    #[must_use]
    pub fn refusal(status: StatusCode) -> Self {
        let mut response = Response::reason(status);
        let fields = std::mem::take(response.fields_mut());
        let body = response.into_body();
        Self {
            status,
            fields,
            length: body.length(),
            content: Content::refusal(body),
            switch: None,
        }
    }

    pub(super) fn new(mut response: Response, terms: &Terms, attendance: Attendance) -> Self {
        if let Some(after) = response.take_after() {
            let life = attendance.life();
            detach(Bounded::new(after, Watch::new(life), Life::enter(life)));
        }
        let refused = |why: &str| {
            log::error!(target: "gateway", "a response is refused: {why}");
            Self::refusal(StatusCode::INTERNAL_SERVER_ERROR)
        };
        let status = response.status_code();
        let upgrade = response.take_upgrade();
        match upgrade {
            Some(_) if !matches!(status.as_u16(), 101 | 200) => {
                return refused("its status is none of an upgrade");
            }
            None if !(200..=599).contains(&status.as_u16()) => {
                return refused("its status is not final");
            }
            _ => {}
        }
        if upgrade.is_some() && !terms.is_upgradable {
            return refused("its request offers no protocol to switch to");
        }
        if upgrade.is_none() && terms.is_connect && status.is_success() {
            return refused("a success in answer to CONNECT is an upgrade, or none");
        }
        let hosts_own = |name: &HeaderName| {
            HOSTS_OWN.contains(name) || matches!(name.as_str(), "keep-alive" | "proxy-connection")
        };
        let fields = response.fields();
        if fields.to_look_at().any(|(name, _)| hosts_own(name)) {
            return refused("connection, framing and upgrading are the server's");
        }
        let Ok(declared) = declared_length(response.fields()) else {
            return refused("its content-length is no number, or two");
        };
        let mut fields = std::mem::take(response.fields_mut());
        let body = response.into_body();
        let is_bodiless = terms.is_head
            || upgrade.is_some()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let length = declared.or(body.length());
        if !is_bodiless
            && declared.is_some()
            && body.length().is_some_and(|had| length != Some(had))
        {
            return refused("its content has another length than it declares");
        }
        if declared.is_some() {
            fields.remove(&CONTENT_LENGTH);
        }
        let announced = match length {
            _ if status == StatusCode::NO_CONTENT || upgrade.is_some() => None,
            // Nobody said how long what has not changed is.
            Some(0) if status == StatusCode::NOT_MODIFIED && declared.is_none() => None,
            length => length,
        };
        if let Some(upgrade) = upgrade {
            return Self {
                status,
                fields,
                length: announced,
                content: Content::empty(),
                switch: Some(Switch {
                    protocol: upgrade.protocol.clone(),
                    upgrade,
                    attendance,
                }),
            };
        }
        let content = if is_bodiless {
            Content::empty()
        } else {
            Content::new(body, length, attendance)
        };
        Self {
            status,
            fields,
            length: announced,
            content,
            switch: None,
        }
    }
}

impl Switch {
    /// Word of the drain, for the stream.
    #[must_use]
    pub fn draining(&self) -> Draining {
        Draining::new(self.attendance.life())
    }

    /// Gives the connection's stream to the application; the future is the rest of the exchange.
    pub fn run(self, stream: impl Duplex) -> impl Future<Output = ()> + Send + 'static {
        let watch = Watch::new(self.attendance.life());
        let running = self.upgrade.run(Upgraded::new(stream));
        let attendance = self.attendance;
        let work = Box::pin(async move {
            running.await;
            drop(attendance);
        });
        Bounded::new(work, watch, None)
    }
}

impl fmt::Debug for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Switch({:?})", self.protocol)
    }
}

/// The length that a field declares.
fn declared_length(fields: &Fields) -> Result<Option<u64>, ()> {
    let mut lines = fields.to_look_at();
    let mut lines = lines.by_ref().filter(|(name, _)| *name == CONTENT_LENGTH);
    let Some((_, value)) = lines.next() else {
        return Ok(None);
    };
    let digits = value.to_str().map_err(drop)?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || lines.next().is_some() {
        return Err(());
    }
    digits.parse().map(Some).map_err(drop)
}

static HOSTS_OWN: [HeaderName; 5] = [CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];
