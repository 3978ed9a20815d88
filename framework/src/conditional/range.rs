//! The Range field (RFC 9110 section 14): one range of bytes.

use std::fmt;

/// Bytes `start..=last` of a representation of `length` bytes. Displayed as Content-Range has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    start: u64,
    last: u64,
    length: u64,
}

/// What is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ranged {
    /// The whole, with 200.
    Whole,
    /// A part, with 206.
    Part(ByteRange),
    /// Nothing of what is asked for exists: 416 with `Content-Range: bytes */LENGTH`.
    Unsatisfiable,
}

impl ByteRange {
    /// Reads `bytes=START-LAST`, `bytes=START-` or `bytes=-SUFFIX`.
    pub(super) fn parse(field: &[u8], length: u64) -> Ranged {
        let Some((first, last)) = bounds(field) else {
            return Ranged::Whole;
        };
        let (start, last) = match (first, last) {
            (Some(start), Some(last)) if start > last => return Ranged::Whole,
            (Some(start), last) => (start, last.unwrap_or(u64::MAX)),
            (None, Some(suffix)) => match suffix {
                0 => return Ranged::Unsatisfiable,
                _ => (length.saturating_sub(suffix), u64::MAX),
            },
            (None, None) => return Ranged::Whole,
        };
        match start < length {
            true => Ranged::Part(Self {
                start,
                last: last.min(length - 1),
                length,
            }),
            false => Ranged::Unsatisfiable,
        }
    }

    /// Offset of the first byte.
    pub fn start(self) -> u64 {
        self.start
    }

    /// Number of bytes; at least 1.
    pub fn count(self) -> u64 {
        self.last - self.start + 1
    }
}

impl fmt::Display for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bytes {}-{}/{}", self.start, self.last, self.length)
    }
}

/// What stands on either side of the hyphen. None if the field is not one range of bytes.
fn bounds(field: &[u8]) -> Option<(Option<u64>, Option<u64>)> {
    let text = std::str::from_utf8(field).ok()?;
    let (unit, set) = text.split_once('=')?;
    let (first, last) = set.split_once('-')?;
    let bytes = unit.trim().eq_ignore_ascii_case("bytes");
    bytes.then_some(())?;
    Some((bound(first.trim())?, bound(last.trim())?))
}

/// Digits, or nothing at all; more than 64 bits are as far as one can go.
fn bound(digits: &str) -> Option<Option<u64>> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((!digits.is_empty()).then(|| digits.parse().unwrap_or(u64::MAX)))
}
