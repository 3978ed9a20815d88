//! How many connections each worker of a server has, in memory that all of them see: one that has more
//! than its share lets the others accept first.
//!
//! Applications may scribble here; the worst that comes of it is that everybody is polite.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::sync::atomic::Ordering::Relaxed;

use crate::os::shared_memory::SharedWords;

/// A worker's view of what all of them have.
#[derive(Debug)]
pub(crate) struct Shares {
    words: SharedWords,
    /// The worker's place among the others.
    index: usize,
    /// Where the others' places end.
    end: usize,
    /// What stands there.
    told: Cell<u64>,
}

/// The memory, for as many workers as there may be, none of them told of yet.
///
/// # Errors
///
/// The kernel's.
pub(crate) fn create() -> io::Result<File> {
    SharedWords::create("gatewayd-shares", WORKERS.get())
}

impl Shares {
    /// Maps what [`create`] made; `index` is the worker's place among `count` that there are to be. One
    /// beyond the memory's end is alone.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(crate) fn map(file: impl AsFd, index: u32, count: u32) -> io::Result<Self> {
        Ok(Self {
            words: SharedWords::map(file, WORKERS)?,
            index: index as usize,
            end: (2 * count as usize + MORE).min(WORKERS.get()),
            told: Cell::new(0),
        })
    }

    /// Tells that this worker accepts and has so many connections; `now` is in ticks of a clock that all
    /// workers share. It counts until it is told otherwise, or for [`FRESH`] ticks.
    #[inline]
    pub(crate) fn tell(&self, connections: usize, now: u32) {
        let connections = u32::try_from(connections).unwrap_or(u32::MAX);
        let word = u64::from(now) << 32 | u64::from(connections);
        if word != self.told.get() {
            self.write(word);
        }
    }

    /// Tells that this worker accepts nobody.
    pub(crate) fn leave(&self) {
        self.write(0);
    }

    /// Whether a worker that accepts has clearly fewer connections on average than this one.
    pub(crate) fn has_more_than_its_own(&self, connections: usize, now: u32) -> bool {
        let others = (0..self.end).filter(|index| *index != self.index);
        let (mut sum, mut count) = (connections as u64, 1);
        for index in others {
            let word = self.words.word(index).load(Relaxed);
            let (told, theirs) = ((word >> 32) as u32, word & u64::from(u32::MAX));
            if word != 0 && now.abs_diff(told) <= FRESH {
                sum += theirs;
                count += 1;
            }
        }
        let mean = sum / count;
        connections as u64 > mean + (mean / 8).max(SLACK)
    }

    fn write(&self, word: u64) {
        self.told.set(word);
        if self.index < WORKERS.get() {
            self.words.word(self.index).store(word, Relaxed);
        }
    }
}

/// Most workers that are told of: all that there may be, and as many that replace them.
const WORKERS: NonZeroUsize = NonZeroUsize::new(1024).expect("not zero");
/// Places beyond twice as many workers as there are to be, half of which replace the other half: some
/// may be added by hand.
const MORE: usize = 8;
/// Ticks for which a worker's word counts: one that is stuck or dead keeps nobody from accepting.
const FRESH: u32 = 8;
/// Connections more than the mean that mean nothing.
const SLACK: u64 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn workers<const N: usize>() -> [Shares; N] {
        let file = create().unwrap();
        std::array::from_fn(|index| Shares::map(&file, u32::try_from(index).unwrap(), 2).unwrap())
    }

    #[test]
    fn a_worker_with_more_than_the_mean_lets_others_go_first() {
        let [one, two, three] = workers();
        one.tell(40, 100);
        two.tell(10, 101);
        three.tell(10, 99);
        assert!(one.has_more_than_its_own(40, 100));
        assert!(!two.has_more_than_its_own(10, 100));
        // As many as the others, or nearly so.
        assert!(!one.has_more_than_its_own(12, 100));
    }

    #[test]
    fn who_accepts_nobody_or_is_silent_does_not_count() {
        let [one, two, three] = workers();
        two.tell(0, 100);
        three.tell(0, 100);
        assert!(one.has_more_than_its_own(40, 100 + FRESH));
        assert!(!one.has_more_than_its_own(40, 101 + FRESH));
        two.leave();
        three.leave();
        assert!(!one.has_more_than_its_own(40, 100));
    }

    #[test]
    fn whatever_is_scribbled_is_merely_a_number() {
        let [one, two] = workers();
        two.write(u64::MAX);
        assert!(!one.has_more_than_its_own(40, u32::MAX));
        one.tell(0, 1);
        assert!(two.has_more_than_its_own(u32::MAX as usize, 1));
    }

    #[test]
    fn a_worker_beyond_the_memorys_end_is_told_of_to_nobody() {
        let file = create().unwrap();
        let far = Shares::map(&file, 100_000, 2).unwrap();
        far.tell(3, 1);
        assert!(!far.has_more_than_its_own(3, 1));
    }
}
