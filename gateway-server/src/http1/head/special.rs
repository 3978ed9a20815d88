//! The fields that decide about framing and the connection, and those that may occur only once.

use gateway_spec::abi::names;

use super::parts::{BodyLength, Line, Span, Version};
use crate::http1::error::HeadError;
use crate::http1::{authority, scan};
use crate::limits::CONNECTION_OPTIONS;

/// What the special fields of one head have said so far.
#[derive(Debug, Default)]
pub(super) struct Special {
    /// One bit for each `action` that was taken, or for each field that occurs once, and the bits of
    /// `said`.
    seen: u32,
    host: Span,
    length: u64,
    upgrade: Span,
    /// Options of Connection that are field names.
    nominated: Vec<Span>,
    /// The last Host that was good, which the next one probably is again.
    known_host: Vec<u8>,
}

impl Special {
    #[inline(always)]
    pub(super) fn clear(&mut self) {
        self.seen = 0;
        self.nominated.clear();
    }

    /// Notes what a field says: the value that the application sees, if it sees the field.
    #[inline(never)]
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        id: u16,
        value: Span,
        version: Version,
    ) -> Result<Option<Span>, HeadError> {
        match ACTIONS[usize::from(id & 0xFF)] {
            action::NONE => Ok(Some(value)),
            action::HOST if self.note_host(value) => {
                self.check_host(bytes)?;
                Ok(Some(value))
            }
            action::HOST => Err(HeadError::HostRepeated),
            action => self.act(action, bytes, value, version),
        }
    }

    /// As [`Special::take`], behind a Host that may not be looked at yet.
    #[inline(never)]
    pub(super) fn take_behind_host(
        &mut self,
        bytes: &[u8],
        id: u16,
        value: Span,
        version: Version,
    ) -> Result<Option<Span>, HeadError> {
        self.check_host(bytes)?;
        self.take(bytes, id, value, version)
    }

    /// Notes a Host that is not looked at yet; false, with nothing noted, if it is not the first.
    #[inline(always)]
    pub(super) fn note_host(&mut self, value: Span) -> bool {
        let first = self.seen & 1 << action::HOST == 0;
        if first {
            self.seen |= 1 << action::HOST | said::UNCHECKED;
            self.host = value;
        }
        first
    }

    /// Refuses a Host that was noted and is not `host[:port]`.
    #[inline(always)]
    pub(super) fn check_host(&mut self, bytes: &[u8]) -> Result<(), HeadError> {
        if self.seen & said::UNCHECKED != 0 {
            self.seen &= !said::UNCHECKED;
            let host = self.host.of(bytes);
            if !scan::are_same(host, &self.known_host) {
                return self.check_other_host(bytes);
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn check_other_host(&mut self, bytes: &[u8]) -> Result<(), HeadError> {
        if !authority::is_authority(bytes, self.host.start(), self.host.end()) {
            return Err(HeadError::HostSyntax);
        }
        let host = self.host.of(bytes);
        if host.len() <= KNOWN_HOST {
            self.known_host.clear();
            self.known_host.extend_from_slice(host);
        }
        Ok(())
    }

    #[inline(always)]
    pub(super) fn host(&self) -> Option<Span> {
        (self.seen & 1 << action::HOST != 0).then_some(self.host)
    }

    #[inline(always)]
    pub(super) fn body(&self) -> BodyLength {
        if self.seen & (1 << action::TRANSFER_ENCODING | 1 << action::CONTENT_LENGTH) == 0 {
            BodyLength::None
        } else {
            self.announced_body()
        }
    }

    fn announced_body(&self) -> BodyLength {
        if self.seen & 1 << action::TRANSFER_ENCODING != 0 {
            BodyLength::Chunked
        } else {
            BodyLength::Length(self.length)
        }
    }

    /// RFC 9112 §9.3.
    #[inline(always)]
    pub(super) fn keep_alive(&self, version: Version) -> bool {
        let kept = version == Version::Http11 || self.seen & said::KEEP_ALIVE != 0;
        self.seen & said::CLOSE == 0 && kept
    }

    pub(super) fn expects_continue(&self) -> bool {
        self.seen & 1 << action::EXPECT != 0
    }

    #[inline(always)]
    pub(super) fn upgrade(&self) -> Option<Span> {
        let both = 1 << action::UPGRADE | said::UPGRADE;
        (self.seen & both == both).then_some(self.upgrade)
    }

    pub(super) fn nominates(&self) -> bool {
        !self.nominated.is_empty()
    }

    /// Whether Connection names the line's field. TE is always named: what is left of it stays.
    #[cold]
    pub(super) fn nominated(&self, bytes: &[u8], line: &Line) -> bool {
        line.id == 0
            && self
                .nominated
                .iter()
                .any(|option| option.of(bytes).eq_ignore_ascii_case(line.name.of(bytes)))
    }

    #[inline(never)]
    fn act(
        &mut self,
        action: u8,
        bytes: &[u8],
        span: Span,
        version: Version,
    ) -> Result<Option<Span>, HeadError> {
        let bit = 1 << action;
        let repeated = self.seen & bit != 0;
        self.seen |= bit;
        let value = span.of(bytes);
        match action {
            action::CONTENT_LENGTH => {
                if repeated {
                    return Err(HeadError::LengthRepeated);
                }
                self.length = content_length(value).ok_or(HeadError::LengthSyntax)?;
                self.refuse_two_lengths()?;
                Ok(Some(span))
            }
            action::TRANSFER_ENCODING => {
                if repeated {
                    return Err(HeadError::TransferEncodingRepeated);
                }
                if version == Version::Http10 {
                    return Err(HeadError::TransferEncodingInHttp10);
                }
                self.refuse_two_lengths()?;
                if !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(transfer_encoding_fault(value));
                }
                Ok(None)
            }
            action::CONNECTION => {
                self.connection(bytes, span)?;
                Ok(None)
            }
            action::EXPECT if repeated => Err(HeadError::FieldRepeated),
            action::EXPECT if value.eq_ignore_ascii_case(b"100-continue") => Ok(Some(span)),
            action::EXPECT => Err(HeadError::ExpectationUnknown),
            action::UPGRADE => {
                if repeated {
                    return Err(HeadError::FieldRepeated);
                }
                self.upgrade = span;
                if !elements(bytes, span).all(|element| is_protocol(element.of(bytes))) {
                    self.seen &= !bit;
                }
                Ok(None)
            }
            action::TE => {
                // Kept if it says `trailers`, and then once.
                let found = elements(bytes, span)
                    .find(|element| element.of(bytes).eq_ignore_ascii_case(b"trailers"));
                let Some(trailers) = found else {
                    if !repeated {
                        self.seen &= !bit;
                    }
                    return Ok(None);
                };
                Ok((!repeated).then_some(trailers))
            }
            action::REMOVE => Ok(None),
            _ if repeated => Err(HeadError::FieldRepeated),
            _ => Ok(Some(span)),
        }
    }

    fn refuse_two_lengths(&self) -> Result<(), HeadError> {
        let both = 1 << action::CONTENT_LENGTH | 1 << action::TRANSFER_ENCODING;
        if self.seen & both == both {
            Err(HeadError::LengthAndTransferEncoding)
        } else {
            Ok(())
        }
    }

    fn connection(&mut self, bytes: &[u8], value: Span) -> Result<(), HeadError> {
        for element in elements(bytes, value) {
            let option = element.of(bytes);
            if option.eq_ignore_ascii_case(b"close") {
                self.seen |= said::CLOSE;
            } else if option.eq_ignore_ascii_case(b"keep-alive") {
                self.seen |= said::KEEP_ALIVE;
            } else if option.eq_ignore_ascii_case(b"upgrade") {
                self.seen |= said::UPGRADE;
            } else if !scan::is_token(option) {
                return Err(HeadError::ConnectionSyntax);
            } else if self.nominated.len() == CONNECTION_OPTIONS {
                return Err(HeadError::ConnectionTooLong);
            } else {
                if is_end_to_end(option) {
                    return Err(HeadError::ConnectionNominates);
                }
                self.nominated.push(element);
            }
        }
        Ok(())
    }
}

/// Whether a field with this name means something to [`Special::take`].
#[inline(always)]
pub(super) fn is_special(id: u16) -> bool {
    1 << (id % 64) & SPECIAL != 0 && ACTIONS[usize::from(id & 0xFF)] != action::NONE
}

/// 1 to 19 digits: every such number fits, and no sign, space or list is one.
pub(in crate::http1) fn content_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || value.len() > 19 {
        return None;
    }
    value.iter().try_fold(0_u64, |sum, digit| {
        digit
            .is_ascii_digit()
            .then(|| sum * 10 + u64::from(digit - b'0'))
    })
}

