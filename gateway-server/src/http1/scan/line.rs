//! The usual lines of a head, each read in one window of the buffer.
//!
//! Usual means: whole, and nothing in it that asks for a second look. Any other line is left to the
//! way that goes from byte to byte and has the verdicts; what is found here, it would find too.

use gateway_spec::abi::{method, names};
use wide::u8x16;

use super::block::{self, BLOCK, equal, load, no_plain, prefix, splat, unusual};

/// `name ":" SP value CRLF`: places from the buffer's beginning.
///
/// The value is of graphic ASCII characters and spaces, and neither begins nor ends with a space.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::http1) struct FieldLine {
    /// Of the name; the value begins [`FieldLine::GAP`] bytes behind it.
    pub(in crate::http1) name_length: u32,
    /// Behind the LF.
    pub(in crate::http1) next: usize,
    /// The name's, as in [`names`].
    pub(in crate::http1) id: u16,
}

impl FieldLine {
    /// The colon and the space.
    pub(in crate::http1) const GAP: u32 = 2;
    /// CR and LF.
    pub(in crate::http1) const END: u32 = 2;
}

/// `("GET" / "POST") SP target SP "HTTP/1.1" CRLF`: places from the line's beginning.
///
/// The target begins with a slash, is of graphic ASCII characters and holds no `#`.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::http1) struct RequestLine {
    pub(in crate::http1) method_end: usize,
    pub(in crate::http1) method_id: u32,
    pub(in crate::http1) target_end: usize,
    /// The first one in the target, or the target's end.
    pub(in crate::http1) question_mark: usize,
}

/// Reads the field line at `at` and lower-cases its name. It may end behind the filled part of the
/// buffer, and then means nothing. Unless it ends in the window, it is measured with `longest`.
///
/// A known name needs no look at each byte: what becomes the name by setting the bit of lower case
/// in all of them, and holds no control character, is the name in some case.
#[inline(always)]
pub(in crate::http1) fn field_line(buf: &mut [u8], at: usize, longest: usize) -> Option<FieldLine> {
    let window: &mut [u8; WINDOW] = buf.get_mut(at..at + WINDOW)?.first_chunk_mut()?;
    let (blocks, _) = window.as_chunks_mut::<BLOCK>();
    let [first, second, third, fourth] = blocks else {
        return None;
    };
    let block = load(first);
    let ends = unusual(block);
    let colons = equal(block, b':').to_bitmask();
    let (name_length, id, lowered);
    if colons == 0 {
        if ends != 0 {
            return None;
        }
        let (length, long) = long_name(first, second)?;
        name_length = length % 32;
        id = long;
        lowered = load(first);
    } else {
        name_length = colons.trailing_zeros() % 16;
        let name = (block | splat(0x20)) & prefix(name_length as usize);
        id = match names::id_of_words(words(name)) {
            Some(id) => id,
            None if is_plain(block, name_length) => 0,
            None => return None,
        };
        lowered = block | name;
    }
    let end = if ends != 0 {
        let end = ends.trailing_zeros();
        if end < name_length {
            return None;
        }
        end as usize
    } else {
        let places = [load(second), load(third), load(fourth)].map(unusual);
        match places {
            [0, 0, 0] => {
                *first = lowered.to_array();
                let next = long_line(buf, at, name_length, longest)?;
                return Some(FieldLine {
                    name_length,
                    next,
                    id,
                });
            }
            [0, 0, ends] => 3 * BLOCK + ends.trailing_zeros() as usize,
            [0, ends, _] => 2 * BLOCK + ends.trailing_zeros() as usize,
            [ends, ..] => BLOCK + ends.trailing_zeros() as usize,
        }
    };
    *first = lowered.to_array();
    let end = end & (4 * BLOCK - 1);
    let last = end.wrapping_sub(1) & (4 * BLOCK - 1);
    if window[name_length as usize + 1] != b' '
        || window[name_length as usize + 2] == b' '
        || window[last] == b' '
        || [window[end], window[end + 1]] != *b"\r\n"
    {
        return None;
    }
    Some(FieldLine {
        name_length,
        next: at + end + FieldLine::END as usize,
        id,
    })
}

/// Whether a head ends at `at`, which may be behind the filled part of the buffer.
#[inline(always)]
pub(in crate::http1) fn is_end(buf: &[u8], at: usize) -> bool {
    buf.get(at..at + WINDOW)
        .is_some_and(|window| window[..2] == *b"\r\n")
}

