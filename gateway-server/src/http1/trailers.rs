//! [`Trailers`]: the fields behind a chunked request body.

use gateway_spec::abi::{Field, names};

use super::error::BodyError;
use super::head::Span;
use super::scan;
use crate::limits::BodyLimits;

/// A trailer section. Its bytes are copied, for they outlive the read buffer.
#[derive(Debug, Default)]
pub(super) struct Trailers {
    bytes: Vec<u8>,
    /// Where the line begins that is not complete.
    line: usize,
    /// Lines, dropped ones included.
    count: usize,
    fields: Vec<Kept>,
}

#[derive(Debug)]
struct Kept {
    name: Span,
    value: Span,
    id: u16,
}

impl Trailers {
    /// Takes bytes up to the empty line that ends the section: how many, if it is among them.
    ///
    /// # Errors
    ///
    /// [`BodyError::TrailerSyntax`] or [`BodyError::TrailersTooLarge`], whichever byte comes first.
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        limits: &BodyLimits,
    ) -> Result<Option<usize>, BodyError> {
        for (i, &byte) in bytes.iter().enumerate() {
            if self.bytes.len() >= limits.trailers as usize {
                return Err(BodyError::TrailersTooLarge);
            }
            let behind_cr = self.bytes.len() > self.line && self.bytes.last() == Some(&b'\r');
            // CR and LF stand together, and a line holds no other control characters.
            let fits = match byte {
                b'\n' => behind_cr,
                b'\r' => !behind_cr,
                _ => !behind_cr && scan::is(byte, scan::VALUE),
            };
            if !fits {
                return Err(BodyError::TrailerSyntax);
            }
            self.bytes.push(byte);
            if byte == b'\n' {
                let end = self.bytes.len() - 2;
                if end == self.line {
                    return Ok(Some(i + 1));
                }
                self.line(end, limits)?;
                self.line = self.bytes.len();
            }
        }
        Ok(None)
    }

    pub(super) fn fields(&self) -> impl ExactSizeIterator<Item = Field<'_>> {
        self.fields.iter().map(|kept| {
            Field::new(
                kept.id,
                kept.name.of(&self.bytes),
                kept.value.of(&self.bytes),
            )
        })
    }

    /// The same grammar as in a head: `name ":" OWS value OWS`.
    fn line(&mut self, end: usize, limits: &BodyLimits) -> Result<(), BodyError> {
        let colon = scan::lower_token(&mut self.bytes, self.line);
        if colon == self.line || self.bytes[colon] != b':' {
            return Err(BodyError::TrailerSyntax);
        }
        if self.count == limits.trailer_fields {
            return Err(BodyError::TrailersTooLarge);
        }
        self.count += 1;
        let value = &self.bytes[colon + 1..end];
        let start = end - value.trim_ascii_start().len();
        let value = Span::new(start, start + value.trim_ascii().len());
        let id = names::id_of(&self.bytes[self.line..colon]);
        if !is_forbidden(id) {
            self.fields.push(Kept {
                name: Span::new(self.line, colon),
                value,
                id,
            });
        }
        Ok(())
    }
}

/// Whether a field with this lower-case name must not be a trailer.
pub(crate) fn is_forbidden_trailer(name: &[u8]) -> bool {
    is_forbidden(names::id_of(name))
}

/// Whether a field must not be a trailer.
pub(super) fn is_forbidden(id: u16) -> bool {
    FORBIDDEN.contains(&id)
}

/// Fields that must not be taken from a trailer section, for they belong to framing, routing,
/// authentication, controls, or say how to read the content (RFC 9110 §6.5.1): dropped.
const FORBIDDEN: &[u16] = &[
    names::id("host"),
    names::id("connection"),
    names::id("content-length"),
    names::id("transfer-encoding"),
    names::id("content-type"),
    names::id("content-encoding"),
    names::id("content-range"),
    names::id("content-language"),
    names::id("cookie"),
    names::id("set-cookie"),
    names::id("expect"),
    names::id("upgrade"),
    names::id("keep-alive"),
    names::id("proxy-connection"),
    names::id("te"),
    names::id("trailer"),
    names::id("cache-control"),
    names::id("pragma"),
    names::id("range"),
    names::id("if-match"),
    names::id("if-none-match"),
    names::id("if-modified-since"),
    names::id("if-unmodified-since"),
    names::id("if-range"),
    names::id("authorization"),
    names::id("proxy-authorization"),
    names::id("www-authenticate"),
    names::id("proxy-authenticate"),
    names::id("origin"),
    names::id("referer"),
    names::id("forwarded"),
    names::id("x-forwarded-for"),
    names::id("x-forwarded-proto"),
    names::id("x-forwarded-host"),
    names::id("x-forwarded-port"),
    names::id("x-forwarded-prefix"),
    names::id("x-real-ip"),
    names::id("x-request-id"),
    names::id("via"),
];
