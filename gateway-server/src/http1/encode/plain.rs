//! A response as most are: 200 with its whole body, on a connection that stays.

use gateway_spec::abi::Field;

use super::DateLine;
use super::field::usual_line;
use super::head::{Noted, TAIL, put};
use super::kind;
use super::number::decimal;
use super::outgoing::{Outgoing, PAGE, Page, copy};

/// Appends the response, the body with it, as [`response_head`](super::response_head) would write it
/// for a client of HTTP/1.1 that asked for the body; false, with `out` as before, if the fields decide
/// about more than themselves, or are not to be sent.
#[must_use]
#[inline(always)]
pub fn plain_response(
    out: &mut Outgoing,
    fields: &[Field<'_>],
    body: &[u8],
    date: &DateLine,
) -> bool {
    let Some(mut at) = write_beginning(out, fields) else {
        return false;
    };
    if at > PAGE - TAIL {
        out.advance(at);
        at = 0;
    }
    let written = write_rest(out.page(), at, body, date);
    keep(out, written);
    true
}

/// As [`plain_response`], with what [`Lasting`](super::Lasting) knows of the fields.
#[inline(always)]
pub fn begun_response(out: &mut Outgoing, beginning: &[u8], body: &[u8], date: &DateLine) {
    let mut at = beginning.len();
    if at > PAGE - TAIL {
        out.extend_from_slice(beginning);
        at = 0;
    }
    let page = out.page();
    copy(&mut page[..at], &beginning[..at]);
    let written = write_rest(page, at, body, date);
    keep(out, written);
}

/// What a response with these fields begins with; `None` if they decide about more than themselves, or
/// are not to be sent.
pub(super) fn beginning(fields: &[Field<'_>]) -> Option<Box<[u8]>> {
    let mut out = Outgoing::default();
    let at = write_beginning(&mut out, fields)?;
    out.advance(at);
    Some((&*out).into())
}

/// Writes the status and the fields, the last of them into the page: how much of that is used. `None`,
/// with `out` as before, as for [`beginning`].
#[inline(always)]
fn write_beginning(out: &mut Outgoing, fields: &[Field<'_>]) -> Option<usize> {
    let start = out.len();
    let mut page = out.page();
    let mut at = put(page, 0, b"HTTP/1.1 200 OK");
    for field in fields {
        let id = field.name_id();
        if kind::of(id) == kind::COMMON
            && let Some(end) = usual_line(page, at, id, field.value())
        {
            at = end;
            continue;
        }
        out.advance(at);
        let mut noted = Noted::default();
        if noted.write(out, field).is_err() || !noted.is_empty() {
            out.truncate(start);
            return None;
        }
        page = out.page();
        at = 0;
    }
    Some(at)
}

/// Writes what stands behind the fields at `at` of the page, where there must be room for it, and the body, if there
/// is room for that: how much of the page is used, and the body that is not written.
#[inline(always)]
fn write_rest<'b>(
    page: &mut Page,
    mut at: usize,
    body: &'b [u8],
    date: &DateLine,
) -> (usize, &'b [u8]) {
    at = put(page, at, b"\r\ncontent-length: ");
    at = decimal(page, at, body.len() as u64);
    at = put(page, at, &date.line());
    match page.get_mut(at..at + body.len()) {
        Some(room) => {
            copy(room, body);
            (at + body.len(), &[])
        }
        None => (at, body),
    }
}

/// Keeps what was written of the page, and what is left of the body.
#[inline(always)]
fn keep(out: &mut Outgoing, (used, left): (usize, &[u8])) {
    out.advance(used);
    if !left.is_empty() {
        out.extend_from_slice(left);
    }
}

#[cfg(test)]
mod tests {
    use gateway_spec::abi::{method, names};

    use super::super::{Framing, Length, Recipient, ResponseHead, response_head};
    use super::*;
    use crate::http1::Version;
    use crate::http1::encode::BodyFraming;

    const BEFORE: &[u8] = b"what stood there";
    const DATE: &[u8; 29] = b"Mon, 07 Dec 1998 01:02:03 GMT";

    /// Both ways: the general one's output, or `None` for an error, and whether the short one wrote.
    fn both(fields: &[Field<'_>], body: &[u8]) -> (Option<Vec<u8>>, bool, Vec<u8>) {
        let date = DateLine::new(DATE);
        let head = ResponseHead {
            status: 200,
            fields,
            length: Length::Actual(body.len() as u64),
            upgrade: None,
            date: Some(&date),
        };
        let to = Recipient {
            version: Version::Http11,
            method_id: method::GET,
            keep_alive: true,
        };
        let mut out = Outgoing::default();
        out.extend_from_slice(BEFORE);
        let (mut plain, mut general) = (out.clone(), out);
        let framing = Framing {
            body: BodyFraming::Sized(body.len() as u64),
            keep_alive: true,
        };
        let general = response_head(&mut general, &head, &to).ok().map(|chosen| {
            assert_eq!(chosen, framing);
            general.extend_from_slice(body);
            general.to_vec()
        });
        let written = plain_response(&mut plain, fields, body, &date);
        let mut begun = Outgoing::default();
        begun.extend_from_slice(BEFORE);
        if let Some(beginning) = beginning(fields) {
            begun_response(&mut begun, &beginning, body, &date);
        }
        assert_eq!(begun.to_vec(), plain.to_vec());
        (general, written, plain.to_vec())
    }

    #[test]
    fn it_writes_what_the_general_way_writes() {
        let content_type = names::id("content-type");
        let long = "x".repeat(PAGE);
        let values = [
            "",
            "1",
            "text/css",
            "application/json",
            "text/html; charset=utf-8",
            "a value that is longer than thirty-two bytes",
            &long[..PAGE - 200],
            &long,
        ];
        for value in values {
            let value = value.as_bytes();
            let usual = Field::new(content_type, b"content-type", value);
            let other = Field::new(0, b"x-other", value);
            for fields in [&[][..], &[usual], &[other, usual], &[usual; 30]] {
                for length in [0, 1, 8, 13, 32, 500, PAGE, 5000] {
                    let body = vec![b'.'; length];
                    let (general, written, plain) = both(fields, &body);
                    assert!(written);
                    assert_eq!(Some(plain), general);
                }
            }
        }
    }

    #[test]
    fn what_decides_about_the_head_or_is_refused_is_left_to_the_general_way() {
        let usual = Field::new(0, b"server", b"an application");
        let others = [
            Field::new(0, b"content-length", b"2"),
            Field::new(0, b"date", DATE),
            Field::new(0, b"connection", b"close"),
            Field::new(0, b"transfer-encoding", b"chunked"),
            Field::new(0, b"no name", b"value"),
            Field::new(0, b"x-split", b"a\r\nb: c"),
            Field::new(names::id("etag"), b"etag", b"a value with\nits end"),
        ];
        for other in others {
            let (_, written, plain) = both(&[usual, other], b"ok");
            assert!(!written, "{other:?}");
            assert_eq!(plain, BEFORE, "{other:?}");
        }
    }
}
