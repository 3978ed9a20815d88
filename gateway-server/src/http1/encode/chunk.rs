//! The framing of a chunked body (RFC 9112 §7.1).

use gateway_spec::abi::Field;

use super::END;
use super::field::{known_id, write_line};
use super::outgoing::Outgoing;
use crate::http1::error::EncodeError;
use crate::http1::trailers;

/// Stands behind the data of every chunk.
pub const CHUNK_END: &[u8] = b"\r\n";

/// Ends a chunked body without trailers.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Appends the line that begins a chunk of `length` bytes. A length of 0 would end the body: then
/// nothing is written.
pub fn chunk_head(out: &mut Outgoing, length: u64) {
    if length == 0 {
        return;
    }
    let page = out.page();
    let mut at = 0;
    let first = length.leading_zeros() / 4;
    for digit in first..16 {
        let nibble = length >> (60 - 4 * digit) & 0xF;
        page[at] = b"0123456789abcdef"[nibble as usize];
        at += 1;
    }
    page[at..at + 2].copy_from_slice(b"\r\n");
    out.advance(at + 2);
}

/// Appends the last chunk of a body with trailers.
///
/// # Errors
///
/// An [`EncodeError`] if a field is not to be sent as trailer; `out` is as before.
pub fn trailer_section(out: &mut Outgoing, fields: &[Field<'_>]) -> Result<(), EncodeError> {
    let start = out.len();
    out.extend_from_slice(b"0");
    for field in fields {
        let id = known_id(field);
        let written = if trailers::is_forbidden(id) {
            Err(EncodeError::ReservedField)
        } else {
            write_line(out, field, id)
        };
        if let Err(error) = written {
            out.truncate(start);
            return Err(error);
        }
    }
    out.extend_from_slice(END);
    Ok(())
}
