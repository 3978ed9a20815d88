//! [`Outgoing`]: bytes that wait to be sent.

use std::fmt;
use std::ops::Deref;

/// A buffer that is written in place.
///
/// Its memory is initialised ahead of what is written, so that the parts of a head are moves into
/// one page, whose size the compiler knows: no part asks for room of its own.
#[derive(Clone, Default)]
pub struct Outgoing {
    /// What was written, then whatever was there before.
    memory: Vec<u8>,
    length: usize,
}

/// Memory behind what was written.
pub(super) type Page = [u8; PAGE];

impl Outgoing {
    /// Bytes it may hold without more memory.
    #[must_use]
    #[inline]
    pub fn capacity(&self) -> usize {
        self.memory.len()
    }

    /// Bytes that were written.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether nothing was written.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Forgets what was written and keeps the memory.
    #[inline]
    pub fn clear(&mut self) {
        self.length = 0;
    }

    /// Forgets what was written behind the first `length` bytes.
    #[inline]
    pub(super) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// Appends a copy.
    #[inline]
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        if self.memory.len() - self.length < bytes.len() {
            self.grow(bytes.len());
        }
        let room = &mut self.memory[self.length..][..bytes.len()];
        copy(room, bytes);
        self.length += bytes.len();
    }

    /// Appends what `other` holds, which is empty then.
    pub fn append(&mut self, other: &mut Self) {
        self.extend_from_slice(other);
        other.clear();
    }

    /// Where the next bytes are written; [`advance`](Self::advance) says how many were.
    #[inline(always)]
    pub(super) fn page(&mut self) -> &mut Page {
        let end = self.length + PAGE;
        if self.memory.len() < end {
            self.grow(PAGE);
        }
        let memory = &mut self.memory[..end];
        memory.last_chunk_mut().expect("there is room for a page")
    }

    /// Keeps the first `count` bytes of the page.
    #[inline(always)]
    pub(super) fn advance(&mut self, count: usize) {
        debug_assert!(count <= self.memory.len() - self.length);
        self.length += count;
    }

    #[cold]
    fn grow(&mut self, room: usize) {
        let needed = self.length + room;
        self.memory.resize(needed.max(2 * self.memory.len()), 0);
    }
}

/// Copies `from` to memory of the same length: a few bytes without a call.
#[inline(always)]
pub(super) fn copy(to: &mut [u8], from: &[u8]) {
    match from.len() {
        8..=15 => copy_ends::<8>(to, from),
        16..=32 => copy_ends::<16>(to, from),
        33..=64 => copy_ends::<32>(to, from),
        _ => to.copy_from_slice(from),
    }
}

/// Copies the first and the last `N` bytes, which are all if there are `N` to `2 * N`.
#[inline(always)]
fn copy_ends<const N: usize>(to: &mut [u8], from: &[u8]) {
    if let (Some(first), Some(last)) = (from.first_chunk::<N>(), from.last_chunk::<N>()) {
        if let Some(place) = to.first_chunk_mut() {
            *place = *first;
        }
        if let Some(place) = to.last_chunk_mut() {
            *place = *last;
        }
    }
}

impl Deref for Outgoing {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.memory[..self.length]
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outgoing({} bytes)", self.length)
    }
}

/// Bytes of a [`Page`]: a response head of usual size.
pub(super) const PAGE: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_is_there_whatever_its_length() {
        let text: Vec<u8> = (0..=255).collect();
        let (mut out, mut expected) = (Outgoing::default(), Vec::new());
        for length in (0..100).chain([PAGE / 8, 255]) {
            out.extend_from_slice(&text[..length]);
            expected.extend_from_slice(&text[..length]);
            assert_eq!(*out, *expected);
        }
        let mut other = Outgoing::default();
        other.append(&mut out);
        assert_eq!((&*other, out.is_empty()), (&*expected, true));
    }

    #[test]
    fn a_page_follows_what_was_written() {
        let mut out = Outgoing::default();
        for _ in 0..5 {
            let page = out.page();
            page[..3].copy_from_slice(b"abc");
            out.advance(3);
            out.extend_from_slice(b"-");
        }
        assert_eq!(&*out, b"abc-abc-abc-abc-abc-");
        out.truncate(4);
        assert_eq!(&*out, b"abc-");
    }
}
