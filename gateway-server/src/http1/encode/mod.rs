//! Writes responses: heads, informational responses, chunks and trailers.
//!
//! Whatever an application hands in is checked before it is kept: after an error the output is as
//! it was, so no half of a head is ever sent and nobody splits a response.

mod status;

use gateway_spec::abi::{Field, method, names};

use super::error::EncodeError;
use super::head::special::{content_length, is_of_the_hop, is_protocol};
use super::head::{Head, Version};
use super::{scan, trailers};

pub use self::status::reason;

/// What an application answers, without the body.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead<'a> {
    /// 200 to 599, or 101 with an upgrade.
    pub status: u16,
    /// In the order in which they are written. A `content-length` is taken as declaration; Date is
    /// kept; fields of framing and of the hop are refused.
    pub fields: &'a [Field<'a>],
    /// The length of the body.
    pub length: Length,
    /// The protocol that the connection switches to: the answer is 101, or 200 to CONNECT.
    pub upgrade: Option<&'a [u8]>,
    /// Date, where the application sends none.
    pub date: Option<&'a DateLine>,
}

/// The Date field and the end of the head, ready to be copied.
#[derive(Clone, Copy, Debug)]
pub struct DateLine([u8; 41]);

impl DateLine {
    /// With the field's value, an IMF-fixdate (RFC 9110 §5.6.7).
    #[must_use]
    pub fn new(value: &[u8; 29]) -> Self {
        let mut line = *b"\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";
        line[8..37].copy_from_slice(value);
        Self(line)
    }

    #[cfg(test)]
    pub(crate) fn value(&self) -> &[u8] {
        &self.0[8..37]
    }
}

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

/// What matters of the request that is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The request's version.
    pub version: Version,
    /// The request's method, as in [`method`].
    pub method_id: u32,
    /// Whether client and server both want to keep the connection.
    pub keep_alive: bool,
}

impl Recipient {
    /// Who sent this head, keeping the connection if the client wants that.
    #[must_use]
    pub fn of(head: &Head) -> Self {
        Self {
            version: head.version(),
            method_id: head.method_id(),
            keep_alive: head.keep_alive(),
        }
    }
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
    /// Each run behind a [`chunk_head`] and before [`CHUNK_END`]; in the end [`LAST_CHUNK`] or
    /// [`trailer_section`].
    Chunked,
    /// As they are; the connection's end is the body's.
    UntilClose,
    /// The connection is another protocol's from here on.
    Upgraded,
}

/// The interim response that asks for the body (RFC 9110 §15.2.1).
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Stands behind the data of every chunk.
pub const CHUNK_END: &[u8] = b"\r\n";

