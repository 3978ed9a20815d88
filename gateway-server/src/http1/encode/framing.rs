//! How a response goes on behind its head (RFC 9110 §8.6, RFC 9112 §6).

use gateway_spec::abi::method;

use super::{Recipient, ResponseHead};
use crate::http1::error::EncodeError;
use crate::http1::head::Version;

/// What is known about the length of a response body when its head is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// The application says so; for HEAD and 304 it is the length that GET or 200 would have.
    Declared(u64),
    /// The body is all there and so long.
    Actual(u64),
    /// Nothing.
    Unknown,
}

/// How the response goes on behind its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    /// How the body's bytes are written.
    pub body: BodyFraming,
    /// Whether the connection stays for another request.
    pub keep_alive: bool,
}

/// How the bytes of a response body are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFraming {
    /// None are, whatever the application sends: HEAD, 204, 205, 304.
    None,
    /// As they are, exactly so many.
    Sized(u64),
    /// Each run behind a [`chunk_head`](super::chunk_head) and before
    /// [`CHUNK_END`](super::CHUNK_END); in the end [`LAST_CHUNK`](super::LAST_CHUNK) or
    /// [`trailer_section`](super::trailer_section).
    Chunked,
    /// As they are; the connection's end is the body's.
    UntilClose,
    /// The connection is another protocol's from here on.
    Upgraded,
}

/// Which Content-Length is written, if any, and how the body follows; `field` is what the
/// application's own says.
#[inline(always)]
pub(super) fn framing(
    head: &ResponseHead<'_>,
    to: &Recipient,
    field: Option<u64>,
) -> Result<(Option<u64>, BodyFraming), EncodeError> {
    let bodiless = to.method_id == method::HEAD || matches!(head.status, 204 | 205 | 304);
    match (head.length, field) {
        (Length::Actual(length) | Length::Declared(length), None) if !bodiless => {
            Ok((Some(length), BodyFraming::Sized(length)))
        }
        _ => unusual(head.status, head.length, to, field, bodiless),
    }
}

/// As [`framing`], for a response that the application has framed itself, or that has no body, or
/// one of unknown length.
#[inline(never)]
fn unusual(
    status: u16,
    length: Length,
    to: &Recipient,
    field: Option<u64>,
    bodiless: bool,
) -> Result<(Option<u64>, BodyFraming), EncodeError> {
    let is_head = to.method_id == method::HEAD;
    let length = match (length, field) {
        (Length::Declared(length), Some(field)) if length != field => {
            return Err(EncodeError::LengthDisagrees);
        }
        (Length::Actual(length), Some(field)) if length != field && !bodiless => {
            return Err(EncodeError::LengthDisagrees);
        }
        (_, Some(field)) => Some(field),
        (Length::Declared(length), None) => Some(length),
        // What is there of a body that must not be sent may be less than what GET would send.
        (Length::Actual(length), None) => (!bodiless || is_head && length > 0).then_some(length),
        (Length::Unknown, None) => None,
    };
    Ok(match (status, length) {
        (204, _) => (None, BodyFraming::None),
        // RFC 9110 §15.3.6: it has no content and says so.
        (205, _) => (Some(0), BodyFraming::None),
        _ if bodiless => (length, BodyFraming::None),
        (_, Some(length)) => (Some(length), BodyFraming::Sized(length)),
        (_, None) if to.version == Version::Http10 => (None, BodyFraming::UntilClose),
        (_, None) => (None, BodyFraming::Chunked),
    })
}
