//! Texts in which nothing has to be escaped: they are copied and looked at in one pass.

use wide::i8x16;

use super::line::Line;

/// Appends a text in which nothing has to be escaped; false, with nothing appended, if it is another, or too long.
#[inline(always)]
pub(super) fn push_plain(line: &mut Line<'_>, text: &[u8]) -> bool {
    let Some(room) = line.room(text.len()) else {
        return false;
    };
    let plain = copy(room, text);
    if plain {
        line.advance(text.len());
    }
    plain
}

/// Copies a text to memory of the same length: whether nothing in it has to be escaped.
#[inline(always)]
fn copy(to: &mut [u8], from: &[u8]) -> bool {
    match from.len() {
        0..4 => {
            to.copy_from_slice(from);
            from.iter().all(|byte| all(are_plain([*byte; BLOCK])))
        }
        4..8 => all(are_plain(joined([joined::<4, 8>(copy_ends(to, from)); 2]))),
        8..BLOCK => all(are_plain(joined(copy_ends::<8>(to, from)))),
        _ => copy_blocks(to, from),
    }
}

/// The same for a block and more.
#[inline(always)]
fn copy_blocks(to: &mut [u8], from: &[u8]) -> bool {
    // What is left behind the blocks lies in the last sixteen bytes.
    let [_, last] = copy_ends(to, from);
    let mut plain = are_plain(last);
    let ((places, _), (blocks, _)) = (to.as_chunks_mut(), from.as_chunks());
    for (place, block) in places.iter_mut().zip(blocks) {
        *place = *block;
        plain &= are_plain(*block);
    }
    all(plain)
}

/// Copies the first and the last `N` bytes, of no fewer, which are all of them if there are no more than twice as many.
#[inline(always)]
fn copy_ends<const N: usize>(to: &mut [u8], from: &[u8]) -> [[u8; N]; 2] {
    let ends = [from.first_chunk(), from.last_chunk()].map(|end| end.copied().unwrap_or([0; N]));
    if let Some(place) = to.first_chunk_mut() {
        *place = ends[0];
    }
    if let Some(place) = to.last_chunk_mut() {
        *place = ends[1];
    }
    ends
}

/// One behind the other; `M` is twice `N`.
#[inline(always)]
fn joined<const N: usize, const M: usize>([first, last]: [[u8; N]; 2]) -> [u8; M] {
    let mut both = [0; M];
    both[..N].copy_from_slice(&first);
    both[N..].copy_from_slice(&last);
    both
}

/// Ones in each byte that is a printable character of ASCII, and neither a quote nor a backslash.
#[inline(always)]
fn are_plain(block: [u8; BLOCK]) -> i8x16 {
    // One more makes DEL negative, and leaves the rest of the upper half negative or makes it 0.
    let next = i8x16::new(block.map(u8::cast_signed)) + i8x16::splat(1);
    let is = |byte: u8| next.simd_eq(i8x16::splat(byte.cast_signed() + 1));
    next.simd_gt(i8x16::splat(b' '.cast_signed())) & !(is(b'"') | is(b'\\'))
}

#[inline(always)]
fn all(bytes: i8x16) -> bool {
    bytes.to_bitmask() == (1 << BLOCK) - 1
}

const BLOCK: usize = 16;

#[cfg(test)]
mod tests {
    use super::super::line::PAGE;
    use super::*;

    #[test]
    fn every_byte_is_found_wherever_it_stands() {
        let mut page = [0; PAGE];
        for byte in 0..=u8::MAX {
            let plain = matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
            for length in 1..36 {
                for at in 0..length {
                    for fill in [b' ', b'~'] {
                        let mut text = vec![fill; length];
                        text[at] = byte;
                        let mut line = Line::on(&mut page);
                        assert_eq!(push_plain(&mut line, &text), plain, "{text:?}");
                        assert_eq!(*line, text[..if plain { length } else { 0 }]);
                    }
                }
            }
        }
    }

    #[test]
    fn what_finds_no_room_is_not_appended() {
        let mut page = [0; PAGE];
        let mut line = Line::on(&mut page);
        assert!(push_plain(&mut line, b""));
        assert!(push_plain(&mut line, &[b'x'; PAGE - 1]));
        assert!(!push_plain(&mut line, b"xy"));
        assert_eq!(line.len(), PAGE - 1);
    }
}