/// Ends a chunked body without trailers.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Appends a response head to `out`, and says how the body is to be written behind it.
///
/// # Errors
///
/// An [`EncodeError`] if the head is not to be sent; `out` is as before.
#[inline]
pub fn response_head(
    out: &mut Vec<u8>,
    head: &ResponseHead<'_>,
    to: &Recipient,
) -> Result<Framing, EncodeError> {
    let start = out.len();
    let result = write_head(out, head, to);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// Appends an informational response, which precedes the final one.
///
/// 100 and 101 are the server's own ([`CONTINUE`], [`ResponseHead::upgrade`]). HTTP/1.0 clients
/// must not be sent any.
///
/// # Errors
///
/// An [`EncodeError`] if it is not to be sent; `out` is as before.
pub fn informational(
    out: &mut Vec<u8>,
    status: u16,
    fields: &[Field<'_>],
) -> Result<(), EncodeError> {
    if !(102..=199).contains(&status) {
        return Err(EncodeError::InformationalStatus(status));
    }
    let start = out.len();
    status_line(out, status);
    for field in fields {
        let written = match known_id(field) {
            CONTENT_LENGTH => Err(EncodeError::ReservedField),
            id if is_of_the_hop(id) => Err(EncodeError::ReservedField),
            id => write_field(out, field, id),
        };
        if let Err(error) = written {
            out.truncate(start);
            return Err(error);
        }
    }
    out.extend_from_slice(END);
    Ok(())
}

/// Appends the line that begins a chunk of `length` bytes. A length of 0 would end the body: then
/// nothing is written.
pub fn chunk_head(out: &mut Vec<u8>, length: u64) {
    if length == 0 {
        return;
    }
    let first = length.leading_zeros() / 4;
    for digit in first..16 {
        let nibble = length >> (60 - 4 * digit) & 0xF;
        out.push(b"0123456789abcdef"[nibble as usize]);
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends the last chunk of a body with trailers.
///
/// # Errors
///
/// An [`EncodeError`] if a field is not to be sent as trailer; `out` is as before.
pub fn trailer_section(out: &mut Vec<u8>, fields: &[Field<'_>]) -> Result<(), EncodeError> {
    let start = out.len();
    out.push(b'0');
    for field in fields {
        let id = known_id(field);
        let written = if trailers::is_forbidden(id) {
            Err(EncodeError::ReservedField)
        } else {
            write_field(out, field, id)
        };
        if let Err(error) = written {
            out.truncate(start);
            return Err(error);
        }
    }
    out.extend_from_slice(END);
    Ok(())
}

#[inline]
fn write_head(
    out: &mut Vec<u8>,
    head: &ResponseHead<'_>,
    to: &Recipient,
) -> Result<Framing, EncodeError> {
    if let Some(protocol) = head.upgrade {
        return write_upgrade(out, head, to, protocol);
    }
    let is_connect = to.method_id == method::CONNECT;
    if !(200..=599).contains(&head.status) || is_connect && head.status < 300 {
        return Err(EncodeError::Status(head.status));
    }
    out.reserve(HEAD_ROOM);
    status_line(out, head.status);
    let mut noted = Noted::default();
    for field in head.fields {
        let mut id = field.name_id();
        if kind::of(id) != kind::COMMON {
            match noted.take(field)? {
                Some(found) => id = found,
                None => continue,
            }
        }
        write_field(out, field, id)?;
    }
    let (announced, body) = framing(head, to, noted.length)?;
    let keep_alive = to.keep_alive && body != BodyFraming::UntilClose;
    match announced {
        Some(length) => length_line(out, length),
        None if body == BodyFraming::Chunked => {
            out.extend_from_slice(b"\r\ntransfer-encoding: chunked");
        }
        None => {}
    }
    if !keep_alive {
        out.extend_from_slice(b"\r\nconnection: close");
    } else if to.version == Version::Http10 {
        out.extend_from_slice(b"\r\nconnection: keep-alive");
    }
    end_head(out, if noted.date { None } else { head.date });
    Ok(Framing { body, keep_alive })
}

/// What the application's fields have said.
#[derive(Default)]
struct Noted {
    length: Option<u64>,
    date: bool,
}

impl Noted {
    /// Takes note of a field that is not just written, or whose name's id the application did not
    /// give: the id, unless the field is written otherwise.
    fn take(&mut self, field: &Field<'_>) -> Result<Option<u16>, EncodeError> {
        let id = known_id(field);
        match kind::of(id) {
            kind::LENGTH => {
                let length = content_length(field.value()).ok_or(EncodeError::LengthSyntax)?;
                match self.length.replace(length) {
                    None => Ok(None),
                    Some(_) => Err(EncodeError::LengthSyntax),
                }
            }
            kind::OF_THE_HOP => Err(EncodeError::ReservedField),
            kind => {
                self.date |= kind == kind::DATE;
                Ok(Some(id))
            }
        }
    }
}

/// Which Content-Length is written, if any, and how the body follows (RFC 9110 §8.6, RFC 9112 §6).
#[inline]
fn framing(
    head: &ResponseHead<'_>,
    to: &Recipient,
    field: Option<u64>,
) -> Result<(Option<u64>, BodyFraming), EncodeError> {
    let is_head = to.method_id == method::HEAD;
    let bodiless = is_head || matches!(head.status, 204 | 205 | 304);
    let length = match (head.length, field) {
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
    Ok(match (head.status, length) {
        (204, _) => (None, BodyFraming::None),
        // RFC 9110 §15.3.6: it has no content and says so.
        (205, _) => (Some(0), BodyFraming::None),
        _ if bodiless => (length, BodyFraming::None),
        (_, Some(length)) => (Some(length), BodyFraming::Sized(length)),
        (_, None) if to.version == Version::Http10 => (None, BodyFraming::UntilClose),
        (_, None) => (None, BodyFraming::Chunked),
    })
}

#[cold]
fn write_upgrade(
    out: &mut Vec<u8>,
    head: &ResponseHead<'_>,
    to: &Recipient,
    protocol: &[u8],
) -> Result<Framing, EncodeError> {
    if !matches!(head.status, 101 | 200) || to.version == Version::Http10 {
        return Err(EncodeError::Status(head.status));
    }
    if !is_protocol(protocol) {
        return Err(EncodeError::Protocol);
    }
    if to.method_id == method::CONNECT {
        status_line(out, 200);
    } else {
        status_line(out, 101);
        out.extend_from_slice(b"\r\nconnection: upgrade\r\nupgrade: ");
        out.extend_from_slice(protocol);
    }
    let mut has_date = false;
    for field in head.fields {
        let id = known_id(field);
        if id == CONTENT_LENGTH || is_of_the_hop(id) {
            return Err(EncodeError::ReservedField);
        }
        has_date |= id == DATE;
        write_field(out, field, id)?;
    }
    end_head(out, if has_date { None } else { head.date });
    Ok(Framing {
        body: BodyFraming::Upgraded,
        keep_alive: false,
    })
}

/// The status line. Its CRLF is left to what follows, as that of every line here: so a field is
/// written with one copy less.
#[inline]
fn status_line(out: &mut Vec<u8>, status: u16) {
    if status == 200 {
        out.extend_from_slice(b"HTTP/1.1 200 OK");
    } else if let Some(line) = status::status_line(status) {
        out.extend_from_slice(line);
    } else {
        // The space is due although no reason follows (RFC 9112 §4).
        out.extend_from_slice(b"HTTP/1.1 ");
        decimal(out, u64::from(status));
        out.push(b' ');
    }
}

/// The id of the field's name, whether or not the application gave it.
#[inline]
fn known_id(field: &Field<'_>) -> u16 {
    match field.name_id() {
        0 => names::id_of(field.name()),
        id => id,
    }
}

/// A field line. A known name comes from the table, not from the application.
#[inline(always)]
fn write_field(out: &mut Vec<u8>, field: &Field<'_>, id: u16) -> Result<(), EncodeError> {
    if id == 0 {
        unknown_name(out, field.name())?;
    } else {
        let known = &KNOWN_NAMES[usize::from(id) & 0xFF];
        let end = out.len() + known.length;
        // A copy of constant size is a few moves.
        out.extend_from_slice(&known.text);
        out.truncate(end);
    }
    let value = field.value();
    match (value.len(), value.first_chunk(), value.last_chunk()) {
        (16..=32, Some(first), Some(last)) if scan::is_trimmed_graphic(first, last) => {
            write_ends(out, value.len(), first, last);
            Ok(())
        }
        _ => other_value(out, value),
    }
}

#[inline(never)]
fn unknown_name(out: &mut Vec<u8>, name: &[u8]) -> Result<(), EncodeError> {
    if !scan::is_token(name) || name.iter().any(u8::is_ascii_uppercase) {
        return Err(EncodeError::FieldName);
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    Ok(())
}

/// A value that is shorter or longer than most, or has more than graphic characters.
#[inline(never)]
fn other_value(out: &mut Vec<u8>, value: &[u8]) -> Result<(), EncodeError> {
    // Recipients strip outer white space: it would not arrive (RFC 9110 §5.5).
    if let [b' ' | b'\t', ..] | [.., b' ' | b'\t'] = value {
        return Err(EncodeError::FieldValue);
    }
    if let (8..=15, Some(first), Some(last)) =
        (value.len(), value.first_chunk(), value.last_chunk())
        && scan::is_graphic_pair(first, last)
    {
        write_ends(out, value.len(), first, last);
        return Ok(());
    }
    if scan::value_end(value, 0) != value.len() {
        return Err(EncodeError::FieldValue);
    }
    out.extend_from_slice(value);
    Ok(())
}

/// Writes what begins with the first and ends with the last `N` of its `length` bytes, `N` to
/// `2 * N`, without a call.
#[inline(always)]
fn write_ends<const N: usize>(out: &mut Vec<u8>, length: usize, first: &[u8; N], last: &[u8; N]) {
    let from = out.len();
    out.extend_from_slice(first);
    out.truncate(from + length - N);
    out.extend_from_slice(last);
}

#[inline]
fn end_head(out: &mut Vec<u8>, date: Option<&DateLine>) {
    if let Some(date) = date {
        out.extend_from_slice(&date.0);
    } else {
        out.extend_from_slice(END);
    }
}

#[inline]
fn length_line(out: &mut Vec<u8>, length: u64) {
    let Ok(mut left @ 0..=99_999_999) = u32::try_from(length) else {
        out.extend_from_slice(b"\r\ncontent-length: ");
        decimal(out, length);
        return;
    };
    // Eight digits are a word, the first one lowest.
    let mut word = 0;
    let mut count = 0;
    loop {
        word = word << 8 | u64::from(u32::from(b'0') + left % 10);
        left /= 10;
        count += 1;
        if left == 0 {
            break;
        }
    }
    let mut line = *b"\r\ncontent-length: 00000000";
    line[18..].copy_from_slice(&word.to_le_bytes());
    let end = out.len() + 18 + count;
    out.extend_from_slice(&line);
    out.truncate(end);
}

#[inline]
fn decimal(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut left = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// CRLF, a known name and `: `.
struct KnownName {
    text: [u8; 36],
    length: usize,
}

/// By id, as many as bytes are indices; those without a name are not used.
static KNOWN_NAMES: [KnownName; 256] = {
    let mut known = [const {
        KnownName {
            text: [0; 36],
            length: 0,
        }
    }; 256];
    let mut id = 1;
    while id <= names::NAMES.len() {
        let name = names::NAMES[id - 1].as_bytes();
        let (line_end, text) = known[id].text.split_at_mut(2);
        line_end.copy_from_slice(b"\r\n");
        text.split_at_mut(name.len()).0.copy_from_slice(name);
        text.split_at_mut(name.len())
            .1
            .split_at_mut(2)
            .0
            .copy_from_slice(b": ");
        known[id].length = name.len() + 4;
        id += 1;
    }
    known
};

/// What is to be done about a field.
mod kind {
    use super::{is_of_the_hop, names};

    /// It is written.
    pub(super) const COMMON: u8 = 0;
    /// It has no id, or none that is known.
    pub(super) const UNKNOWN: u8 = 1;
    pub(super) const LENGTH: u8 = 2;
    pub(super) const DATE: u8 = 3;
    pub(super) const OF_THE_HOP: u8 = 4;

    #[inline(always)]
    pub(super) fn of(id: u16) -> u8 {
        KINDS[usize::from(id) & 0xFF]
    }

    /// By id; as long as every byte is an index, because all ids of the table are bytes.
    static KINDS: [u8; 256] = {
        let mut kinds = [COMMON; 256];
        let mut id: u8 = 0;
        while id < u8::MAX {
            if is_of_the_hop(id as u16) {
                kinds[id as usize] = OF_THE_HOP;
            }
            id += 1;
        }
        kinds[0] = UNKNOWN;
        // What trailers there will be is the server's to announce, which sends them (RES-07).
        kinds[names::id("trailer") as usize] = OF_THE_HOP;
        kinds[names::id("content-length") as usize] = LENGTH;
        kinds[names::id("date") as usize] = DATE;
        kinds
    };
}

const CONTENT_LENGTH: u16 = names::id("content-length");
const DATE: u16 = names::id("date");

/// Of the last line and of a head.
const END: &[u8] = b"\r\n\r\n";

/// Room for the status line and the fields of a small response.
const HEAD_ROOM: usize = 512;

#[cfg(test)]
mod tests;
