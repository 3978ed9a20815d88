//! Our claim to the path of a unix socket: a locked file beside it.
//!
//! A connection cannot tell a server that lives from one whose master was killed: its workers still
//! finish what they have. The lock can, for it is the master's alone.

use std::fs::Metadata;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::lock::{LockError, LockFile};

/// A claim; given up on drop.
#[derive(Debug)]
pub(super) struct Claim {
    lock: LockFile,
}

impl Claim {
    /// Claims a path.
    ///
    /// # Errors
    ///
    /// [`LockError::Held`] if it is a living server's, else the kernel's.
    pub(super) fn stake(path: &Path) -> Result<Self, LockError> {
        let lock = LockFile::take(&beside(path))?;
        Ok(Self { lock })
    }

    /// The claim that this process has had as another program.
    pub(super) fn adopt(file: OwnedFd, path: &Path) -> Self {
        let lock = LockFile::adopt(file, beside(path));
        Self { lock }
    }

    /// The locked file.
    pub(super) fn file(&self) -> BorrowedFd<'_> {
        self.lock.as_fd()
    }

    /// Whether what stands at the path is the socket of a server that had claimed it and is dead.
    pub(super) fn is_left_behind(&self, found: &Metadata) -> bool {
        let mut words = self.lock.left.split_whitespace().skip(1);
        words.next() == Some(name(found.dev(), found.ino()).as_str())
    }

    /// Notes the socket that was bound.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(super) fn record(&mut self, device: u64, inode: u64) -> io::Result<()> {
        self.lock.write(&name(device, inode))
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    beside.into()
}

/// What tells a file from every other.
fn name(device: u64, inode: u64) -> String {
    format!("{device}:{inode}")
}
