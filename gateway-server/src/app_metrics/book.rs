//! [`Book`]: the master's hold on all sheets.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering::{Relaxed, Release};

use nix::unistd::Pid;

use super::{BOOK_WORDS, COVER_WORDS, MAGIC, MAGIC_VALUE, OWNERS, SHEETS, TOP};
use crate::os::shared_memory::SharedWords;

/// All sheets, and whose they are.
#[derive(Debug)]
pub(crate) struct Book {
    file: File,
    cover: SharedWords,
}

impl Book {
    fn create() -> io::Result<Self> {
        let file = SharedWords::create("gatewayd-app-metrics", BOOK_WORDS.get())?;
        let cover = SharedWords::map(&file, COVER_WORDS)?;
        cover.word(MAGIC).store(MAGIC_VALUE, Release);
        Ok(Self { file, cover })
    }

    /// That of the program which this process was before, if there was one and its sheets have this form;
    /// otherwise an empty one.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(crate) fn open(before: Option<OwnedFd>) -> io::Result<Self> {
        match before.map(Self::adopt).transpose()?.flatten() {
            Some(book) => Ok(book),
            None => Self::create(),
        }
    }

    fn adopt(file: OwnedFd) -> io::Result<Option<Self>> {
        let file = File::from(file);
        if file.metadata()?.len() != (BOOK_WORDS.get() * 8) as u64 {
            return Ok(None);
        }
        let cover = SharedWords::map(&file, COVER_WORDS)?;
        let ours = cover.word(MAGIC).load(Relaxed) == MAGIC_VALUE;
        Ok(ours.then_some(Self { file, cover }))
    }

    /// Notes that a worker has ended: whoever comes goes on with its sheet.
    pub(crate) fn release(&self, worker: Pid) {
        let pid = u64::from(worker.as_raw().unsigned_abs());
        let top = usize::try_from(self.cover.word(TOP).load(Relaxed)).unwrap_or(SHEETS);
        for index in 0..top.min(SHEETS) {
            let owner = self.cover.word(OWNERS + index);
            if owner.load(Relaxed) & !super::SETTLING == pid {
                owner.store(0, Release);
            }
        }
    }
}

impl AsFd for Book {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
