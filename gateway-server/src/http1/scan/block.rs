//! The classes of bytes, sixteen bytes at a time.

use wide::{i8x16, u8x16};

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

/// One bit for each byte that is neither a graphic ASCII character nor a space.
#[inline(always)]
pub(super) fn unusual(block: u8x16) -> u32 {
    above_negated(block, b' ' - 1)
}

/// Whether the bytes of both blocks are graphic ASCII characters and spaces.
#[inline(always)]
pub(super) fn are_usual([one, other]: [u8x16; 2]) -> bool {
    (above(one, b' ' - 1) & above(other, b' ' - 1)).to_bitmask() == 0xFFFF
}

/// One bit for each byte that is no graphic ASCII character, and for `#`.
#[inline(always)]
pub(super) fn no_usual_target(block: u8x16) -> u32 {
    above_negated(block, b' ') | equal(block, b'#').to_bitmask()
}

/// One bit for each byte that is not above `byte` and below DEL.
#[inline(always)]
fn above_negated(block: u8x16, byte: u8) -> u32 {
    !above(block, byte).to_bitmask() & 0xFFFF
}

/// Ones in each byte that is above `byte` and below DEL.
#[inline(always)]
fn above(block: u8x16, byte: u8) -> i8x16 {
    // One more makes DEL negative, and leaves the rest of the upper half negative or makes it 0.
    let signed = i8x16::new((block + splat(1)).to_array().map(u8::cast_signed));
    signed.simd_gt(i8x16::splat(byte.cast_signed() + 1))
}

#[inline(always)]
pub(super) fn load(block: &[u8; BLOCK]) -> u8x16 {
    u8x16::new(*block)
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
pub(super) fn equal(block: u8x16, byte: u8) -> u8x16 {
    block.simd_eq(splat(byte))
}

#[inline(always)]
fn at_most(block: u8x16, byte: u8) -> u8x16 {
    block.min(splat(byte)).simd_eq(block)
}

#[inline(always)]
pub(super) fn splat(byte: u8) -> u8x16 {
    u8x16::splat(byte)
}

#[inline(always)]
fn first_below(found: u32, ends: u32, at: usize) -> Option<usize> {
    let first = found.trailing_zeros();
    (first < ends.trailing_zeros()).then(|| at + first as usize)
}

/// Ones in the first `count` bytes.
#[inline(always)]
pub(super) fn prefix(count: usize) -> u8x16 {
    static PREFIXES: [u8x16; BLOCK + 1] = {
        let mut prefixes = [u8x16::new([0; BLOCK]); BLOCK + 1];
        let mut n = 0;
        while n <= BLOCK {
            let mut ones = [0; BLOCK];
            let mut i = 0;
            while i < n {
                ones[i] = 0xFF;
                i += 1;
            }
            prefixes[n] = u8x16::new(ones);
            n += 1;
        }
        prefixes
    };
    PREFIXES[count]
}

/// The buffer's last block, and how many of its bytes stand before `at`.
#[inline(always)]
fn load_last(bytes: &[u8], at: usize) -> Option<(u8x16, usize)> {
    let last = bytes.last_chunk()?;
    let before = at - (bytes.len() - BLOCK);
    (before <= BLOCK).then(|| (u8x16::new(*last), before))
}
