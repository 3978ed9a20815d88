//! Informational responses, and the one that ends HTTP: 101 (RFC 9110 §15.2).

use gateway_spec::abi::{Field, method};

use super::field::{CONTENT_LENGTH, DATE, known_id, write_line};
use super::kind;
use super::outgoing::Outgoing;
use super::status::write_status;
use super::{END, Recipient, ResponseHead};
use crate::http1::error::EncodeError;
use crate::http1::head::Version;
use crate::http1::head::special::is_protocol;

/// The interim response that asks for the body (RFC 9110 §15.2.1).
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Appends an informational response, which precedes the final one.
///
/// 100 and 101 are the server's own ([`CONTINUE`], [`ResponseHead::upgrade`]). HTTP/1.0 clients
/// must not be sent any.
///
/// # Errors
///
/// An [`EncodeError`] if it is not to be sent; `out` is as before.
pub fn informational(
    out: &mut Outgoing,
    status: u16,
    fields: &[Field<'_>],
) -> Result<(), EncodeError> {
    if !(102..=199).contains(&status) {
        return Err(EncodeError::InformationalStatus(status));
    }
    let start = out.len();
    write_status(out, status);
    for field in fields {
        let written = match known_id(field) {
            CONTENT_LENGTH => Err(EncodeError::ReservedField),
            id if kind::of(id) == kind::OF_THE_HOP => Err(EncodeError::ReservedField),
            id => write_line(out, field, id),
        };
        if let Err(error) = written {
            out.truncate(start);
            return Err(error);
        }
    }
    out.extend_from_slice(END);
    Ok(())
}

/// Appends the head that switches to `protocol`; after an error more may stand there than before.
#[cold]
pub(super) fn write_upgrade(
    out: &mut Outgoing,
    head: ResponseHead<'_>,
    to: &Recipient,
    protocol: &[u8],
) -> Result<(), EncodeError> {
    if !matches!(head.status, 101 | 200) {
        return Err(EncodeError::UpgradeStatus(head.status));
    }
    if to.version == Version::Http10 {
        return Err(EncodeError::UpgradeInHttp10);
    }
    if !is_protocol(protocol) {
        return Err(EncodeError::Protocol);
    }
    if to.method_id == method::CONNECT {
        write_status(out, 200);
    } else {
        write_status(out, 101);
        out.extend_from_slice(b"\r\nconnection: upgrade\r\nupgrade: ");
        out.extend_from_slice(protocol);
    }
    let mut has_date = false;
    for field in head.fields {
        let id = known_id(field);
        if matches!(kind::of(id), kind::LENGTH | kind::OF_THE_HOP) {
            return Err(EncodeError::ReservedField);
        }
        has_date |= id == DATE;
        write_line(out, field, id)?;
    }
    match head.date {
        Some(date) if !has_date => out.extend_from_slice(&date.line()),
        _ => out.extend_from_slice(END),
    }
    Ok(())
}
