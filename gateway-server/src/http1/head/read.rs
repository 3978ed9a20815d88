//! Reading a head line by line: the usual lines a block at a time, all others byte by byte.

use gateway_spec::abi::{method, names};

use super::line::{
    LinePart, Step, VERSION_LINE, field_name, is_blank, method_end, unfinished, version_fault,
};
use super::parts::{Line, Span, Version};
use super::target::{Form, Target};
use super::{Head, Stage, special};
use crate::http1::error::HeadError;
use crate::http1::scan::{self, FieldLine};
use crate::limits::{HeadLimits, LEADING_EMPTY_LINES};

impl Head {
    /// Reads on where the last call stopped. The verdict does not depend on `BLOCKS`, which tests
    /// turn off.
    #[inline(always)]
    pub(super) fn lines_of<const BLOCKS: bool>(
        &mut self,
        buf: &mut [u8],
        filled: usize,
        limits: &HeadLimits,
    ) -> Result<Option<usize>, HeadError> {
        if BLOCKS && self.stage == Stage::RequestLine {
            let end = self.usual_lines(buf, filled, limits)?;
            if end.is_some() {
                return Ok(end);
            }
        }
        self.other_lines::<BLOCKS>(buf, filled, limits)
    }

    /// Reads a head from its request line on, as long as its lines are as most are: its length, or
    /// `None` if it is not read to its end.
    ///
    /// A line may turn out to be made of what stands behind the filled part; then nothing was read.
    #[inline(never)]
    fn usual_lines(
        &mut self,
        buf: &mut [u8],
        filled: usize,
        limits: &HeadLimits,
    ) -> Result<Option<usize>, HeadError> {
        let start = self.at as usize;
        let Some(line) = scan::request_line(buf, start) else {
            return Ok(None);
        };
        let length = line.target_end + VERSION_LINE - 1;
        let next = start + length + 2;
        if length > limits.request_line || limits.field_line < scan::WINDOW || next > filled {
            return Ok(None);
        }
        let mut at = next;
        self.version = Version::Http11;
        self.method = Span::new(start, start + line.method_end);
        self.method_id = line.method_id;
        let target = Span::new(start + line.method_end + 1, start + line.target_end);
        self.target = Target::origin(target, start + line.question_mark);
        let slots = self.lines.slots(limits.fields);
        let mut count = 0;
        let ended = loop {
            if scan::is_end(buf, at) {
                break true;
            }
            let Some(line) = scan::field_line(buf, at, limits.field_line) else {
                break false;
            };
            let Some(slot) = slots.get_mut(count) else {
                break false;
            };
            let (id, next) = (line.id, line.next);
            let (name, value) = spans(at, &line);
            *slot = Line { name, value, id };
            if special::is_special(id) && (id != HOST || !self.special.note_host(value)) {
                if next > filled || count + self.dropped >= limits.fields {
                    break false;
                }
                match self
                    .special
                    .take_behind_host(&buf[..filled], id, value, Version::Http11)?
                {
                    Some(value) => slot.value = value,
                    None => {
                        self.dropped += 1;
                        at = next;
                        continue;
                    }
                }
            }
            count += 1;
            at = next;
        };
        let end = at + 2 * usize::from(ended);
        if end > filled || count + self.dropped > limits.fields {
            self.dropped = 0;
            self.special.clear();
            return Ok(None);
        }
        self.lines.set_len(count);
        self.at = place(at);
        self.stage = Stage::Fields;
        // Only now, for the loop to be small; nothing was decided behind it.
        self.special.check_host(&buf[..filled])?;
        if ended {
            self.finish(&buf[..filled])
        } else {
            Ok(None)
        }
    }

    /// As [`Self::lines_of`], for what is not read there at one go.
    #[inline(never)]
    fn other_lines<const BLOCKS: bool>(
        &mut self,
        buf: &mut [u8],
        filled: usize,
        limits: &HeadLimits,
    ) -> Result<Option<usize>, HeadError> {
        if self.stage == Stage::RequestLine {
            match self.request_line(buf, filled, limits)? {
                Step::Next(at) => self.at = place(at),
                Step::Incomplete => return Ok(None),
            }
            self.stage = Stage::Fields;
        }
        loop {
            if BLOCKS && self.usual_line(buf, filled, limits)? {
                continue;
            }
            let at = self.at as usize;
            match buf[..filled].get(at..).unwrap_or_default() {
                [] | [b'\r'] => return Ok(None),
                [b'\r', b'\n', ..] => return self.finish(&buf[..filled]),
                [b'\r', ..] => return Err(HeadError::BareCarriageReturn),
                _ => match self.field_line(buf, filled, at, limits)? {
                    Step::Next(next) => self.at = place(next),
                    Step::Incomplete => return Ok(None),
                },
            }
        }
    }

