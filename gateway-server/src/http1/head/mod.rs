//! [`Head`]: a request head, read in place.
//!
//! The parser lower-cases the names in the read buffer and keeps offsets into it, so that a head
//! needs no memory of its own after a connection's first. It resumes at the line that was
//! incomplete: however the bytes arrive, each line is read again only while it grows.

mod line;
mod lines;
mod parts;
mod read;
pub(super) mod special;
mod target;

use gateway_spec::abi::{Field, names};

use self::lines::Lines;
use self::parts::Line;
use self::special::Special;
use self::target::Target;
use super::error::HeadError;
use crate::limits::HeadLimits;

pub use self::parts::{BodyLength, Span, Version};
pub use self::target::Form;

/// A request head: where its parts are in the buffer that was parsed.
///
/// Every accessor that takes `buf` wants that buffer, with the head at the same place. Before
/// [`Head::parse`] has returned a length, what they return is unspecified.
#[derive(Debug, Default)]
pub struct Head {
    /// The fields that the application may see, in order.
    lines: Lines,
    stage: Stage,
    /// Where the line begins that is to be read next.
    at: u32,
    empty_lines: u32,
    /// Field lines that the application does not see.
    dropped: usize,
    method: Span,
    method_id: u32,
    target: Target,
    version: Version,
    special: Special,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// Before or in the request line.
    #[default]
    RequestLine,
    Fields,
    Done,
}

impl Head {
    /// Reads the head at the beginning of `buf`, lower-casing its field names there: its length,
    /// empty lines before the request line included, or `None` if it is incomplete.
    ///
    /// After `None`, call again with the same bytes and more behind them. After a length, the next
    /// call begins a new head. After an error the connection is of no more use.
    ///
    /// # Errors
    ///
    /// A [`HeadError`], decided by the first byte that makes the head unacceptable.
    pub fn parse(
        &mut self,
        buf: &mut [u8],
        limits: &HeadLimits,
    ) -> Result<Option<usize>, HeadError> {
        let filled = buf.len();
        self.parse_filled(buf, filled, limits)
    }

    /// As [`Head::parse`], for the first `filled` bytes of a buffer. What is behind them means
    /// nothing, may be changed, and saves time: a line in the middle of a buffer is read faster
    /// than one at its end.
    ///
    /// # Errors
    ///
    /// As [`Head::parse`].
    ///
    /// # Panics
    ///
    /// If `filled` is more than the buffer's length.
    #[inline(always)]
    pub fn parse_filled(
        &mut self,
        buf: &mut [u8],
        filled: usize,
        limits: &HeadLimits,
    ) -> Result<Option<usize>, HeadError> {
        assert!(filled <= buf.len(), "a buffer is not filled beyond its end");
        if self.stage == Stage::Done {
            self.clear();
        }
        // Offsets are u32 because the limit is.
        let visible = filled.min(limits.head as usize);
        let end = self.lines_of::<true>(buf, visible, limits)?;
        if end.is_none() && visible == limits.head as usize {
            return Err(HeadError::HeadTooLarge);
        }
        Ok(end)
    }

    /// Forgets what was read, so that the next call of [`Head::parse`] begins a new head.
    pub fn clear(&mut self) {
        self.lines.clear();
        self.stage = Stage::RequestLine;
        self.at = 0;
        self.empty_lines = 0;
        self.dropped = 0;
        self.special.clear();
    }

    /// Whether a request line, or its beginning, has been seen: the peer wants something.
    #[must_use]
    pub fn has_begun(&self, buf: &[u8]) -> bool {
        buf.len() > self.at as usize || self.stage != Stage::RequestLine
    }

