//! The memory that a board stands in: one process writes, another reads, and neither waits.

use std::fs::File;
use std::hint;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::fence;

use super::Board;
use crate::os::shared_memory::SharedWords;

/// The master's hand on the memory.
#[derive(Debug)]
pub(crate) struct BoardWriter {
    file: File,
    words: SharedWords,
    /// Even while nothing is being written.
    version: u64,
}

/// The other process's view.
#[derive(Debug)]
pub(crate) struct BoardReader(SharedWords);

impl BoardWriter {
    /// Empty memory.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(crate) fn create() -> io::Result<Self> {
        let file = SharedWords::create("gatewayd-board", WORDS.get())?;
        let words = SharedWords::map(&file, WORDS)?;
        Ok(Self {
            file,
            words,
            version: 0,
        })
    }

    /// Writes a board over the one before. What would be longer than the memory is cut: the rows of
    /// workers come last, and there is room for more than ten thousand behind a hundred pools.
    pub(crate) fn write(&mut self, board: &Board) {
        let mut text = board.to_text();
        if text.len() > TEXT_BYTES {
            let end = text[..text.floor_char_boundary(TEXT_BYTES)].rfind('\n');
            text.truncate(end.map_or(0, |end| end + 1));
        }
        self.words.word(VERSION).store(self.version + 1, Relaxed);
        fence(Release);
        self.words.word(LENGTH).store(text.len() as u64, Relaxed);
        for (at, chunk) in text.as_bytes().chunks(8).enumerate() {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            let word = u64::from_le_bytes(word);
            self.words.word(TEXT + at).store(word, Relaxed);
        }
        self.version += 2;
        self.words.word(VERSION).store(self.version, Release);
    }
}

impl AsFd for BoardWriter {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl BoardReader {
    /// Maps what a [`BoardWriter`] has created, for reading.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(crate) fn map(file: OwnedFd) -> io::Result<Self> {
        SharedWords::map_to_read(file, WORDS).map(Self)
    }

    /// The board that stands there; none if it is being written for as long as this looks, or if
    /// nothing was written yet.
    pub(crate) fn read(&self) -> Option<Board> {
        let word = |at| self.0.word(at);
        for _ in 0..TRIES {
            let before = word(VERSION).load(Acquire);
            if before == 0 {
                return None;
            }
            let length = usize::try_from(word(LENGTH).load(Relaxed)).unwrap_or(usize::MAX);
            let length = length.min(TEXT_BYTES);
            let words = (0..length.div_ceil(8)).map(|at| word(TEXT + at).load(Relaxed));
            let mut bytes: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
            bytes.truncate(length);
            fence(Acquire);
            if before.is_multiple_of(2) && word(VERSION).load(Relaxed) == before {
                return Board::parse(str::from_utf8(&bytes).ok()?);
            }
            hint::spin_loop();
        }
        None
    }
}

const VERSION: usize = 0;
const LENGTH: usize = 1;
const TEXT: usize = 2;
const WORDS: NonZeroUsize = NonZeroUsize::new(1024 * 1024 / 8).expect("not zero");
const TEXT_BYTES: usize = (WORDS.get() - TEXT) * 8;
/// Writing takes microseconds.
const TRIES: u32 = 10_000;

#[cfg(test)]
mod tests {
    use std::thread;

    use super::super::Mishap;
    use super::*;

    #[test]
    fn a_reader_never_sees_half_a_board() {
        let mut writer = BoardWriter::create().unwrap();
        let reader = BoardReader::map(writer.file.try_clone().unwrap().into()).unwrap();
        assert_eq!(reader.read(), None);
        let board = |number: u32| Board {
            pid: number,
            generation: number,
            app: "x".repeat(number as usize % 500),
            target: number,
            ..Board::default()
        };
        thread::scope(|scope| {
            scope.spawn(|| (0..2_000).for_each(|number| writer.write(&board(number))));
            while let None | Some(Board { pid: 0..1_999, .. }) = reader.read().inspect(|seen| {
                assert_eq!(*seen, board(seen.pid));
            }) {}
        });
    }

    #[test]
    fn what_is_too_long_is_cut_between_two_things() {
        let mut writer = BoardWriter::create().unwrap();
        let mishap = Mishap {
            at: std::time::Duration::ZERO,
            text: "x".repeat(1_000),
        };
        let errors = vec![mishap; 2_000];
        writer.write(&Board {
            errors,
            ..Board::default()
        });
        let reader = BoardReader::map(writer.file.try_clone().unwrap().into()).unwrap();
        let read = reader.read().unwrap();
        assert!((1_000..2_000).contains(&read.errors.len()));
        assert!(read.errors.iter().all(|one| one.text.len() == 1_000));
    }
}
