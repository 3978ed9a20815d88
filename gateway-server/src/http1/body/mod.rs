//! [`BodyDecoder`]: where a request body's data is in the bytes that arrive, and where it ends.

use std::ops::Range;

use gateway_spec::abi::Field;

use super::error::BodyError;
use super::head::BodyLength;
use super::trailers::Trailers;
use crate::limits::BodyLimits;

/// Takes the framing off a request body (RFC 9112 §6, §7.1), byte by byte in order.
///
/// It keeps no body data: [`BodyDecoder::decode`] says where in the caller's buffer it is.
#[derive(Debug)]
pub struct BodyDecoder {
    state: State,
    /// Bytes left of the body, or of the current chunk; while a size is read, that size so far.
    left: u64,
    /// Data bytes that may still come in chunks to be.
    allowance: u64,
    /// Bytes of the line that begins the current chunk.
    line: u32,
    /// Bytes of extensions in the whole body.
    extensions: u32,
    limits: BodyLimits,
    /// Made for the first byte of a trailer section.
    trailers: Option<Box<Trailers>>,
}

/// What [`BodyDecoder::decode`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// Framing only: `consumed` bytes are done with, and the rest of the body is yet to arrive.
    /// `consumed` is all that was given.
    NeedMore {
        /// Bytes to be removed from the front of the buffer.
        consumed: usize,
    },
    /// The body continues with the bytes in `range`, which is not empty.
    Data {
        /// Where the data is in the buffer.
        range: Range<usize>,
        /// Bytes to be removed from the front of the buffer once the data is taken: the end of
        /// `range`.
        consumed: usize,
    },
    /// The body, with its trailers, ended; what follows belongs to the next request.
    End {
        /// Bytes to be removed from the front of the buffer.
        consumed: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Sized,
    /// Before or in the size of a chunk; how many digits of it are read.
    Size(u8),
    Extension(Extension),
    /// LF is due.
    SizeLine,
    Data,
    /// CR is due, then LF.
    DataEnd,
    DataEndLine,
    Trailers,
    Ended,
}

/// Where in `";" name [ "=" ( token / quoted-string ) ]` the decoder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extension {
    /// The first byte of a name is due.
    NameStart,
    Name,
    /// The first byte of a value is due.
    ValueStart,
    Token,
    Quoted,
    QuotedPair,
    /// Behind a quoted string.
    Done,
}

impl BodyDecoder {
    /// For the body that a head announces.
    ///
    /// # Errors
    ///
    /// [`BodyError::TooLarge`] if the announced length is above the limit.
    pub fn new(length: BodyLength, limits: &BodyLimits) -> Result<Self, BodyError> {
        match length {
            BodyLength::None => Ok(Self::none()),
            BodyLength::Length(length) if length > limits.body => Err(BodyError::TooLarge),
            BodyLength::Length(length) => Ok(Self::length(length)),
            BodyLength::Chunked => Ok(Self::chunked(limits)),
        }
    }

    /// For no body: it has ended.
    #[must_use]
    pub fn none() -> Self {
        Self::length(0)
    }

    /// For a body of so many bytes.
    #[must_use]
    pub fn length(length: u64) -> Self {
        Self {
            state: if length == 0 {
                State::Ended
            } else {
                State::Sized
            },
            left: length,
            allowance: 0,
            line: 0,
            extensions: 0,
            limits: BodyLimits::default(),
            trailers: None,
        }
    }

    /// For a body in chunks.
    #[must_use]
    pub fn chunked(limits: &BodyLimits) -> Self {
        Self {
            state: State::Size(0),
            left: 0,
            allowance: limits.body,
            line: 0,
            extensions: 0,
            limits: *limits,
            trailers: None,
        }
    }

    /// Looks at bytes that were not consumed before.
    ///
    /// Call again with what is left of the buffer, until it says that it needs more or that the
    /// body ended. No data beyond the limit is ever found: a chunk that would exceed it is refused
    /// as soon as its size is known.
    ///
    /// # Errors
    ///
    /// A [`BodyError`], decided by the first byte that makes the body unacceptable.
    #[inline]
    pub fn decode(&mut self, buf: &[u8]) -> Result<Decoded, BodyError> {
        match self.state {
            State::Ended => Ok(Decoded::End { consumed: 0 }),
            State::Sized => Ok(self.data(buf, 0, State::Ended)),
            State::Data => Ok(self.data(buf, 0, State::DataEnd)),
            _ => self.framing(buf),
        }
    }

    /// Whether the body is complete.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// The verdict when the peer sends no more.
    ///
    /// # Errors
    ///
    /// [`BodyError::Truncated`] if the body is incomplete.
    pub fn end_of_input(&self) -> Result<(), BodyError> {
        if self.is_ended() {
            Ok(())
        } else {
            Err(BodyError::Truncated)
        }
    }