/// Whether a field with this name belongs to the hop or to its framing, for messages of the
/// application.
pub(in crate::http1) const fn is_of_the_hop(id: u16) -> bool {
    matches!(
        ACTIONS[(id & 0xFF) as usize],
        action::TRANSFER_ENCODING
            | action::CONNECTION
            | action::UPGRADE
            | action::TE
            | action::REMOVE
    )
}

/// The elements of a comma-separated list, trimmed, without the empty ones (RFC 9110 §5.6.1).
fn elements(bytes: &[u8], list: Span) -> impl Iterator<Item = Span> {
    let mut at = list.start();
    list.of(bytes)
        .split(|&b| b == b',')
        .filter_map(move |element| {
            let trimmed = element.trim_ascii_start();
            let start = at + element.len() - trimmed.len();
            at += element.len() + 1;
            let trimmed = trimmed.trim_ascii_end();
            (!trimmed.is_empty()).then(|| Span::new(start, start + trimmed.len()))
        })
}

/// `token [ "/" token ]`
pub(in crate::http1) fn is_protocol(text: &[u8]) -> bool {
    let mut parts = text.splitn(2, |&b| b == b'/');
    parts.all(scan::is_token)
}

/// Whether it is a known field that is not for one hop only. To drop such a field because
/// Connection names it would let a client erase what a proxy in front has added.
fn is_end_to_end(name: &[u8]) -> bool {
    let mut lower = [0; 32];
    let Some(place) = lower.get_mut(..name.len()) else {
        return false;
    };
    place.copy_from_slice(name);
    place.make_ascii_lowercase();
    let id = names::id_of(place);
    id != 0 && !is_of_the_hop(id) && id != names::id("trailer")
}

