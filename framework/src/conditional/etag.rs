//! Entity tags (RFC 9110 section 8.8.3).

use std::fmt;

/// An entity tag: an opaque mark of one state of a representation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ETag {
    opaque: String,
    weak: bool,
}

/// The text is no entity tag.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no entity tag: expected visible characters other than `\"`")]
pub struct BadETag(String);

impl ETag {
    /// A strong tag: equal tags mean equal bytes.
    ///
    /// # Errors
    ///
    /// `opaque` has a quote, a blank or a control character in it.
    pub fn strong(opaque: impl Into<String>) -> Result<Self, BadETag> {
        let opaque = opaque.into();
        match opaque.bytes().all(allowed) {
            true => Ok(Self {
                opaque,
                weak: false,
            }),
            false => Err(BadETag(opaque)),
        }
    }

    /// A weak tag: equal tags mean the same for a reader, not byte for byte.
    ///
    /// # Errors
    ///
    /// As for [`strong`](Self::strong).
    pub fn weak(opaque: impl Into<String>) -> Result<Self, BadETag> {
        Self::strong(opaque).map(|tag| Self { weak: true, ..tag })
    }

    /// The tag that a field's value holds: `"..."` or `W/"..."`.
    ///
    /// # Errors
    ///
    /// The value is anything else.
    pub fn parse(value: &[u8]) -> Result<Self, BadETag> {
        match one(value) {
            Some((tag, [])) => Ok(tag),
            _ => Err(BadETag(value.escape_ascii().to_string())),
        }
    }

    /// The mark itself, without quotes.
    pub fn opaque(&self) -> &str {
        &self.opaque
    }

    /// Whether it is a weak tag.
    pub fn is_weak(&self) -> bool {
        self.weak
    }

    /// Equal, and both strong.
    pub fn strong_eq(&self, other: &Self) -> bool {
        !self.weak && !other.weak && self.opaque == other.opaque
    }

    /// Equal, be they weak or strong.
    pub fn weak_eq(&self, other: &Self) -> bool {
        self.opaque == other.opaque
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weak = if self.weak { WEAK } else { "" };
        write!(f, "{weak}\"{}\"", self.opaque)
    }
}

/// The tags of a list, up to the first thing that is none.
pub(super) fn list(value: &[u8]) -> impl Iterator<Item = ETag> {
    let mut rest = value;
    std::iter::from_fn(move || {
        let separator = |byte: &&u8| matches!(**byte, b' ' | b'\t' | b',');
        let skipped = rest.iter().take_while(separator).count();
        rest = &rest[skipped..];
        let (tag, behind) = one(rest)?;
        rest = behind;
        Some(tag)
    })
}

/// The tag that `text` begins with, and what stands behind it.
fn one(text: &[u8]) -> Option<(ETag, &[u8])> {
    let (weak, quoted) = match text.strip_prefix(WEAK.as_bytes()) {
        Some(quoted) => (true, quoted),
        None => (false, text),
    };
    let opaque = quoted.strip_prefix(b"\"")?;
    let end = opaque.iter().position(|byte| *byte == b'"')?;
    let tag = ETag::strong(std::str::from_utf8(&opaque[..end]).ok()?).ok()?;
    Some((ETag { weak, ..tag }, &opaque[end + 1..]))
}

/// `etagc`: visible characters except the quote, and everything above ASCII.
fn allowed(byte: u8) -> bool {
    byte == b'!' || byte > b'"' && byte != 0x7f
}

const WEAK: &str = "W/";