/// Reads the request line at `at`. It may end behind the filled part of the buffer, and then means
/// nothing.
#[inline(always)]
pub(in crate::http1) fn request_line(buf: &[u8], at: usize) -> Option<RequestLine> {
    let window: &[u8; WINDOW] = buf.get(at..)?.first_chunk()?;
    let (start, method_id) = match *window.first_chunk::<5>()? {
        [b'G', rest @ ..] if u32::from_le_bytes(rest) == ET_SLASH => (4, method::GET),
        [b'P', rest @ ..] if u32::from_le_bytes(rest) == OST && window[5] == b'/' => {
            (5, method::POST)
        }
        _ => return None,
    };
    let block = load(window[start..].first_chunk()?);
    let ends = block::no_usual_target(block);
    let (target_end, question_mark) = if ends != 0 {
        let end = ends.trailing_zeros() as usize & (BLOCK - 1);
        let question_mark = equal(block, b'?').to_bitmask() | 1 << end;
        (start + end, start + question_mark.trailing_zeros() as usize)
    } else {
        let (end, question_mark) = long_target(buf, at + start)?;
        (end - at, question_mark.unwrap_or(end) - at)
    };
    let version_line: &[u8; 11] = if ends != 0 {
        window[target_end..].first_chunk()?
    } else {
        buf.get(at + target_end..)?.first_chunk()?
    };
    // A word and a half that overlap are compared faster than eleven bytes.
    let is_version = version_line.first_chunk() == Some(b" HTTP/1.")
        && version_line.last_chunk() == Some(b".1\r\n");
    is_version.then_some(RequestLine {
        method_end: start - 1,
        method_id,
        target_end,
        question_mark,
    })
}

/// Whether the first `count` bytes are letters, digits, `-` and `.`, and at least one.
#[inline(never)]
fn is_plain(block: u8x16, count: u32) -> bool {
    count > 0 && no_plain(block) & ((1 << count) - 1) == 0
}

/// A name of 16 to 31 bytes: its length and its id.
#[inline(never)]
fn long_name(first: &mut [u8; BLOCK], second: &mut [u8; BLOCK]) -> Option<(u32, u16)> {
    let blocks = [load(first), load(second)];
    let colons = equal(blocks[1], b':').to_bitmask();
    if colons == 0 {
        return None;
    }
    let count = colons.trailing_zeros();
    let ones = prefix(count as usize & (BLOCK - 1));
    if no_plain(blocks[0]) != 0 || no_plain(blocks[1]) & ones.to_bitmask() != 0 {
        return None;
    }
    let name = [blocks[0] | splat(0x20), (blocks[1] | splat(0x20)) & ones];
    *first = name[0].to_array();
    *second = (blocks[1] | name[1]).to_array();
    let [a, b] = words(name[0]);
    let [c, d] = words(name[1]);
    let id = if count == 0 {
        names::id_of_words([a, b])
    } else {
        names::id_of_long_words([a, b, c, d])
    };
    Some((16 + count, id.unwrap_or(0)))
}

/// Where the next line begins behind one without an end in its window.
#[inline(never)]
fn long_line(buf: &[u8], at: usize, name_length: u32, longest: usize) -> Option<usize> {
    let end = block::run_end(buf, at + 4 * BLOCK, unusual)?;
    let gap = buf
        .get(at + name_length as usize + 1..)?
        .first_chunk::<2>()?;
    let rest = buf.get(end - 1..)?.first_chunk::<3>()?;
    let usual = gap[0] == b' ' && gap[1] != b' ' && rest[0] != b' ' && rest[1..] == *b"\r\n";
    (usual && end - at <= longest).then_some(end + FieldLine::END as usize)
}

/// Where a target ends that is longer than a block, and its first `?`.
#[inline(never)]
fn long_target(buf: &[u8], from: usize) -> Option<(usize, Option<usize>)> {
    block::target_end(buf, from)
}

#[inline(always)]
fn words(block: u8x16) -> [u64; 2] {
    let bytes = block.to_array();
    let (words, _) = bytes.as_chunks::<8>();
    match words {
        &[a, b] => [u64::from_le_bytes(a), u64::from_le_bytes(b)],
        _ => [0; 2],
    }
}

const ET_SLASH: u32 = u32::from_le_bytes(*b"ET /");
const OST: u32 = u32::from_le_bytes(*b"OST ");

/// Four blocks, in which most lines end, and two bytes behind each place in them.
pub(in crate::http1) const WINDOW: usize = 4 * BLOCK + 2;
