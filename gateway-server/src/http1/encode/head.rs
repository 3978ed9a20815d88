//! The head of a final response.

use gateway_spec::abi::{Field, method};

use super::field::{known_id, usual_line, write_line};
use super::framing::{BodyFraming, Framing, framing};
use super::interim::write_upgrade;
use super::kind;
use super::number::decimal;
use super::outgoing::{Outgoing, PAGE, Page};
use super::status::write_status;
use super::{END, Recipient, ResponseHead};
use crate::http1::error::EncodeError;
use crate::http1::head::Version;
use crate::http1::head::special::content_length;

/// Appends a response head to `out`, and says how the body is to be written behind it.
///
/// # Errors
///
/// An [`EncodeError`] if the head is not to be sent; `out` is as before.
#[inline(always)]
pub fn response_head(
    out: &mut Outgoing,
    head: &ResponseHead<'_>,
    to: &Recipient,
) -> Result<Framing, EncodeError> {
    let start = out.len();
    let mut framing = Framing {
        body: BodyFraming::None,
        keep_alive: false,
    };
    match write_head(out, head, to, &mut framing) {
        Ok(()) => Ok(framing),
        Err(error) => {
            out.truncate(start);
            Err(error)
        }
    }
}

#[inline(always)]
fn write_head(
    out: &mut Outgoing,
    head: &ResponseHead<'_>,
    to: &Recipient,
    chosen: &mut Framing,
) -> Result<(), EncodeError> {
    if let Some(protocol) = head.upgrade {
        write_upgrade(out, *head, to, protocol)?;
        chosen.body = BodyFraming::Upgraded;
        return Ok(());
    }
    let is_connect = to.method_id == method::CONNECT;
    if !(200..=599).contains(&head.status) || is_connect && head.status < 300 {
        return Err(bad_status(head.status));
    }
    let mut page;
    let mut at;
    if head.status == 200 {
        page = out.page();
        at = put(page, 0, b"HTTP/1.1 200 OK");
    } else {
        write_status(out, head.status);
        page = out.page();
        at = 0;
    }
    let mut noted = Noted::default();
    for field in head.fields {
        let id = field.name_id();
        if kind::of(id) == kind::COMMON
            && let Some(end) = usual_line(page, at, id, field.value())
        {
            at = end;
            continue;
        }
        out.advance(at);
        noted.write(out, field)?;
        page = out.page();
        at = 0;
    }
    let (announced, body) = framing(head, to, noted.length)?;
    let keep_alive = to.keep_alive && body != BodyFraming::UntilClose;
    if at > PAGE - TAIL {
        out.advance(at);
        page = out.page();
        at = 0;
    }
    if let Some(length) = announced {
        at = put(page, at, b"\r\ncontent-length: ");
        at = decimal(page, at, length);
    } else if body == BodyFraming::Chunked {
        at = put(page, at, b"\r\ntransfer-encoding: chunked");
    }
    if !keep_alive {
        at = put(page, at, b"\r\nconnection: close");
    } else if to.version == Version::Http10 {
        at = put(page, at, b"\r\nconnection: keep-alive");
    }
    at = match head.date {
        Some(date) if !noted.date => put(page, at, &date.line()),
        _ => put(page, at, END),
    };
    out.advance(at);
    *chosen = Framing { body, keep_alive };
    Ok(())
}

/// What is wrong with the status of a head without an upgrade.
#[cold]
fn bad_status(status: u16) -> EncodeError {
    match status {
        200..=299 => EncodeError::NoTunnel(status),
        _ => EncodeError::Status(status),
    }
}

/// Writes a text of constant length: where it ends.
#[inline(always)]
pub(super) fn put<const N: usize>(page: &mut Page, at: usize, text: &[u8; N]) -> usize {
    page[at..at + N].copy_from_slice(text);
    at + N
}

/// What the application's fields have said.
#[derive(Default)]
pub(super) struct Noted {
    length: Option<u64>,
    date: bool,
}

impl Noted {
    /// Whether nothing was said that decides about the rest of the head.
    pub(super) fn is_empty(&self) -> bool {
        self.length.is_none() && !self.date
    }

    /// Appends a line that is not as most are, unless it is one of the server's.
    #[inline(never)]
    pub(super) fn write(
        &mut self,
        out: &mut Outgoing,
        field: &Field<'_>,
    ) -> Result<(), EncodeError> {
        let id = known_id(field);
        match kind::of(id) {
            kind::LENGTH => {
                let length = content_length(field.value()).ok_or(EncodeError::LengthSyntax)?;
                match self.length.replace(length) {
                    None => Ok(()),
                    Some(_) => Err(EncodeError::LengthSyntax),
                }
            }
            kind::OF_THE_HOP => Err(EncodeError::ReservedField),
            kind => {
                self.date |= kind == kind::DATE_OF_ITS_OWN;
                write_line(out, field, id)
            }
        }
    }
}

/// Bytes of the page that may be written behind the application's fields.
pub(super) const TAIL: usize = 160;
