//! The parts of a request head that its rooms share.

/// A part of the buffer that was parsed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    start: u32,
    length: u32,
}

/// Protocol version of a request; others are refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    #[default]
    Http11,
}

/// How the end of a request body is found (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// There is no body.
    None,
    /// So many bytes, possibly none: Content-Length says so.
    Length(u64),
    /// Chunk by chunk.
    Chunked,
}

impl BodyLength {
    /// How many bytes the client has announced, if there is a body and it has.
    pub fn announced(self) -> Option<u64> {
        match self {
            Self::Length(length) => Some(length),
            Self::None | Self::Chunked => None,
        }
    }
}

/// A field line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Line {
    /// Empty in a Host that was made from the target: the name is the table's.
    pub(super) name: Span,
    pub(super) value: Span,
    pub(super) id: u16,
}

impl Span {
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "a head's limit is a u32")]
    pub(in crate::http1) fn new(start: usize, end: usize) -> Self {
        Self {
            start: start as u32,
            length: (end - start) as u32,
        }
    }

    #[inline]
    pub(super) fn at(start: u32, length: u32) -> Self {
        Self { start, length }
    }

    /// The bytes.
    ///
    /// # Panics
    ///
    /// If `buf` ends before the span: it is not the buffer that was parsed.
    #[must_use]
    #[inline]
    pub fn of(self, buf: &[u8]) -> &[u8] {
        &buf[self.start()..self.end()]
    }

    #[inline]
    pub(super) fn start(self) -> usize {
        self.start as usize
    }

    #[inline]
    pub(super) fn end(self) -> usize {
        self.start as usize + self.length as usize
    }

    /// As [`Span::end`], as it is held.
    #[inline]
    pub(super) fn end_place(self) -> u32 {
        self.start + self.length
    }

    /// Whether it holds no byte.
    #[inline]
    pub(super) fn is_empty(self) -> bool {
        self.length == 0
    }
}
