//! What a worker writes into its page as it is aborted or crashes: the request that it is at, and where it is.

use std::sync::atomic::Ordering::Relaxed;

use super::held::printable;
use crate::os::shared_memory::SharedWords;

/// A worker's last words; nothing of them can be relied on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LastWords {
    /// Method and path of the request whose call had not returned, if there was one.
    pub(crate) request: Option<String>,
    /// The calls that it was in, the innermost first, as the C library shows them.
    pub(crate) trace: Vec<String>,
}

impl LastWords {
    pub(super) fn read(page: &SharedWords, from: usize, to: usize) -> Self {
        let bytes = (from..to).flat_map(|at| page.word(at).load(Relaxed).to_le_bytes());
        let bytes: Vec<u8> = bytes.collect();
        let (head, rest) = split(&bytes);
        let (trace, _) = split(rest);
        let lines = trace
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        let shown = |line: &[u8]| printable(line.iter().copied().take(LINE_BYTES));
        Self {
            request: request_line(head),
            trace: lines.take(LINES).map(shown).collect(),
        }
    }
}

/// What stands before the first zero byte, and what behind it.
fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(0, bytes) {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &[]),
    }
}

/// Method and path of the head's first line; a query may hold secrets.
fn request_line(head: &[u8]) -> Option<String> {
    let line = head
        .split(|byte| *byte == b'\r' || *byte == b'\n')
        .find(|line| !line.is_empty())?;
    let mut words = line.split(|byte| *byte == b' ');
    let (method, target) = (words.next()?, words.next().unwrap_or_default());
    let path = target
        .split(|byte| *byte == b'?')
        .next()
        .unwrap_or_default();
    let text = [method, b" ", path].concat();
    Some(printable(text.into_iter().take(LINE_BYTES)))
}

/// Most lines that are shown.
const LINES: usize = 40;
/// Longest line that is shown.
const LINE_BYTES: usize = 200;

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;

    fn words(text: &[u8]) -> LastWords {
        let file = SharedWords::create("test", 32).unwrap();
        let page = SharedWords::map(&file, NonZeroUsize::new(32).unwrap()).unwrap();
        let (whole, _) = text.as_chunks::<8>();
        for (at, word) in whole.iter().enumerate() {
            page.word(at).store(u64::from_le_bytes(*word), Relaxed);
        }
        LastWords::read(&page, 0, 32)
    }

    #[test]
    fn a_request_is_named_without_its_query() {
        let said = words(b"\r\nGET /a?token=1 HTTP/1.1\r\nHost: x\r\n\0one(+0x1)\ntwo\n\0.......");
        assert_eq!(said.request.as_deref(), Some("GET /a"));
        assert_eq!(said.trace, ["one(+0x1)", "two"]);
    }

    #[test]
    fn silence_and_nonsense_are_borne() {
        assert_eq!(words(b""), LastWords::default());
        assert_eq!(words(b"\0one\n\0...").trace, ["one"]);
        let noise = words(&[0xff; 256]);
        assert_eq!(noise.request.unwrap(), "?".repeat(LINE_BYTES));
        assert_eq!(noise.trace, [""; 0]);
    }
}
