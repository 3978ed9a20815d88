//! The rules of response heads, over facts that the trait and the C ABI state alike.

use std::fmt;

use super::fields::{Line, line_is_valid};
use super::violation::Reports;
use crate::rules;

/// A response head, as far as rules speak of it.
#[derive(Debug)]
pub(crate) struct ResponseFacts<'a> {
    pub(crate) status: u32,
    pub(crate) fields: Vec<Line<'a>>,
    /// Bytes that are there already.
    pub(crate) at_hand: u64,
    /// Whether frames follow them.
    pub(crate) has_more: bool,
    /// The length that the response declares beside its fields.
    pub(crate) declared: Option<u64>,
    /// The protocol chosen, if the response switches.
    pub(crate) switches_to: Option<&'a [u8]>,
    /// What the request offered to switch to.
    pub(crate) offered: Offer<'a>,
    /// Whether the request's method was HEAD.
    pub(crate) answers_head: bool,
    /// Whether it was CONNECT.
    pub(crate) answers_connect: bool,
}

/// What a request lets its connection become.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Offer<'a> {
    /// Nothing else.
    Nothing,
    /// One of these protocols.
    Protocols(&'a [u8]),
    /// A tunnel, which no name is sent of.
    Tunnel,
}

impl<'a> Offer<'a> {
    /// By its protocol, and by whether its method is CONNECT.
    pub(crate) fn of(protocol: Option<&'a [u8]>, is_connect: bool) -> Self {
        match protocol {
            Some(protocols) => Self::Protocols(protocols),
            None if is_connect => Self::Tunnel,
            None => Self::Nothing,
        }
    }

    fn allows(self, chosen: &[u8]) -> bool {
        match self {
            Self::Nothing => false,
            Self::Tunnel => true,
            Self::Protocols(offered) => {
                let mut names = offered.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
                names.any(|name| name.eq_ignore_ascii_case(chosen))
            }
        }
    }
}

impl fmt::Display for Offer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Tunnel => f.write_str("a tunnel"),
            Self::Protocols(offered) => write!(f, "\"{}\"", offered.escape_ascii()),
        }
    }
}

impl ResponseFacts<'_> {
    /// Reports every rule that the head breaks; the length that the body has to have, if it is
    /// declared.
    pub(crate) fn check(&self, reports: &Reports) -> Option<u64> {
        //# [RES-04] A response's status is one of 200 to 599. An upgrade's is 101 or 200, and the host sends the one
        //# that the client's protocol has for it. Interim responses go through `inform` only.
        let fits = match self.switches_to {
            Some(_) => matches!(self.status, 101 | 200),
            None => (200..=599).contains(&self.status),
        };
        reports.expect(fits, rules::RES_04, || {
            let expected = match self.switches_to {
                Some(_) => "101 or 200 with an upgrade",
                None => "a final status",
            };
            format!("expected {expected}, found {}", self.status)
        });

        for line in &self.fields {
            //# [RES-05] The application sends field names that are lower-case tokens, and values without CR, LF, NUL
            //# or white space at either end.
            reports.expect(line_is_valid(line), rules::RES_05, || {
                format!("field {}", line.describe())
            });
            //# [RES-07] Connection, framing and upgrading are the host's: the application sends none of connection,
            //# keep-alive, proxy-connection, te, trailer, transfer-encoding and upgrade.
            reports.expect(!HOSTS_OWN.contains(&line.name), rules::RES_07, || {
                format!("field {} is the host's", line.describe())
            });
        }
        self.check_switch(reports);
        self.check_length(reports)
    }

    fn check_switch(&self, reports: &Reports) {
        //# [UPG-01] The application switches only to a protocol that the request offered. A CONNECT that offers none
        //# asks for a tunnel: the name that the application gives it is not sent.
        let Some(chosen) = self.switches_to else {
            //# [UPG-05] The application answers CONNECT with an upgrade, or with a status of 300 to 599: to the client a
            //# success is the tunnel's beginning, and what follows its head is not content.
            let is_success = (200..=299).contains(&self.status);
            reports.expect(!(self.answers_connect && is_success), rules::UPG_05, || {
                let status = self.status;
                format!("status {status} without an upgrade in answer to CONNECT")
            });
            return;
        };
        reports.expect(self.offered.allows(chosen), rules::UPG_01, || {
            let (chosen, offered) = (chosen.escape_ascii(), self.offered);
            format!("switches to \"{chosen}\", offered was {offered}")
        });
    }

    fn check_length(&self, reports: &Reports) -> Option<u64> {
        //# [RES-09] The length that a response declares, beside its fields or by one content-length field, is the
        //# length of its content. For HEAD and 304 it is announced only.
        let mut lines = self
            .fields
            .iter()
            .filter(|line| line.name == b"content-length");
        let line = lines.next();
        let parsed = line.and_then(|line| parse_length(line.value));
        let is_readable = (line.is_none() || parsed.is_some()) && lines.next().is_none();
        let is_bodiless = self.answers_head || matches!(self.status, 101 | 204 | 304);
        let declared = self.declared.or(parsed);
        let agrees = is_bodiless || parsed.is_none() || parsed == declared;
        let is_filled = match declared {
            Some(_) if is_bodiless => true,
            Some(length) if self.has_more => self.at_hand <= length,
            Some(length) => self.at_hand == length,
            None => true,
        };
        reports.expect(is_readable && agrees && is_filled, rules::RES_09, || {
            let field = line.map(Line::describe);
            format!(
                "declared {:?}, field {field:?}, at hand {}",
                self.declared, self.at_hand
            )
        });

        //# [RES-08] The application gives no content with 204 and 304. (What it gives in answer to HEAD, the host
        //# drops.)
        let has_content = self.at_hand > 0 || (self.has_more && declared != Some(0));
        reports.expect(
            !(matches!(self.status, 204 | 304) && has_content),
            rules::RES_08,
            || format!("content with status {}", self.status),
        );
        if is_bodiless { None } else { declared }
    }
}

/// A length by the grammar of RFC 9110 §8.6: digits alone.
fn parse_length(value: &[u8]) -> Option<u64> {
    let is_digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value)
        .ok()
        .filter(|_| is_digits)?
        .parse()
        .ok()
}

const HOSTS_OWN: [&[u8]; 7] = [
    b"connection",
    b"keep-alive",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
];
