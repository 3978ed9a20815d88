//! The request that the worker is at this very moment, until its call has returned.
//!
//! Most calls return at once, so it is what every request pays for: a few words of its head, as they
//! came.

use std::num::NonZeroU64;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, Release};

use super::held::{self, printable};
use super::ids::RequestId;
use crate::os::shared_memory::SharedWords;

/// Stands in the page until it is dropped, however the call ends.
#[derive(Debug)]
pub(super) struct Presence<'a>(&'a Words);

/// The length of the head's beginning, then that.
type Words = [AtomicU64; 1 + HEAD_BYTES / 8];

impl<'a> Presence<'a> {
    #[inline]
    pub(super) fn enter(page: &'a SharedWords, head: &[u8]) -> Self {
        page.word(NUMBER).store(0, Relaxed);
        let words: &Words = page.words(LENGTH);
        match head.first_chunk() {
            Some(head) => write(words, head, HEAD_BYTES),
            None => write_short(words, head),
        }
        Self(words)
    }
}

impl Drop for Presence<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0[0].store(0, Relaxed);
    }
}

#[inline(always)]
fn write(words: &Words, head: &[u8; HEAD_BYTES], length: usize) {
    let [stands, words @ ..] = words;
    for (word, bytes) in words.iter().zip(head.as_chunks().0) {
        word.store(u64::from_le_bytes(*bytes), Relaxed);
    }
    stands.store(length as u64, Release);
}

/// Apart, so that the usual head is a known number of words.
#[inline(never)]
fn write_short(words: &Words, head: &[u8]) {
    let mut whole = [0; HEAD_BYTES];
    whole[..head.len()].copy_from_slice(head);
    write(words, &whole, head.len());
}

/// Notes the id that somebody has asked for just now, within the call if there is one.
pub(super) fn name(page: &SharedWords, id: RequestId) {
    let length = page.word(LENGTH).load(Relaxed);
    if length != 0 {
        let number = id.number().map_or(0, NonZeroU64::get);
        page.word(NUMBER).store(number, Relaxed);
        page.word(LENGTH).store(length | NAMED, Release);
    }
}

/// The id that somebody has asked for in the call that was begun last.
pub(super) fn named(page: &SharedWords) -> Option<RequestId> {
    let number = NonZeroU64::new(page.word(NUMBER).load(Relaxed))?;
    Some(RequestId::of(number.get()))
}

/// Whether a call has not returned.
pub(super) fn is_within(page: &SharedWords) -> bool {
    page.word(LENGTH).load(Relaxed) != 0
}

/// Method and path, and the id if it was asked for; none between two calls.
pub(super) fn read(page: &SharedWords) -> Option<(String, Option<RequestId>)> {
    let word = page.word(LENGTH).load(Relaxed);
    let number = page.word(NUMBER).load(Relaxed);
    let id = (word & NAMED != 0).then(|| RequestId::read(page, number));
    let length = usize::try_from(word & !NAMED).map_or(HEAD_BYTES, |length| length.min(HEAD_BYTES));
    let words = LENGTH + 1..END;
    let bytes = words.flat_map(|at| page.word(at).load(Relaxed).to_le_bytes());
    let bytes: Vec<u8> = bytes.take(length).collect();
    Some((request_line(&bytes)?, id))
}

/// Method and path of the head's first line, behind a name if one stands there; a query may hold secrets.
fn request_line(head: &[u8]) -> Option<String> {
    let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    // No method has a colon.
    let colon = head.iter().position(|byte| matches!(byte, b' ' | b':'));
    let name = colon.filter(|at| head[*at..].starts_with(b": "));
    let (name, head) = head.split_at(name.map_or(0, |at| at + 2));
    let start = head.iter().position(|byte| !is_end(byte))?;
    let head = &head[start..];
    let method = head.iter().position(|byte| *byte == b' ' || is_end(byte));
    let method = method.unwrap_or(head.len());
    let path = head.get(method + 1..).unwrap_or_default();
    let end = |byte: &u8| matches!(byte, b' ' | b'?') || is_end(byte);
    let (path, cut) = match path.iter().position(end) {
        Some(length) => (&path[..length], ""),
        None => (path, "..."),
    };
    let text = [name, &head[..method], b" ", path].concat();
    Some(printable(text.into_iter()) + cut)
}

/// The number of the id, if it is [`NAMED`].
const NUMBER: usize = 5;
/// Beside the length: the id is known.
const NAMED: u64 = 1 << 32;
/// How much of the head there is; 0 for none.
const LENGTH: usize = held::END;
/// Enough for most paths, and no more than the shortest heads have that browsers and proxies send.
const HEAD_BYTES: usize = 64;
/// First word behind it.
pub(super) const END: usize = LENGTH + 1 + HEAD_BYTES / 8;

#[cfg(test)]
mod tests {
    use super::super::{Page, Slot, new_id};
    use super::*;

    #[test]
    fn a_request_is_named_without_its_query_until_its_call_returns() {
        let page = Page::create().unwrap();
        let slot = Slot::map(&page).unwrap();
        assert_eq!(page.present(), None);
        let long = format!("GET /{} HTTP/1.1\r\n", "x".repeat(200));
        let cut = format!("GET /{}...", "x".repeat(59));
        for (head, expected) in [
            ("\r\nGET /a?token=1 HTTP/1.1\r\nHost: x\r\n", "GET /a"),
            (
                "shop: \r\nGET /a?token=1 HTTP/1.1\r\nHost: x\r\n",
                "shop: GET /a",
            ),
            ("POST /b HTTP/1.1\r\n", "POST /b"),
            (&long, &cut),
        ] {
            slot.at(head.as_bytes(), || {
                assert_eq!(page.present(), Some((expected.to_owned(), None)));
                let id = new_id();
                assert_eq!(page.present(), Some((expected.to_owned(), Some(id))));
            });
            assert_eq!(page.present(), None);
            new_id();
            assert_eq!(page.present(), None);
        }
    }

    #[test]
    fn nonsense_is_borne() {
        let page = Page::create().unwrap();
        for at in LENGTH..END {
            page.words.word(at).store(u64::MAX, Relaxed);
        }
        assert_eq!(page.present().unwrap().0, "?".repeat(64) + " ...");
    }
}
