//! Where a worker was as it was aborted or crashed, as its handler wrote it into the page.

use std::sync::atomic::Ordering::Relaxed;

use super::held::printable;
use crate::os::shared_memory::SharedWords;

/// The lines between two words of the page, up to the first zero byte.
pub(super) fn read(page: &SharedWords, from: usize, to: usize) -> Vec<String> {
    let bytes = (from..to).flat_map(|at| page.word(at).load(Relaxed).to_le_bytes());
    let bytes: Vec<u8> = bytes.take_while(|byte| *byte != 0).collect();
    let lines = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let shown = |line: &[u8]| printable(line.iter().copied().take(LINE_BYTES));
    lines.take(LINES).map(shown).collect()
}

/// Most lines that are shown.
const LINES: usize = 40;
/// Longest line that is shown.
const LINE_BYTES: usize = 200;

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;

    fn lines(text: &[u8]) -> Vec<String> {
        let file = SharedWords::create("test", 32).unwrap();
        let page = SharedWords::map(&file, NonZeroUsize::new(32).unwrap()).unwrap();
        for (at, bytes) in text.chunks(8).enumerate() {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            page.word(at).store(u64::from_le_bytes(word), Relaxed);
        }
        read(&page, 0, 32)
    }

    #[test]
    fn a_trace_is_read_line_by_line() {
        assert_eq!(lines(b"one(+0x1)\ntwo\n"), ["one(+0x1)", "two"]);
    }

    #[test]
    fn silence_and_nonsense_are_borne() {
        assert_eq!(lines(b""), [""; 0]);
        assert_eq!(lines(&[0xff; 256]), ["?".repeat(LINE_BYTES)]);
    }
}
