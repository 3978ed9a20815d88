//! [`Line`]: a line while it is composed.

use std::ops::Deref;

/// A line in memory as long as lines may be, of a size that the compiler knows: its pieces are moves, and none of them
/// asks for room of its own. What finds no room is left out; [`Line::end`] tells of it.
#[derive(Debug)]
pub(super) struct Line<'m> {
    page: &'m mut Page,
    length: usize,
}

/// Memory of a line.
pub(super) type Page = [u8; PAGE];

/// A short text: its bytes, and how many of them it is.
pub(super) type Short = ([u8; SHORT], usize);

impl<'m> Line<'m> {
    /// An empty one.
    #[inline]
    pub(super) fn on(page: &'m mut Page) -> Self {
        Self { page, length: 0 }
    }

    /// Takes back what was appended behind the first `length` bytes.
    #[inline]
    pub(super) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    #[inline(always)]
    pub(super) fn push(&mut self, byte: u8) {
        if let Some(place) = self.page.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }

    #[inline(always)]
    pub(super) fn extend_from_slice(&mut self, bytes: &[u8]) {
        match self.room(bytes.len()) {
            Some(room) => {
                copy(room, bytes);
                self.advance(bytes.len());
            }
            None => self.fill(bytes),
        }
    }

    /// Appends a short text: all of its bytes are copied, which takes fewer steps than to copy some.
    #[inline(always)]
    pub(super) fn push_short(&mut self, (bytes, length): Short) {
        match self.room(SHORT) {
            Some(room) => {
                room.copy_from_slice(&bytes);
                self.advance(length);
            }
            None => self.fill(&bytes[..length]),
        }
    }

    /// Memory behind what was appended, if there is so much; [`Line::advance`] says how much of it was written.
    #[inline(always)]
    pub(super) fn room(&mut self, length: usize) -> Option<&mut [u8]> {
        self.page.get_mut(self.length..self.length + length)
    }

    /// Appends the first `length` bytes of the room.
    #[inline(always)]
    pub(super) fn advance(&mut self, length: usize) {
        self.length += length;
    }

    /// Appends what there is room for.
    #[cold]
    #[inline(never)]
    fn fill(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.push(*byte);
        }
    }

    /// Ends it, longer than a pipe takes at once with a mark for what was cut: how long it is.
    #[inline]
    pub(super) fn end(mut self) -> usize {
        if self.length > LONGEST {
            self.truncate(LONGEST - CUT_MARK.len());
            self.extend_from_slice(CUT_MARK);
        }
        self.push(b'\n');
        self.length
    }
}

impl Deref for Line<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.page[..self.length]
    }
}

/// Copies `from` to memory of the same length: a few bytes without a call.
#[inline(always)]
fn copy(to: &mut [u8], from: &[u8]) {
    const BLOCK: usize = 32;
    if let (Some(first), Some(last), BLOCK..=64) = (
        from.first_chunk::<BLOCK>(),
        from.last_chunk::<BLOCK>(),
        from.len(),
    ) && let Some(place) = to.first_chunk_mut()
    {
        *place = *first;
        if let Some(place) = to.last_chunk_mut() {
            *place = *last;
        }
    } else {
        to.copy_from_slice(from);
    }
}

/// What a write to a pipe may hold to be undivided (pipe(7)).
pub(super) const PIPE_BUF: usize = 4096;
/// Bytes of a line, without its end, that a pipe takes at once with it.
const LONGEST: usize = PIPE_BUF - 1;
/// Bytes of a line's memory: one that is too long is known by not fitting.
pub(super) const PAGE: usize = PIPE_BUF + SHORT;
/// Most bytes of a short text.
pub(super) const SHORT: usize = 8;
/// Stands for what was cut.
const CUT_MARK: &[u8] = b" ...";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_cut_and_told_of() {
        let text = [b'x'; PAGE + 9];
        let line = |pieces: &[usize]| {
            let mut page = [0; PAGE];
            let mut line = Line::on(&mut page);
            for piece in pieces {
                line.extend_from_slice(&text[..*piece]);
            }
            line.push_short((*b"ab......", 2));
            let length = line.end();
            page[..length].to_vec()
        };
        assert_eq!(line(&[]), b"ab\n");
        for length in 0..100 {
            assert_eq!(
                line(&[length, length]),
                [&text[..2 * length], b"ab\n"].concat()
            );
        }
        let whole = [&text[..LONGEST - 2], b"ab\n"].concat();
        assert_eq!((line(&[LONGEST - 2]), whole.len()), (whole, PIPE_BUF));
        let cut = [&text[..LONGEST - 4], b" ...\n"].concat();
        for pieces in [
            &[LONGEST - 1][..],
            &[PAGE - 1],
            &[PAGE],
            &[PAGE + 9],
            &[PAGE - 3, 9, 9],
        ] {
            assert_eq!(line(pieces), cut);
        }
    }
}
