//! Finds where a run of bytes of one class ends, sixteen bytes at a time.
//!
//! Blocks are loaded and stored through slices, so that nothing here reads or writes beyond the
//! buffer: the last bytes of a buffer are looked at in its last block, together with bytes that
//! were looked at before. Buffers shorter than a block are read byte by byte from a table; the
//! tests hold the two ways against each other.

mod block;
mod line;

pub(super) use self::line::{FieldLine, WINDOW, field_line, is_end, request_line};

/// Lower-cases the token that begins at `from` and returns where it ends: the place of the first
/// byte that is no token character, or the length of `bytes`.
pub(super) fn lower_token(bytes: &mut [u8], from: usize) -> usize {
    let plain = plain_end(bytes, from);
    let end = if bytes.get(plain).is_some_and(|&b| is(b, TOKEN)) {
        run_end(bytes, plain, TOKEN)
    } else {
        plain
    };
    bytes[from..end].make_ascii_lowercase();
    end
}

/// Where the field value that holds `from` ends: the place of the first control character other
/// than HTAB, or the length of `bytes` (RFC 9110 §5.5: field-vchar, SP and HTAB).
#[inline]
pub(super) fn value_end(bytes: &[u8], from: usize) -> usize {
    if let Some(end) = block::run_end(bytes, from, block::no_value) {
        return end;
    }
    run_end(bytes, from, VALUE)
}

/// Where the run of letters, digits, `-` and `.` from `from` ends.
#[inline]
pub(super) fn plain_end(bytes: &[u8], from: usize) -> usize {
    if let Some(end) = block::run_end(bytes, from, block::no_plain) {
        return end;
    }
    run_end(bytes, from, PLAIN)
}

/// Whether all bytes are graphic ASCII characters and spaces.
#[inline(always)]
fn is_graphic(block: &[u8; 16]) -> bool {
    block::unusual(block::load(block)) == 0
}

/// As [`is_graphic`], for what begins with `first` and ends with `last`, neither with a space.
#[inline(always)]
pub(super) fn is_trimmed_graphic(first: &[u8; 16], last: &[u8; 16]) -> bool {
    first[0] != b' ' && last[15] != b' ' && block::are_usual([first, last].map(block::load))
}

/// As [`is_trimmed_graphic`], for the halves of a block.
#[inline(always)]
pub(super) fn is_trimmed_graphic_pair(first: &[u8; 8], last: &[u8; 8]) -> bool {
    let mut block = [0; 16];
    block[..8].copy_from_slice(first);
    block[8..].copy_from_slice(last);
    first[0] != b' ' && last[7] != b' ' && is_graphic(&block)
}

/// Whether both are the same 8 to 32 bytes.
#[inline(always)]
pub(super) fn are_same(one: &[u8], other: &[u8]) -> bool {
    fn ends<const N: usize>(bytes: &[u8]) -> Option<(&[u8; N], &[u8; N])> {
        Some((bytes.first_chunk()?, bytes.last_chunk()?))
    }
    one.len() == other.len()
        && match one.len() {
            16..=32 => ends::<16>(one) == ends::<16>(other),
            8..=15 => ends::<8>(one) == ends::<8>(other),
            _ => false,
        }
}

/// How many letters, digits, `-` and `.` a block begins with.
#[inline]
pub(super) fn plain_start(block: &[u8; 16]) -> usize {
    let ends = block::no_plain(block::load(block)) | 1 << 16;
    ends.trailing_zeros() as usize
}

/// Where the request target that begins at `from` ends, the place of the first control
/// character, SP, DEL or `#`, and where its first `?` is, or else its end.
#[inline]
pub(super) fn target_end(bytes: &[u8], from: usize) -> (usize, usize) {
    if let Some((end, query)) = block::target_end(bytes, from) {
        return (end, query.unwrap_or(end));
    }
    let end = run_end(bytes, from, TARGET);
    let query = bytes[from..end].iter().position(|&b| b == b'?');
    (end, query.map_or(end, |at| from + at))
}

/// Where the token that begins at `from` ends.
pub(super) fn token_end(bytes: &[u8], from: usize) -> usize {
    run_end(bytes, from, TOKEN)
}

/// Whether `bytes` is a token (RFC 9110 §5.6.2).
pub(super) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&b| is(b, TOKEN))
}

/// Whether `byte` belongs to a class.
#[inline]
pub(super) fn is(byte: u8, class: u8) -> bool {
    CLASSES[usize::from(byte)] & class != 0
}

fn run_end(bytes: &[u8], from: usize, class: u8) -> usize {
    let run = bytes.get(from..).unwrap_or_default();
    let length = run.iter().position(|&b| !is(b, class)).unwrap_or(run.len());
    from + length
}

/// Token characters (RFC 9110 §5.6.2).
pub(super) const TOKEN: u8 = 1 << 0;
/// Bytes of a field value: HTAB, SP, VCHAR and obs-text.
pub(super) const VALUE: u8 = 1 << 1;
/// Bytes of a request target: VCHAR and obs-text, without `#`.
pub(super) const TARGET: u8 = 1 << 2;
/// Letters, digits, `-` and `.`.
pub(super) const PLAIN: u8 = 1 << 3;
/// Bytes of a registered name: unreserved and sub-delims (RFC 3986 §3.2.2); `%` is apart.
pub(super) const REG_NAME: u8 = 1 << 4;

static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut i = 0;
    while i < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "i is below 256")]
        let byte = i as u8;
        let plain = byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        let mut class = 0;
        if plain || among(byte, b"!#$%&'*+^_`|~") {
            class |= TOKEN;
        }
        if (byte >= b' ' && byte != 0x7F) || byte == b'\t' {
            class |= VALUE;
        }
        if byte > b' ' && byte != 0x7F && byte != b'#' {
            class |= TARGET;
        }
        if plain {
            class |= PLAIN;
        }
        if plain || among(byte, b"_~!$&'()*+,;=") {
            class |= REG_NAME;
        }
        classes[i] = class;
        i += 1;
    }
    classes
};

const fn among(byte: u8, bytes: &[u8]) -> bool {
    let mut i = 0;
    while i < bytes.len() {
        if bytes[i] == byte {
            return true;
        }
        i += 1;
    }
    false
}

#[cfg(test)]
mod tests;