    /// Method, target and version, as soon as the request line has been read, whatever has become of the
    /// rest of the head.
    #[must_use]
    pub fn first_line<'b>(&self, buf: &'b [u8]) -> Option<(&'b [u8], &'b [u8], Version)> {
        let read = self.stage != Stage::RequestLine;
        read.then(|| (self.method(buf), self.target(buf), self.version))
    }

    /// The request line, without its end.
    #[must_use]
    #[inline]
    pub fn line<'b>(&self, buf: &'b [u8]) -> &'b [u8] {
        // One blank stands between its parts, and the version is as long as any.
        let end = self.target.whole.end() + " HTTP/1.1".len();
        Span::new(self.method.start(), end).of(buf)
    }

    /// The method's id in [`method`](gateway_spec::abi::method); `OTHER` for those that are not in it.
    #[must_use]
    pub fn method_id(&self) -> u32 {
        self.method_id
    }

    /// The method, as sent.
    #[must_use]
    pub fn method<'b>(&self, buf: &'b [u8]) -> &'b [u8] {
        self.method.of(buf)
    }

    /// The target, exactly as sent.
    #[must_use]
    pub fn target<'b>(&self, buf: &'b [u8]) -> &'b [u8] {
        self.target.whole.of(buf)
    }

    /// The form of the target.
    #[must_use]
    pub fn form(&self) -> Form {
        self.target.form
    }

    /// The target's path, a part of the target: `*` in asterisk-form, empty in authority-form. An
    /// absolute-form without path means `/` (RFC 9110 §4.2.3), which then is the last slash
    /// before its authority.
    #[must_use]
    pub fn path<'b>(&self, buf: &'b [u8]) -> &'b [u8] {
        self.target.path.of(buf)
    }

    /// What follows the target's first `?`; `None` if it has none.
    #[must_use]
    pub fn query<'b>(&self, buf: &'b [u8]) -> Option<&'b [u8]> {
        self.target.query().map(|query| query.of(buf))
    }

    /// `host[:port]` of the target or, if it has none, of Host; empty if an HTTP/1.0 request has
    /// neither.
    #[must_use]
    pub fn authority<'b>(&self, buf: &'b [u8]) -> &'b [u8] {
        match self.special.host() {
            Some(host) if self.target.authority.is_empty() => host.of(buf),
            _ => self.target.authority.of(buf),
        }
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The fields that are the application's, in order, names lower-case, values without outer
    /// whitespace.
    ///
    /// Those of this hop are left out: Connection and what it nominates, Keep-Alive,
    /// Proxy-Connection, Transfer-Encoding, Upgrade; TE is left if it names `trailers`, and then
    /// says nothing else. Host is there once, except in HTTP/1.0 requests that name no host.
    #[must_use]
    pub fn fields<'b>(&'b self, buf: &'b [u8]) -> impl ExactSizeIterator<Item = Field<'b>> {
        self.lines.as_slice().iter().map(|line| {
            let name = if line.name.is_empty() {
                made_name(line)
            } else {
                line.name.of(buf)
            };
            Field::new(line.id, name, line.value.of(buf))
        })
    }

    /// The value of the first of these fields whose name has this id, which is not 0.
    #[must_use]
    #[inline]
    pub fn value<'b>(&self, id: u16, buf: &'b [u8]) -> Option<&'b [u8]> {
        let line = self.lines.as_slice().iter().find(|line| line.id == id)?;
        Some(line.value.of(buf))
    }

    /// How the end of the body is found.
    #[must_use]
    pub fn body(&self) -> BodyLength {
        self.special.body()
    }

    /// Whether bytes of a body follow the head.
    #[must_use]
    #[inline]
    pub fn has_body(&self) -> bool {
        !matches!(self.body(), BodyLength::None | BodyLength::Length(0))
    }

    /// Whether the client wants the connection kept after the answer.
    #[must_use]
    pub fn keep_alive(&self) -> bool {
        self.special.keep_alive(self.version)
    }

    /// Whether the client waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1).
    #[must_use]
    pub fn expect_continue(&self) -> bool {
        self.special.expects_continue() && self.version == Version::Http11 && self.has_body()
    }

    /// The protocols that the client would like to switch to, as in Upgrade: only if Connection
    /// names it, in HTTP/1.1, and without a body, behind which it would be unclear what begins
    /// where.
    #[must_use]
    pub fn upgrade<'b>(&self, buf: &'b [u8]) -> Option<&'b [u8]> {
        let protocols = self.special.upgrade()?;
        (self.version == Version::Http11 && !self.has_body()).then(|| protocols.of(buf))
    }
}

/// The name of a line that is not in the buffer.
#[cold]
fn made_name(line: &Line) -> &'static [u8] {
    names::name_of(line.id).unwrap_or_default().as_bytes()
}

#[cfg(test)]
mod tests;