/// What is wrong with a Transfer-Encoding that is not `chunked` alone (RFC 9112 §6.1, §6.3).
#[cold]
fn transfer_encoding_fault(value: &[u8]) -> HeadError {
    let codings: Vec<&[u8]> = value
        .split(|&b| b == b',')
        .map(<[u8]>::trim_ascii)
        .collect();
    let is_chunked = |coding: &&[u8]| coding.eq_ignore_ascii_case(b"chunked");
    if !codings.iter().all(|coding| scan::is_token(coding)) {
        return HeadError::TransferEncodingSyntax;
    }
    match codings.iter().filter(|coding| is_chunked(coding)).count() {
        0 => HeadError::TransferCodingUnknown,
        1 if codings.last().is_some_and(is_chunked) => HeadError::TransferCodingUnknown,
        1 => HeadError::TransferEncodingNotLast,
        _ => HeadError::TransferEncodingRepeated,
    }
}

/// What is done about a field: numbers, because they index the bits of [`Special::seen`].
mod action {
    pub(super) const NONE: u8 = 0;
    pub(super) const HOST: u8 = 1;
    pub(super) const CONTENT_LENGTH: u8 = 2;
    pub(super) const TRANSFER_ENCODING: u8 = 3;
    pub(super) const CONNECTION: u8 = 4;
    pub(super) const EXPECT: u8 = 5;
    pub(super) const UPGRADE: u8 = 6;
    pub(super) const TE: u8 = 7;
    pub(super) const REMOVE: u8 = 8;
    /// From here on: fields that occur once at most.
    pub(super) const ONCE: u8 = 9;
}

/// Bits of [`Special::seen`] beside those of the actions.
mod said {
    /// Host was not looked at yet.
    pub(super) const UNCHECKED: u32 = 1 << 31;
    /// Options of Connection.
    pub(super) const CLOSE: u32 = 1 << 30;
    pub(super) const KEEP_ALIVE: u32 = 1 << 29;
    pub(super) const UPGRADE: u32 = 1 << 28;
}

/// A longer Host is looked at each time.
const KNOWN_HOST: usize = 32;

/// Fields that mean nothing, or something dangerous, twice: an application takes the first or the
/// last, whoever checked the request before it the other one.
const ONCE: &[&str] = &[
    "content-type",
    "authorization",
    "proxy-authorization",
    "origin",
    "range",
];

/// By id; as long as every byte is an index, because all ids of the table are bytes.
static ACTIONS: [u8; 256] = {
    assert!(names::NAMES.len() < 255, "an id is less than a byte can be");
    let mut actions = [action::NONE; 256];
    actions[names::id("host") as usize] = action::HOST;
    actions[names::id("content-length") as usize] = action::CONTENT_LENGTH;
    actions[names::id("transfer-encoding") as usize] = action::TRANSFER_ENCODING;
    actions[names::id("connection") as usize] = action::CONNECTION;
    actions[names::id("expect") as usize] = action::EXPECT;
    actions[names::id("upgrade") as usize] = action::UPGRADE;
    actions[names::id("te") as usize] = action::TE;
    actions[names::id("keep-alive") as usize] = action::REMOVE;
    actions[names::id("proxy-connection") as usize] = action::REMOVE;
    let mut i = 0;
    while i < ONCE.len() {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the list is shorter than 23"
        )]
        let action = action::ONCE + i as u8;
        actions[names::id(ONCE[i]) as usize] = action;
        i += 1;
    }
    actions
};

/// A bit for each id that has an action; ids of 64 and more share the bits of lower ones.
const SPECIAL: u64 = {
    let mut bits = 0;
    let mut id = 0;
    while id < ACTIONS.len() {
        if ACTIONS[id] != action::NONE {
            bits |= 1 << (id % 64);
        }
        id += 1;
    }
    bits
};
