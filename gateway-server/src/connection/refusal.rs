//! The server's own answers: a status, its reason, nothing else.

use gateway_spec::abi::{Field, names};

use super::answer::Given;
use crate::date::Date;
use crate::http1::{Length, Outgoing, Recipient, ResponseHead, encode};

/// Writes an answer with this status and these fields, none of which says what its content is.
pub(super) fn write_with(
    out: &mut Outgoing,
    status: u16,
    fields: &[Field<'_>],
    to: &Recipient,
    date: &Date,
) -> Given {
    let text = format!("{}\n", encode::reason(status));
    let fields = [&[content_type(b"text/plain")], fields].concat();
    write_content(out, status, &fields, text.as_bytes(), to, date)
}

/// Writes an answer with this status.
pub(super) fn write(out: &mut Outgoing, status: u16, to: &Recipient, date: &Date) -> Given {
    let text = format!("{}\n", encode::reason(status));
    let fields = [content_type(b"text/plain")];
    write_content(out, status, &fields, text.as_bytes(), to, date)
}

/// Writes that there is no room now; the request was not begun, so that it can be sent again.
pub(super) fn write_busy(out: &mut Outgoing, to: &Recipient, date: &Date) -> Given {
    let text = format!("{}\n", encode::reason(503));
    let fields = [content_type(b"text/plain"), retry_after()];
    write_content(out, 503, &fields, text.as_bytes(), to, date)
}

/// Writes where to go instead, for good, with the same method.
pub(super) fn write_redirect(
    out: &mut Outgoing,
    location: &[u8],
    to: &Recipient,
    date: &Date,
) -> Given {
    let text = format!("{}\n", encode::reason(308));
    let fields = [
        content_type(b"text/plain"),
        Field::new(names::id("location"), b"location", location),
    ];
    write_content(out, 308, &fields, text.as_bytes(), to, date)
}

/// Writes a page for a person, which no cache keeps.
pub(super) fn write_page(out: &mut Outgoing, page: &[u8], to: &Recipient, date: &Date) -> Given {
    let fields = [
        content_type(b"text/html; charset=utf-8"),
        Field::new(names::id("cache-control"), b"cache-control", b"no-store"),
        retry_after(),
    ];
    write_content(out, 503, &fields, page, to, date)
}

fn content_type(value: &[u8]) -> Field<'_> {
    Field::new(names::id("content-type"), b"content-type", value)
}

/// A second.
fn retry_after() -> Field<'static> {
    Field::new(names::id("retry-after"), b"retry-after", b"1")
}

fn write_content(
    out: &mut Outgoing,
    status: u16,
    fields: &[Field<'_>],
    text: &[u8],
    to: &Recipient,
    date: &Date,
) -> Given {
    let head = ResponseHead {
        status,
        fields,
        length: Length::Actual(text.len() as u64),
        upgrade: None,
        date: Some(date.line()),
    };
    let framing = encode::response_head(out, &head, to)
        .expect("a registered status and fields of our own make a head");
    let mut sent = 0;
    if matches!(framing.body, crate::http1::BodyFraming::Sized(_)) {
        out.extend_from_slice(text);
        sent = text.len() as u64;
    }
    Given {
        status,
        keep_alive: framing.keep_alive,
        framing: framing.body,
        rest: None,
        sent,
    }
}
