//! Finds where a run of bytes of one class ends, sixteen bytes at a time.
//!
//! Blocks are loaded and stored through slices, so that nothing here reads or writes beyond the
//! buffer: the last bytes of a buffer are looked at in its last block, together with bytes that
//! were looked at before. Buffers shorter than a block are read byte by byte from a table; the
//! tests hold the two ways against each other.

/// Lower-cases the token that begins at `from` and returns where it ends: the place of the first
/// byte that is no token character, or the length of `bytes`.
#[inline]
pub(super) fn lower_token(bytes: &mut [u8], from: usize) -> usize {
    let mut at = from;
    loop {
        let (count, more) = block::lower_plain(bytes, at);
        at += count;
        if !more {
            break;
        }
    }
    // What is a token character and yet outside the block's class, such as `_`.
    if bytes.get(at).is_some_and(|&b| is(b, TOKEN)) {
        lower_token_slowly(bytes, at)
    } else {
        at
    }
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

/// Where the request target that begins at `from` ends, the place of the first control
/// character, SP, DEL or `#`, and where its first `?` is.
#[inline]
pub(super) fn target_end(bytes: &[u8], from: usize) -> (usize, Option<usize>) {
    if let Some(found) = block::target_end(bytes, from) {
        return found;
    }
    let end = run_end(bytes, from, TARGET);
    let query = bytes[from..end].iter().position(|&b| b == b'?');
    (end, query.map(|at| from + at))
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

#[inline(never)]
fn lower_token_slowly(bytes: &mut [u8], from: usize) -> usize {
    let end = run_end(bytes, from, TOKEN);
    bytes[from..end].make_ascii_lowercase();
    end
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

/// The same, sixteen bytes at a time.
mod block {
    use wide::u8x16;

    pub(super) const BLOCK: usize = 16;

    /// One bit for each byte of the block that is none of a field value.
    #[inline(always)]
    pub(super) fn no_value(block: u8x16) -> u32 {
        let tabs = equal(block, b'\t');
        ((at_most(block, 0x1F) & !tabs) | equal(block, 0x7F)).to_bitmask()
    }

    /// One bit for each byte that is no letter, digit, `-` or `.`.
    #[inline(always)]
    pub(super) fn no_plain(block: u8x16) -> u32 {
        !(letters(block) | digits_and_marks(block)).to_bitmask() & 0xFFFF
    }

    /// One bit for each byte that ends a request target.
    #[inline(always)]
    fn no_target(block: u8x16) -> u32 {
        (at_most(block, b' ') | equal(block, 0x7F) | equal(block, b'#')).to_bitmask()
    }

    /// Where the run from `from` ends; `None` if the buffer is shorter than a block.
    #[inline(always)]
    pub(super) fn run_end(bytes: &[u8], from: usize, ends: impl Fn(u8x16) -> u32) -> Option<usize> {
        let mut at = from;
        while let Some(block) = load(bytes, at) {
            let ends = ends(block);
            if ends != 0 {
                return Some(at + ends.trailing_zeros() as usize);
            }
            at += BLOCK;
        }
        let (block, before) = load_last(bytes, at)?;
        let ends = (ends(block) | 1 << BLOCK) >> before;
        Some(at + ends.trailing_zeros() as usize)
    }

    /// See [`super::target_end`]; `None` if the buffer is shorter than a block.
    #[inline(always)]
    pub(super) fn target_end(bytes: &[u8], from: usize) -> Option<(usize, Option<usize>)> {
        let mut query = None;
        let mut at = from;
        while let Some(block) = load(bytes, at) {
            let ends = no_target(block);
            if query.is_none() {
                query = first_below(equal(block, b'?').to_bitmask(), ends | 1 << BLOCK, at);
            }
            if ends != 0 {
                return Some((at + ends.trailing_zeros() as usize, query));
            }
            at += BLOCK;
        }
        let (block, before) = load_last(bytes, at)?;
        let ends = (no_target(block) | 1 << BLOCK) >> before;
        if query.is_none() {
            query = first_below(equal(block, b'?').to_bitmask() >> before, ends, at);
        }
        Some((at + ends.trailing_zeros() as usize, query))
    }

    /// Lower-cases the plain bytes at `at`, of one block: how many they are, and whether the next
    /// block may hold more.
    #[inline(always)]
    pub(super) fn lower_plain(bytes: &mut [u8], at: usize) -> (usize, bool) {
        let (start, before, block) = match load(bytes, at) {
            Some(block) => (at, 0, block),
            None => match load_last(bytes, at) {
                Some((block, before)) => (at - before, before, block),
                None => return (0, false),
            },
        };
        let letters = letters(block);
        let ends = !(letters | digits_and_marks(block)).to_bitmask();
        let count = (ends >> before).trailing_zeros() as usize;
        let end = before + count;
        let mut run = prefix(end);
        if before != 0 {
            run &= !prefix(before);
        }
        store(bytes, start, block | (letters & run & splat(0x20)));
        (count, end == BLOCK && count != 0)
    }

    #[inline(always)]
    fn letters(block: u8x16) -> u8x16 {
        at_most((block | splat(0x20)) - splat(b'a'), b'z' - b'a')
    }

    /// The range from `-` to `9`, without the slash in it.
    #[inline(always)]
    fn digits_and_marks(block: u8x16) -> u8x16 {
        at_most(block - splat(b'-'), b'9' - b'-') & !equal(block, b'/')
    }

    #[inline(always)]
    fn equal(block: u8x16, byte: u8) -> u8x16 {
        block.simd_eq(splat(byte))
    }

    #[inline(always)]
    fn at_most(block: u8x16, byte: u8) -> u8x16 {
        block.min(splat(byte)).simd_eq(block)
    }

    #[inline(always)]
    fn splat(byte: u8) -> u8x16 {
        u8x16::splat(byte)
    }

    #[inline(always)]
    fn first_below(found: u32, ends: u32, at: usize) -> Option<usize> {
        let first = found.trailing_zeros();
        (first < ends.trailing_zeros()).then(|| at + first as usize)
    }

    /// Ones in the first `count` bytes.
    #[inline(always)]
    fn prefix(count: usize) -> u8x16 {
        static PREFIXES: [[u8; BLOCK]; BLOCK + 1] = {
            let mut prefixes = [[0; BLOCK]; BLOCK + 1];
            let mut n = 0;
            while n <= BLOCK {
                let mut i = 0;
                while i < n {
                    prefixes[n][i] = 0xFF;
                    i += 1;
                }
                n += 1;
            }
            prefixes
        };
        u8x16::new(PREFIXES[count])
    }

    /// The block at `at`, if the buffer reaches that far.
    #[inline(always)]
    fn load(bytes: &[u8], at: usize) -> Option<u8x16> {
        Some(u8x16::new(*bytes.get(at..)?.first_chunk()?))
    }

    /// The buffer's last block, and how many of its bytes stand before `at`.
    #[inline(always)]
    fn load_last(bytes: &[u8], at: usize) -> Option<(u8x16, usize)> {
        let last = bytes.last_chunk()?;
        let before = at - (bytes.len() - BLOCK);
        (before <= BLOCK).then(|| (u8x16::new(*last), before))
    }

    #[inline(always)]
    fn store(bytes: &mut [u8], at: usize, block: u8x16) {
        if let Some(place) = bytes
            .get_mut(at..)
            .and_then(|rest| rest.first_chunk_mut::<BLOCK>())
        {
            *place = block.to_array();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop_assert_eq, prop_oneof, proptest};

    use super::*;

    /// Bytes that end runs often enough, and not too often.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let plain = prop_oneof![
            20 => b'a'..=b'z', 5 => b'A'..=b'Z', 3 => b'-'..=b'9', 1 => any::<u8>(),
        ];
        proptest::collection::vec(plain, 0..80)
    }

    proptest! {
        #[test]
        fn blocks_and_bytes_agree(bytes in bytes(), from in 0_usize..80) {
            let from = from.min(bytes.len());
            prop_assert_eq!(value_end(&bytes, from), run_end(&bytes, from, VALUE));
            prop_assert_eq!(plain_end(&bytes, from), run_end(&bytes, from, PLAIN));
            let end = run_end(&bytes, from, TARGET);
            let query = bytes[from..end].iter().position(|&b| b == b'?').map(|at| from + at);
            prop_assert_eq!(target_end(&bytes, from), (end, query));
            let mut lowered = bytes.clone();
            let end = lower_token(&mut lowered, from);
            prop_assert_eq!(end, run_end(&bytes, from, TOKEN));
            let mut expected = bytes.clone();
            expected[from..end].make_ascii_lowercase();
            prop_assert_eq!(lowered, expected);
        }
    }

    #[test]
    fn every_byte_is_classed_the_same_in_a_block() {
        for byte in 0..=u8::MAX {
            let mut bytes = vec![b'a'; 40];
            for at in [0, 15, 16, 30, 39] {
                bytes[at] = byte;
                assert_eq!(value_end(&bytes, 0), run_end(&bytes, 0, VALUE));
                assert_eq!(plain_end(&bytes, 0), run_end(&bytes, 0, PLAIN));
                assert_eq!(target_end(&bytes, 0).0, run_end(&bytes, 0, TARGET));
                let end = run_end(&bytes, 0, TOKEN);
                assert_eq!(lower_token(&mut bytes.clone(), 0), end);
                bytes[at] = b'a';
            }
        }
    }
}
