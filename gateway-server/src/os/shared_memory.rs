//! Memory that two processes see, as 64-bit words.

use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

use super::memfd;

/// A mapping of a file whose length is sealed.
///
/// Every bit pattern is a valid `u64`, so whatever the other process writes is merely a wrong number.
#[derive(Debug)]
pub(crate) struct SharedWords {
    start: NonNull<AtomicU64>,
    count: usize,
}

impl SharedWords {
    /// A new file of `count` words, all zero.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(crate) fn create(name: &str, count: usize) -> io::Result<File> {
        let file = memfd::create(name)?;
        file.set_len((count * size_of::<u64>()) as u64)?;
        memfd::seal_length(&file)?;
        Ok(file)
    }

    /// Maps `count` words from the beginning of `file`, for reading and writing.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` if the file is shorter, else the kernel's.
    pub(crate) fn map(file: impl AsFd, count: NonZeroUsize) -> io::Result<Self> {
        Self::map_part(file, 0, count)
    }

    /// Maps `count` words from the one at `first` on, where a page begins, for reading and writing.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` if the file is shorter, else the kernel's.
    pub(crate) fn map_part(file: impl AsFd, first: usize, count: NonZeroUsize) -> io::Result<Self> {
        let both = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        Self::map_with(file, first, count, both)
    }

    /// The same for reading alone: a store would end the process. Of the loads that this processor has
    /// for a word, relaxed and acquiring ones write nothing.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` if the file is shorter, else the kernel's.
    pub(crate) fn map_to_read(file: impl AsFd, count: NonZeroUsize) -> io::Result<Self> {
        Self::map_part_to_read(file, 0, count)
    }

    /// A part of a file for reading alone.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` if the file is shorter, else the kernel's.
    pub(crate) fn map_part_to_read(
        file: impl AsFd,
        first: usize,
        count: NonZeroUsize,
    ) -> io::Result<Self> {
        Self::map_with(file, first, count, ProtFlags::PROT_READ)
    }

    fn map_with(
        file: impl AsFd,
        first: usize,
        count: NonZeroUsize,
        protection: ProtFlags,
    ) -> io::Result<Self> {
        let bytes = count.checked_mul(WORD).ok_or(io::ErrorKind::InvalidInput)?;
        let start = first.saturating_mul(WORD.get());
        let end = start.saturating_add(bytes.get()) as u64;
        let length = nix::sys::stat::fstat(&file)?.st_size;
        if u64::try_from(length).is_ok_and(|length| length < end) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let from = i64::try_from(start).map_err(io::Error::other)?;
        // SAFETY: the kernel picks the address, so nothing that exists is replaced; the file is long
        // enough and its length is sealed by `create`.
        let start = unsafe { mmap(None, bytes, protection, MapFlags::MAP_SHARED, &file, from) }?;
        Ok(Self {
            start: start.cast(),
            count: count.get(),
        })
    }

    /// The word at `index`.
    ///
    /// # Panics
    ///
    /// If there is no such word.
    pub(crate) fn word(&self, index: usize) -> &AtomicU64 {
        assert!(index < self.count, "word {index} of {}", self.count);
        // SAFETY: within the mapping, as just checked.
        let word = unsafe { self.start.add(index) };
        // SAFETY: the mapping is page-aligned, lives as long as `self`, and is only ever reached
        // through atomics in this process; the kernel shares it with another process's atomics.
        unsafe { word.as_ref() }
    }
}

impl SharedWords {
    /// `COUNT` words from the one at `index` on.
    ///
    /// # Panics
    ///
    /// If there are not so many.
    #[inline]
    pub(crate) fn words<const COUNT: usize>(&self, index: usize) -> &[AtomicU64; COUNT] {
        let end = index.saturating_add(COUNT);
        assert!(end <= self.count, "words to {end} of {}", self.count);
        // SAFETY: within the mapping or at its end, as just checked.
        let first = unsafe { self.start.add(index) };
        // SAFETY: so many words are within the mapping, which lives as long as `self` and is only ever
        // reached through atomics.
        unsafe { first.cast().as_ref() }
    }
}

// SAFETY: the mapping belongs to the process, not to a thread, and is reached through atomics alone.
unsafe impl Send for SharedWords {}
// SAFETY: as above.
unsafe impl Sync for SharedWords {}

impl Drop for SharedWords {
    fn drop(&mut self) {
        let bytes = self.count * size_of::<u64>();
        // SAFETY: start and length are those of the mapping, and every reference into it borrows `self`.
        let unmapped = unsafe { munmap(self.start.cast(), bytes) };
        debug_assert!(unmapped.is_ok(), "the mapping was made by map()");
    }
}

const WORD: NonZeroUsize = NonZeroUsize::new(size_of::<u64>()).expect("not zero");

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;

    #[test]
    fn two_mappings_of_one_file_see_each_other() {
        let file = SharedWords::create("test", 4).unwrap();
        let four = NonZeroUsize::new(4).unwrap();
        let (one, other) = (
            SharedWords::map(&file, four).unwrap(),
            SharedWords::map(&file, four).unwrap(),
        );
        one.word(3).store(7, Relaxed);
        assert_eq!(other.word(3).load(Relaxed), 7);
    }

    #[test]
    fn words_are_reached_together_and_never_beyond_the_end() {
        let file = SharedWords::create("test", 4).unwrap();
        let words = SharedWords::map(&file, NonZeroUsize::new(4).unwrap()).unwrap();
        let [two, three] = words.words(2);
        two.store(7, Relaxed);
        three.store(8, Relaxed);
        assert_eq!([2, 3].map(|at| words.word(at).load(Relaxed)), [7, 8]);
        for index in [3, 4, usize::MAX] {
            let reach = || words.words::<2>(index)[0].load(Relaxed);
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(reach)).unwrap_err();
        }
    }

    #[test]
    fn a_file_that_is_too_short_is_not_mapped() {
        let file = SharedWords::create("test", 4).unwrap();
        let error = SharedWords::map(&file, NonZeroUsize::new(5).unwrap()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
