//! Field lines. Each begins with the CRLF of the line before, so that it is written with one copy
//! less; the names that the table knows are copied from there, not from the application.

use gateway_spec::abi::{Field, names};

use super::outgoing::{Outgoing, PAGE, Page};
use crate::http1::error::EncodeError;
use crate::http1::scan;

/// Writes a line at `at` of the page as most are: where it ends, or `None`, and the page then holds
/// nothing of meaning behind `at`.
///
/// Such a line has a known name and a value of 1 to 32 graphic characters and spaces, the first and
/// the last of which are no spaces, and it fits.
#[inline(always)]
pub(super) fn usual_line(page: &mut Page, at: usize, id: u16, value: &[u8]) -> Option<usize> {
    if at > PAGE - USUAL_LINE {
        return None;
    }
    let known = &KNOWN_NAMES[usize::from(id) & 0xFF];
    // A copy of constant size is a few moves.
    page[at..at + NAME].copy_from_slice(&known.text);
    let from = at + usize::from(known.length & 63);
    let length = value.len();
    match (length, value.first_chunk(), value.last_chunk()) {
        (16..=32, Some(first), Some(last)) if scan::is_trimmed_graphic(first, last) => {
            write_ends::<16>(page, from, length, first, last);
        }
        _ => match (length, value.first_chunk(), value.last_chunk()) {
            (8..=15, Some(first), Some(last)) if scan::is_trimmed_graphic_pair(first, last) => {
                write_ends::<8>(page, from, length, first, last);
            }
            _ if length < 8 => match short(value) {
                Some((first, last)) if scan::is_trimmed_graphic_pair(&first, &last) => {
                    page[from..from + 8].copy_from_slice(&first);
                }
                _ => return None,
            },
            _ => return None,
        },
    }
    Some(from + length)
}

/// 1 to 7 bytes, once with others behind them and once with others before them, none of which is to
/// be minded.
#[inline(always)]
fn short(value: &[u8]) -> Option<([u8; 8], [u8; 8])> {
    let length = value.len();
    let word = if let (Some(first), Some(last)) = (value.first_chunk(), value.last_chunk()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        u64::from(first) | u64::from(last) << (8 * (length - 4))
    } else {
        let (first, last) = (*value.first()?, *value.last()?);
        let middle = value[length / 2];
        u64::from(first)
            | u64::from(middle) << (8 * (length / 2))
            | u64::from(last) << (8 * (length - 1))
    };
    let bits = 8 * length;
    let (behind, before) = (FILL << bits, FILL >> bits);
    Some((
        (word | behind).to_le_bytes(),
        (word << (64 - bits) | before).to_le_bytes(),
    ))
}

/// Writes what begins with the first and ends with the last `N` of its `length` bytes, `N` to
/// `2 * N`.
#[inline(always)]
fn write_ends<const N: usize>(
    page: &mut Page,
    from: usize,
    length: usize,
    first: &[u8; N],
    last: &[u8; N],
) {
    page[from..from + N].copy_from_slice(first);
    let from = from + length - N;
    page[from..from + N].copy_from_slice(last);
}

/// Appends a line; after an error a part of it may stand there.
#[inline(never)]
pub(super) fn write_line(
    out: &mut Outgoing,
    field: &Field<'_>,
    id: u16,
) -> Result<(), EncodeError> {
    if let Some(name) = names::name_of(id) {
        write_name(out, name.as_bytes());
    } else {
        let name = field.name();
        if !scan::is_token(name) || name.iter().any(u8::is_ascii_uppercase) {
            return Err(EncodeError::FieldName);
        }
        write_name(out, name);
    }
    let value = field.value();
    // Recipients strip outer white space: it would not arrive (RFC 9110 §5.5).
    if let [b' ' | b'\t', ..] | [.., b' ' | b'\t'] = value {
        return Err(EncodeError::FieldValue);
    }
    if scan::value_end(value, 0) != value.len() {
        return Err(EncodeError::FieldValue);
    }
    out.extend_from_slice(value);
    Ok(())
}

fn write_name(out: &mut Outgoing, name: &[u8]) {
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
}

/// The id of the field's name, whether or not the application gave it.
#[inline]
pub(super) fn known_id(field: &Field<'_>) -> u16 {
    match field.name_id() {
        0 => names::id_of(field.name()),
        id => id,
    }
}

pub(super) const CONTENT_LENGTH: u16 = names::id("content-length");
pub(super) const DATE: u16 = names::id("date");

/// CRLF, a known name and `: `.
struct KnownName {
    text: [u8; NAME],
    length: u8,
}

/// Characters that may stand anywhere.
const FILL: u64 = u64::from_le_bytes(*b"........");

/// Bytes of the longest known name, and four.
const NAME: usize = 36;

/// Bytes of the page that a usual line may touch.
const USUAL_LINE: usize = 64 + 32;

/// By id, as many as bytes are indices; those without a name are not used.
static KNOWN_NAMES: [KnownName; 256] = {
    let mut known = [const {
        KnownName {
            text: [0; NAME],
            length: 0,
        }
    }; 256];
    let mut id = 1;
    while id <= names::NAMES.len() {
        let name = names::NAMES[id - 1].as_bytes();
        let (line_end, text) = known[id].text.split_at_mut(2);
        line_end.copy_from_slice(b"\r\n");
        let (place, text) = text.split_at_mut(name.len());
        place.copy_from_slice(name);
        text.split_at_mut(2).0.copy_from_slice(b": ");
        #[expect(clippy::cast_possible_truncation, reason = "the text is shorter")]
        let length = name.len() as u8 + 4;
        known[id].length = length;
        id += 1;
    }
    known
};
