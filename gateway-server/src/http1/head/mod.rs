//! [`Head`]: a request head, read in place.
//!
//! The parser lower-cases the names in the read buffer and keeps offsets into it, so that a head
//! needs no memory of its own after a connection's first. It resumes at the line that was
//! incomplete: however the bytes arrive, each line is read again only while it grows.

mod line;
mod parts;
pub(super) mod special;
mod target;

use gateway_spec::abi::{Field, method, names};

use self::line::{
    LinePart, Step, VERSION_LINE, field_name, is_blank, method_end, unfinished, version_fault,
};
use self::parts::Line;
use self::special::Special;
use self::target::Target;
use super::error::HeadError;
use super::scan;
use crate::limits::{HeadLimits, LEADING_EMPTY_LINES};

pub use self::parts::{BodyLength, Span, Version};
pub use self::target::Form;

/// A request head: where its parts are in the buffer that was parsed.
///
/// Every accessor that takes `buf` wants that buffer, with the head at the same place. Before
/// [`Head::parse`] has returned a length, what they return is unspecified.
#[derive(Debug, Default)]
pub struct Head {
    /// The fields that the application may see, in order.
    lines: Vec<Line>,
    stage: Stage,
    /// Where the line begins that is to be read next.
    at: usize,
    empty_lines: u32,
    /// Field lines, those included that the application does not see.
    count: usize,
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
        let end = self.lines_of(buf, visible, limits)?;
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
        self.count = 0;
        self.special.clear();
    }

    /// Whether a request line, or its beginning, has been seen: the peer wants something.
    #[must_use]
    pub fn has_begun(&self, buf: &[u8]) -> bool {
        buf.len() > self.at || self.stage != Stage::RequestLine
    }

    /// The method's id in [`method`]; [`method::OTHER`] for those that are not in it.
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
        self.target.query.map(|query| query.of(buf))
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
        self.lines.iter().map(|line| {
            let name = if line.name.is_empty() {
                names::name_of(line.id).unwrap_or_default().as_bytes()
            } else {
                line.name.of(buf)
            };
            Field::new(line.id, name, line.value.of(buf))
        })
    }

    /// How the end of the body is found.
    #[must_use]
    pub fn body(&self) -> BodyLength {
        self.special.body()
    }

    /// Whether the client wants the connection kept after the answer.
    #[must_use]
    pub fn keep_alive(&self) -> bool {
        self.special.keep_alive(self.version)
    }

    /// Whether the client waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1).
    #[must_use]
    pub fn expect_continue(&self) -> bool {
        self.special.expects_continue()
            && self.version == Version::Http11
            && !matches!(self.body(), BodyLength::None | BodyLength::Length(0))
    }

    /// The protocols that the client would like to switch to, as in Upgrade: only if Connection
    /// names it, in HTTP/1.1, and without a body, behind which it would be unclear what begins
    /// where.
    #[must_use]
    pub fn upgrade<'b>(&self, buf: &'b [u8]) -> Option<&'b [u8]> {
        let possible = self.version == Version::Http11
            && matches!(self.body(), BodyLength::None | BodyLength::Length(0));
        if possible {
            self.special.upgrade().map(|protocols| protocols.of(buf))
        } else {
            None
        }
    }

    fn lines_of(
        &mut self,
        buf: &mut [u8],
        filled: usize,
        limits: &HeadLimits,
    ) -> Result<Option<usize>, HeadError> {
        if self.stage == Stage::RequestLine {
            match self.request_line(buf, filled, limits)? {
                Step::Next(at) => self.at = at,
                Step::Incomplete => return Ok(None),
            }
            self.stage = Stage::Fields;
        }
        let mut at = self.at;
        while at < filled {
            if buf[at] == b'\r' {
                let Some(&line_feed) = buf[..filled].get(at + 1) else {
                    break;
                };
                if line_feed != b'\n' {
                    return Err(HeadError::BareCarriageReturn);
                }
                self.finish(&buf[..filled])?;
                self.stage = Stage::Done;
                return Ok(Some(at + 2));
            }
            match self.field_line(buf, filled, at, limits)? {
                Step::Next(next) => at = next,
                Step::Incomplete => break,
            }
        }
        self.at = at;
        Ok(None)
    }

    /// `method SP target SP version CRLF`, behind the empty lines that are tolerated.
    #[inline(always)]
    fn request_line(
        &mut self,
        buf: &mut [u8],
        filled: usize,
        limits: &HeadLimits,
    ) -> Result<Step, HeadError> {
        if matches!(buf[..filled].get(self.at), Some(b'\r' | b'\n')) {
            self.empty_lines(&buf[..filled])?;
        }
        let start = self.at;
        let limit = limits.request_line;
        let (method_end, id) = method_end(buf, start);
        if method_end == start || buf.get(method_end) != Some(&b' ') {
            return unfinished(&buf[..filled], start, method_end, limit, LinePart::Method);
        }
        let (target_end, question_mark) = scan::target_end(buf, method_end + 1);
        if target_end == method_end + 1 || buf.get(target_end) != Some(&b' ') {
            return unfinished(&buf[..filled], start, target_end, limit, LinePart::Target);
        }
        let version_at = target_end + 1;
        let next = version_at + VERSION_LINE;
        let rest = buf
            .get(version_at..)
            .and_then(|rest| rest.first_chunk::<VERSION_LINE>());
        let version = if next > filled {
            return version_fault(&buf[..filled], start, version_at, limit);
        } else if rest == Some(b"HTTP/1.1\r\n") {
            Version::Http11
        } else if rest == Some(b"HTTP/1.0\r\n") {
            Version::Http10
        } else {
            return version_fault(&buf[..filled], start, version_at, limit);
        };
        if next - 2 - start > limit {
            return Err(HeadError::RequestLineTooLong);
        }
        self.version = version;
        self.method = Span::new(start, method_end);
        self.method_id = id;
        let target = Span::new(method_end + 1, target_end);
        if buf[method_end + 1] == b'/' && id != method::CONNECT {
            self.target = Target::origin(target, question_mark);
        } else {
            self.target = Target::other(&buf[..filled], target, question_mark, id)?;
        }
        Ok(Step::Next(next))
    }

    #[cold]
    fn empty_lines(&mut self, bytes: &[u8]) -> Result<(), HeadError> {
        loop {
            match bytes.get(self.at..).unwrap_or_default() {
                [b'\n', ..] => return Err(HeadError::BareLineFeed),
                [b'\r', b'\n', ..] if self.empty_lines == LEADING_EMPTY_LINES => {
                    return Err(HeadError::EmptyLines);
                }
                [b'\r', b'\n', ..] => {
                    self.empty_lines += 1;
                    self.at += 2;
                }
                [b'\r', _, ..] => return Err(HeadError::BareCarriageReturn),
                _ => return Ok(()),
            }
        }
    }

    /// `name ":" OWS value OWS CRLF` at `at`, where no CR stands.
    #[inline(always)]
    fn field_line(
        &mut self,
        buf: &mut [u8],
        filled: usize,
        at: usize,
        limits: &HeadLimits,
    ) -> Result<Step, HeadError> {
        let limit = limits.field_line;
        if self.count >= limits.fields {
            return Err(HeadError::TooManyFields);
        }
        let window = buf.get_mut(at..).and_then(|line| line.first_chunk_mut());
        let (name_end, from, line_end) = match window.and_then(scan::short_line) {
            Some(line) => {
                let from = at + line.from;
                let end = match line.value_end {
                    Some(end) => at + end,
                    None => scan::value_end(buf, from + scan::BLOCK),
                };
                (at + line.name_end, from, end)
            }
            None => match field_name(&mut buf[..filled], at, limit)? {
                Some((name_end, from)) => (name_end, from, scan::value_end(buf, from)),
                None => return Ok(Step::Incomplete),
            },
        };
        let next = line_end + 2;
        if next > filled || buf[line_end..next] != *b"\r\n" {
            return unfinished(&buf[..filled], at, line_end, limit, LinePart::Value);
        }
        if line_end - at > limit {
            return Err(HeadError::FieldLineTooLong);
        }
        let mut end = line_end;
        while end > from && is_blank(buf[end - 1]) {
            end -= 1;
        }
        self.count += 1;
        let id = names::id_of(&buf[at..name_end]);
        let line = Line {
            name: Span::new(at, name_end),
            value: Span::new(from, end),
            id,
        };
        if special::is_special(id) {
            self.special_line(&buf[..filled], line)?;
        } else {
            self.lines.push(line);
        }
        Ok(Step::Next(next))
    }

    #[inline(always)]
    fn special_line(&mut self, bytes: &[u8], line: Line) -> Result<(), HeadError> {
        if let Some(value) = self
            .special
            .take(bytes, line.id, line.value, self.version)?
        {
            self.lines.push(Line { value, ..line });
        }
        Ok(())
    }

    /// What only the whole head can tell.
    #[inline(always)]
    fn finish(&mut self, bytes: &[u8]) -> Result<(), HeadError> {
        if self.special.host().is_none() || !self.target.authority.is_empty() {
            self.settle_host(bytes)?;
        }
        if self.special.nominates() {
            self.remove_nominated(bytes);
        }
        Ok(())
    }

    #[cold]
    fn remove_nominated(&mut self, bytes: &[u8]) {
        let special = &self.special;
        self.lines.retain(|line| !special.nominated(bytes, line));
    }

    /// Host where the target has an authority, or where there is no Host (RFC 9112 §3.2).
    #[cold]
    fn settle_host(&mut self, bytes: &[u8]) -> Result<(), HeadError> {
        let authority = self.target.authority;
        match self.special.host() {
            Some(host) => self.target.check_host(bytes, host),
            None if self.version == Version::Http11 => Err(HeadError::HostMissing),
            None if authority.is_empty() => Ok(()),
            None => {
                let name = Span::default();
                self.lines.push(Line {
                    name,
                    value: authority,
                    id: names::id("host"),
                });
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