    /// How many bytes of data are still to come, if the head said so.
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        matches!(self.state, State::Sized | State::Ended).then_some(self.left)
    }

    /// The trailer fields once the body has ended, names lower-case, without those that must not
    /// be sent as trailers (RFC 9110 §6.5.1).
    pub fn trailers(&self) -> impl Iterator<Item = Field<'_>> {
        self.trailers.iter().flat_map(|trailers| trailers.fields())
    }

    fn data(&mut self, buf: &[u8], from: usize, behind: State) -> Decoded {
        let there = buf.len() - from;
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(there);
        if length == 0 {
            return Decoded::NeedMore { consumed: from };
        }
        self.left -= length as u64;
        if self.left == 0 {
            self.state = behind;
        }
        Decoded::Data {
            range: from..from + length,
            consumed: from + length,
        }
    }

    fn framing(&mut self, buf: &[u8]) -> Result<Decoded, BodyError> {
        let mut at = 0;
        while let Some(&byte) = buf.get(at) {
            match self.state {
                State::Data => return Ok(self.data(buf, at, State::DataEnd)),
                State::Trailers => {
                    let trailers = self.trailers.get_or_insert_default();
                    if let Some(used) = trailers.take(&buf[at..], &self.limits)? {
                        self.state = State::Ended;
                        return Ok(Decoded::End {
                            consumed: at + used,
                        });
                    }
                    return Ok(Decoded::NeedMore {
                        consumed: buf.len(),
                    });
                }
                _ => self.step(byte)?,
            }
            at += 1;
        }
        Ok(Decoded::NeedMore { consumed: at })
    }

    /// One byte of what surrounds the chunks' data.
    fn step(&mut self, byte: u8) -> Result<(), BodyError> {
        match self.state {
            State::Size(digits) => return self.size(byte, digits),
            State::Extension(extension) => return self.extension(byte, extension),
            State::SizeLine if byte == b'\n' => return self.begin_chunk(),
            State::SizeLine => return Err(BodyError::ChunkExtension),
            State::DataEnd if byte == b'\r' => self.state = State::DataEndLine,
            State::DataEndLine if byte == b'\n' => self.state = State::Size(0),
            _ => return Err(BodyError::ChunkEnd),
        }
        Ok(())
    }

    /// `chunk-size = 1*HEXDIG`, of which we read 16 at most: no number of them overflows.
    fn size(&mut self, byte: u8, digits: u8) -> Result<(), BodyError> {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ if digits == 0 => return Err(BodyError::ChunkSize),
            b'\r' => {
                self.state = State::SizeLine;
                return Ok(());
            }
            b';' => {
                self.state = State::Extension(Extension::NameStart);
                return self.count_extension();
            }
            _ => return Err(BodyError::ChunkExtension),
        };
        if digits == 16 {
            return Err(BodyError::ChunkSize);
        }
        if digits == 0 {
            self.left = 0;
            self.line = 0;
        }
        self.left = self.left << 4 | u64::from(digit);
        self.line += 1;
        self.state = State::Size(digits + 1);
        Ok(())
    }

    /// RFC 9112 §7.1.1, without the whitespace that it tolerates and nobody sends: around it,
    /// implementations have differed about where the line ends.
    fn extension(&mut self, byte: u8, extension: Extension) -> Result<(), BodyError> {
        let is_token = super::scan::is(byte, super::scan::TOKEN);
        let next = match (extension, byte) {
            (Extension::NameStart | Extension::Name, _) if is_token => Extension::Name,
            (Extension::ValueStart | Extension::Token, _) if is_token => Extension::Token,
            (Extension::Name, b'=') => Extension::ValueStart,
            (Extension::ValueStart, b'"') => Extension::Quoted,
            (Extension::Quoted, b'"') => Extension::Done,
            (Extension::Quoted, b'\\') => Extension::QuotedPair,
            (Extension::Quoted | Extension::QuotedPair, _)
                if super::scan::is(byte, super::scan::VALUE) =>
            {
                Extension::Quoted
            }
            (Extension::Name | Extension::Token | Extension::Done, b';') => Extension::NameStart,
            (Extension::Name | Extension::Token | Extension::Done, b'\r') => {
                self.state = State::SizeLine;
                return Ok(());
            }
            _ => return Err(BodyError::ChunkExtension),
        };
        self.state = State::Extension(next);
        self.count_extension()
    }

    fn count_extension(&mut self) -> Result<(), BodyError> {
        self.line += 1;
        self.extensions += 1;
        if self.line > self.limits.chunk_line {
            Err(BodyError::ChunkLineTooLong)
        } else if self.extensions > self.limits.chunk_extensions {
            Err(BodyError::ChunkExtensionsTooLong)
        } else {
            Ok(())
        }
    }

    fn begin_chunk(&mut self) -> Result<(), BodyError> {
        if self.left == 0 {
            self.state = State::Trailers;
            return Ok(());
        }
        self.allowance = self
            .allowance
            .checked_sub(self.left)
            .ok_or(BodyError::TooLarge)?;
        self.state = State::Data;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