    /// Reads one field line as most are; false, with nothing read, if it is another.
    fn usual_line(
        &mut self,
        buf: &mut [u8],
        filled: usize,
        limits: &HeadLimits,
    ) -> Result<bool, HeadError> {
        let at = self.at as usize;
        let fits = self.lines.len() + self.dropped < limits.fields;
        if !fits || limits.field_line < scan::WINDOW {
            return Ok(false);
        }
        let Some(line) = scan::field_line(buf, at, limits.field_line) else {
            return Ok(false);
        };
        if line.next > filled {
            return Ok(false);
        }
        let (name, value) = spans(at, &line);
        let id = line.id;
        self.keep(&buf[..filled], Line { name, value, id })?;
        self.at = place(line.next);
        Ok(true)
    }

    /// `method SP target SP version CRLF`, behind the empty lines that are tolerated.
    #[inline(never)]
    fn request_line(
        &mut self,
        buf: &mut [u8],
        filled: usize,
        limits: &HeadLimits,
    ) -> Result<Step, HeadError> {
        if matches!(buf[..filled].get(self.at as usize), Some(b'\r' | b'\n')) {
            self.empty_lines(&buf[..filled])?;
        }
        let start = self.at as usize;
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
            match bytes.get(self.at as usize..).unwrap_or_default() {
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
    #[inline(never)]
    fn field_line(
        &mut self,
        buf: &mut [u8],
        filled: usize,
        at: usize,
        limits: &HeadLimits,
    ) -> Result<Step, HeadError> {
        let limit = limits.field_line;
        if self.lines.len() + self.dropped >= limits.fields {
            return Err(HeadError::TooManyFields);
        }
        let bytes = &mut buf[..filled];
        let Some((name_end, from)) = field_name(bytes, at, limit)? else {
            return Ok(Step::Incomplete);
        };
        let line_end = scan::value_end(bytes, from);
        let next = line_end + 2;
        if next > filled || bytes[line_end..next] != *b"\r\n" {
            return unfinished(bytes, at, line_end, limit, LinePart::Value);
        }
        if line_end - at > limit {
            return Err(HeadError::FieldLineTooLong);
        }
        let mut end = line_end;
        while end > from && is_blank(bytes[end - 1]) {
            end -= 1;
        }
        let line = Line {
            name: Span::new(at, name_end),
            value: Span::new(from, end),
            id: names::id_of(&bytes[at..name_end]),
        };
        self.keep(bytes, line)?;
        Ok(Step::Next(next))
    }

    /// Keeps a line for the application, unless it is only for the server.
    fn keep(&mut self, bytes: &[u8], line: Line) -> Result<(), HeadError> {
        let Line { id, value, .. } = line;
        match self.special.take(bytes, id, value, self.version)? {
            Some(value) => self.lines.push(Line { value, ..line }),
            None => self.dropped += 1,
        }
        Ok(())
    }

    /// What only the whole head can tell, at the empty line: the head's length.
    #[inline(always)]
    fn finish(&mut self, bytes: &[u8]) -> Result<Option<usize>, HeadError> {
        if self.special.host().is_none() || !self.target.authority.is_empty() {
            self.settle_host(bytes)?;
        }
        if self.special.nominates() {
            self.remove_nominated(bytes);
        }
        self.stage = Stage::Done;
        Ok(Some(self.at as usize + 2))
    }

    #[cold]
    fn remove_nominated(&mut self, bytes: &[u8]) {
        let special = &self.special;
        self.lines.retain(|line| !special.nominated(bytes, line));
    }

    /// Host where the target has an authority, or where there is no Host (RFC 9112 §3.2).
    #[cold]
    fn settle_host(&mut self, bytes: &[u8]) -> Result<(), HeadError> {
        // Bytes behind it are the tunnel's, or a body's: each peer would choose (RFC 9110 §9.3.6).
        if self.target.form == Form::Authority && self.has_body() {
            return Err(HeadError::ConnectWithBody);
        }
        let authority = self.target.authority;
        match self.special.host() {
            Some(host) if host.of(bytes) == authority.of(bytes) => Ok(()),
            // Both mean the same, and the target's word for it counts (RFC 9112 §3.2.2).
            Some(host) => {
                self.target.check_host(bytes, host)?;
                let lines = self.lines.slots(self.lines.len());
                if let Some(line) = lines.iter_mut().find(|line| line.id == HOST) {
                    line.value = authority;
                }
                Ok(())
            }
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

/// The name and the value of a line at `at`.
#[inline(always)]
fn spans(at: usize, line: &FieldLine) -> (Span, Span) {
    let at = place(at);
    let from = at + line.name_length + FieldLine::GAP;
    let value = Span::at(from, place(line.next) - FieldLine::END - from);
    (Span::at(at, line.name_length), value)
}

/// A place in a head as it is held; no head is longer than its limit, a `u32`.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a head's limit is a u32")]
fn place(at: usize) -> u32 {
    at as u32
}

const HOST: u16 = names::id("host");
