//! Finds where a run of bytes of one class ends, sixteen bytes at a time.
//!
//! Blocks are loaded and stored through slices, so that nothing here reads or writes beyond the
//! buffer: the last bytes of a buffer are looked at in its last block, together with bytes that
//! were looked at before. Buffers shorter than a block are read byte by byte from a table; the
//! tests hold the two ways against each other.

/// The common field line: a name of at most two blocks, lower-cased here, a colon, one space or
/// none, and a value that begins with a graphic character.
///
/// All places are within the window whatever it holds, so that they need no checks.
#[inline(always)]
pub(super) fn short_line(window: &mut [u8; WINDOW]) -> Option<ShortLine> {
    let name_end = block::lower_first(window);
    if window[name_end] != b':' || name_end == 0 {
        return None;
    }
    let from = name_end + 1 + usize::from(window[name_end + 1] == b' ');
    if window[from] <= b' ' {
        return None;
    }
    let value_end = block::first_end(window, from);
    Some(ShortLine {
        name_end,
        from,
        value_end,
    })
}

/// Places in a line that [`short_line`] found, from the line's beginning.
pub(super) struct ShortLine {
    /// Of the colon.
    pub(super) name_end: usize,
    /// Of the value.
    pub(super) from: usize,
    /// Where the value ends, as [`value_end`] has it, if it is shorter than a block.
    pub(super) value_end: Option<usize>,
}

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

fn run_end(bytes: &[u8], from: usize, class: u8) -> usize {
    let run = bytes.get(from..).unwrap_or_default();
    let length = run.iter().position(|&b| !is(b, class)).unwrap_or(run.len());
    from + length
}

pub(super) use block::BLOCK;

/// Bytes that [`short_line`] looks into.
pub(super) const WINDOW: usize = 64;

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

    use super::WINDOW;

    pub(in crate::http1) const BLOCK: usize = 16;

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
        let mut rest = bytes.get(from..)?;
        while let Some((block, tail)) = rest.split_first_chunk::<BLOCK>() {
            let ends = ends(u8x16::new(*block));
            if ends != 0 {
                return Some(bytes.len() - rest.len() + ends.trailing_zeros() as usize);
            }
            rest = tail;
        }
        let at = bytes.len() - rest.len();
        let (block, before) = load_last(bytes, at)?;
        let ends = (ends(block) | 1 << BLOCK) >> before;
        Some(at + ends.trailing_zeros() as usize)
    }

    /// See [`super::target_end`]; `None` if the buffer is shorter than a block.
    #[inline(always)]
    pub(super) fn target_end(bytes: &[u8], from: usize) -> Option<(usize, Option<usize>)> {
        let mut rest = bytes.get(from..)?;
        let mut query = None;
        while let Some((block, tail)) = rest.split_first_chunk::<BLOCK>() {
            let block = u8x16::new(*block);
            let ends = no_target(block) | 1 << BLOCK;
            let at = bytes.len() - rest.len();
            if query.is_none() {
                query = first_below(equal(block, b'?').to_bitmask(), ends, at);
            }
            if ends != 1 << BLOCK {
                return Some((at + ends.trailing_zeros() as usize, query));
            }
            rest = tail;
        }
        let at = bytes.len() - rest.len();
        let (block, before) = load_last(bytes, at)?;
        let ends = (no_target(block) | 1 << BLOCK) >> before;
        if query.is_none() {
            query = first_below(equal(block, b'?').to_bitmask() >> before, ends, at);
        }
        Some((at + ends.trailing_zeros() as usize, query))
    }

    /// Lower-cases the plain bytes that the window begins with, of two blocks: how many.
    #[inline(always)]
    pub(super) fn lower_first(window: &mut [u8; WINDOW]) -> usize {
        let (blocks, _) = window.as_chunks_mut::<BLOCK>();
        let [first, second, ..] = blocks else {
            return 0;
        };
        match lower_block(first) {
            BLOCK => BLOCK + lower_block(second),
            count => count,
        }
    }

    #[inline(always)]
    fn lower_block(place: &mut [u8; BLOCK]) -> usize {
        let block = u8x16::new(*place);
        let letters = letters(block);
        let ends = !(letters | digits_and_marks(block)).to_bitmask() | 1 << BLOCK;
        let count = ends.trailing_zeros() as usize;
        *place = (block | (letters & prefix(count) & splat(0x20))).to_array();
        count
    }

    /// Where the value at `from` ends, if it ends within a block.
    #[inline(always)]
    pub(super) fn first_end(window: &[u8; WINDOW], from: usize) -> Option<usize> {
        let block = window.get(from..)?.first_chunk()?;
        let ends = no_value(u8x16::new(*block));
        (ends != 0).then(|| from + ends.trailing_zeros() as usize)
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

    /// The buffer's last block, and how many of its bytes stand before `at`.
    #[inline(always)]
    fn load_last(bytes: &[u8], at: usize) -> Option<(u8x16, usize)> {
        let last = bytes.last_chunk()?;
        let before = at - (bytes.len() - BLOCK);
        (before <= BLOCK).then(|| (u8x16::new(*last), before))
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
            prop_assert_eq!(&lowered, &expected);
        }
    }

    proptest! {
        #[test]
        fn a_short_name_is_a_token_before_a_colon(
            name in "[A-Za-z0-9.-]{0,35}", rest in "[:_ ]{0,3}[a-zA-Z:]{1,30}\r?",
        ) {
            let line = format!("{name}{rest}{}", "P".repeat(WINDOW));
            let mut window = [0; WINDOW];
            window.copy_from_slice(&line.as_bytes()[..WINDOW]);
            let mut expected = window;
            let end = run_end(&window, 0, PLAIN);
            let short = end.min(2 * BLOCK);
            expected[..short].make_ascii_lowercase();
            let space = usize::from(window.get(end + 1) == Some(&b' '));
            let fits = (1..=2 * BLOCK).contains(&end)
                && window[end] == b':' && window[end + 1 + space] > b' ';
            let found = short_line(&mut window);
            let places = found.as_ref().map(|line| (line.name_end, line.from));
            prop_assert_eq!(places, fits.then_some((end, end + 1 + space)));
            if let Some(line) = found {
                let end = run_end(&window, line.from, VALUE);
                let near = end < line.from + BLOCK;
                prop_assert_eq!(line.value_end, near.then_some(end));
            }
            prop_assert_eq!(window, expected);
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
