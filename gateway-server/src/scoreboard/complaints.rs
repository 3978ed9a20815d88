//! The last errors that a worker has logged, its application's among them, for whoever looks at the
//! server and not at its log.
//!
//! A ring in the worker's page, written through a descriptor: any thread may have something to complain
//! of, and it is rare.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, SystemTime};

use super::held::printable;
use super::present;
use crate::os::shared_memory::SharedWords;

/// The worker's hand on the ring.
#[derive(Debug)]
pub(crate) struct Complaints {
    page: File,
    /// How many there have been.
    count: Mutex<u64>,
}

/// One of them, as the worker tells of it; nothing of it can be relied on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// When, since the epoch; not in the future.
    pub(crate) at: Duration,
    /// What the log says, printable, cut to [`TEXT_BYTES`].
    pub(crate) text: String,
}

impl Complaints {
    /// The ring of this page.
    ///
    /// # Errors
    ///
    /// The kernel's: no descriptor.
    pub(crate) fn of(page: &File) -> io::Result<Self> {
        Ok(Self {
            page: page.try_clone()?,
            count: Mutex::default(),
        })
    }

    /// Enters what has just been logged, in the place of the oldest.
    pub(crate) fn enter(&self, text: &str) {
        // Whoever panicked here has counted, and no more.
        let mut count = self.count.lock().unwrap_or_else(|error| error.into_inner());
        let place = usize::try_from(*count % ENTRIES as u64).unwrap_or_default();
        *count += 1;
        let mut entry = [0; ENTRY_WORDS * 8];
        let now = u64::try_from(now().as_millis()).unwrap_or(u64::MAX);
        entry[..8].copy_from_slice(&count.to_le_bytes());
        entry[8..16].copy_from_slice(&now.to_le_bytes());
        let length = text.len().min(TEXT_BYTES);
        entry[16..16 + length].copy_from_slice(&text.as_bytes()[..length]);
        let at = (FIRST_WORD + place * ENTRY_WORDS) * 8;
        // It is in the log already.
        let _ = self.page.write_all_at(&entry, at as u64);
    }
}

/// The complaints in a page, the oldest first.
pub(super) fn read(page: &SharedWords) -> Vec<Complaint> {
    let now = now();
    let word = |at: usize| page.word(at).load(Relaxed);
    let starts = (0..ENTRIES).map(|place| FIRST_WORD + place * ENTRY_WORDS);
    let mut found: Vec<(u64, Complaint)> = starts
        .filter(|start| word(*start) != 0)
        .map(|start| {
            let text = (start + 2..start + ENTRY_WORDS).flat_map(|at| word(at).to_le_bytes());
            let complaint = Complaint {
                at: Duration::from_millis(word(start + 1)).min(now),
                text: printable(text.take_while(|byte| *byte != 0)),
            };
            (word(start), complaint)
        })
        .collect();
    found.sort_by_key(|(number, _)| *number);
    found.into_iter().map(|(_, complaint)| complaint).collect()
}

fn now() -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap_or_default()
}

/// First word of the ring.
const FIRST_WORD: usize = present::END;
/// First word behind it.
pub(super) const END: usize = FIRST_WORD + ENTRIES * ENTRY_WORDS;
/// How many are kept.
const ENTRIES: usize = 8;
/// A number, a time, and the text.
const ENTRY_WORDS: usize = 34;
/// Longest text.
const TEXT_BYTES: usize = (ENTRY_WORDS - 2) * 8;

#[cfg(test)]
mod tests {
    use super::super::Page;
    use super::*;

    #[test]
    fn the_last_of_them_are_read_in_their_order() {
        let page = Page::create().unwrap();
        let ring = Complaints::of(&page.file).unwrap();
        assert_eq!(page.complaints(), []);
        for number in 0..ENTRIES + 3 {
            ring.enter(&format!("error {number}"));
        }
        let texts = || {
            let read = page.complaints().into_iter();
            read.map(|one| one.text).collect::<Vec<_>>()
        };
        let expected: Vec<_> = (3..ENTRIES + 3)
            .map(|number| format!("error {number}"))
            .collect();
        assert_eq!(texts(), expected);
        ring.enter(&"x\n".repeat(1_000));
        assert_eq!(texts().last().unwrap(), &"x?".repeat(TEXT_BYTES / 2));
        assert!(
            page.complaints()
                .iter()
                .all(|one| one.at.as_secs() > 1_000_000_000)
        );
        ring.enter("");
        assert_eq!(texts().last().unwrap(), "");
    }

    #[test]
    fn nonsense_is_borne() {
        let page = Page::create().unwrap();
        for at in FIRST_WORD..END {
            page.words.word(at).store(u64::MAX, Relaxed);
        }
        let read = page.complaints();
        assert_eq!(read.len(), ENTRIES);
        assert!(
            read.iter()
                .all(|one| one.text == "?".repeat(TEXT_BYTES) && one.at <= now())
        );
    }
}
