//! Ids of requests, made for those whose id somebody wants to know: the application, or the log of a
//! request that takes long.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::num::NonZeroU64;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use crate::os::shared_memory::SharedWords;

/// An id: `9f3c2a7be1d0-2a`. The part before the dash is the worker's, made by chance at its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestId {
    worker: u64,
    number: u64,
}

impl RequestId {
    /// The next of this process.
    pub(super) fn next() -> Self {
        Self::of(LAST.fetch_add(1, Relaxed) + 1)
    }

    /// The id of this process with that number.
    pub(crate) fn of(number: u64) -> Self {
        Self {
            worker: *WORKER.get_or_init(by_chance),
            number,
        }
    }

    /// What stands for the id in this process; never 0.
    pub(crate) fn number(self) -> Option<NonZeroU64> {
        NonZeroU64::new(self.number)
    }

    /// An id that stands in a worker's page.
    pub(super) fn read(page: &SharedWords, number: u64) -> Self {
        Self {
            worker: page.word(WORKER_WORD).load(Relaxed) & WORKER_BITS,
            number,
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { worker, number } = self;
        write!(f, "{worker:012x}-{number:x}")
    }
}

/// Has the page say which worker's ids the numbers in it are.
pub(super) fn sign(page: &SharedWords) {
    let worker = *WORKER.get_or_init(by_chance);
    page.word(WORKER_WORD).store(worker, Relaxed);
}

fn by_chance() -> u64 {
    RandomState::new().build_hasher().finish() & WORKER_BITS
}

/// The last number given.
static LAST: AtomicU64 = AtomicU64::new(0);
static WORKER: OnceLock<u64> = OnceLock::new();

/// Where the worker's part of its ids stands.
const WORKER_WORD: usize = 4;
/// Twelve digits.
const WORKER_BITS: u64 = (1 << 48) - 1;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_differ_and_are_shown_alike_wherever_they_are_read() {
        let ids: BTreeSet<_> = (0..100).map(|_| RequestId::next().to_string()).collect();
        assert_eq!(ids.len(), 100);
        let one = RequestId::next();
        let number = one.number().unwrap().get();
        assert_eq!(RequestId::of(number), one);
        let text = one.to_string();
        let (worker, rest) = text.split_once('-').unwrap();
        assert_eq!((worker.len(), rest), (12, &*format!("{number:x}")));
    }
}
