//! A file that says which process something belongs to, for as long as that process lives.
//!
//! The file is locked, not merely there: the kernel lets go of the lock when the process ends, however
//! it ends, so nobody has to guess from a number whether it still runs.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::libc;

/// A file that this process holds; removed on drop.
#[derive(Debug)]
pub(crate) struct LockFile {
    file: File,
    path: PathBuf,
    /// What stood in it before, left by a process that no longer runs or locks no files.
    pub(crate) left: String,
    keep: Keep,
}

/// What becomes of the file in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    /// It is removed.
    No,
    /// It stays: it is somebody else's.
    Yes,
}

impl LockFile {
    /// Takes the file, and creates it if it is not there.
    ///
    /// # Errors
    ///
    /// [`LockError::Held`] if another process has it, else the kernel's.
    pub(crate) fn take(path: &Path) -> Result<Self, LockError> {
        let path = std::path::absolute(path)?;
        for _ in 0..ATTEMPTS {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(MODE)
                .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
                .open(&path)?;
            if !file.metadata()?.is_file() {
                return Err(LockError::NoFile);
            }
            let mut left = String::new();
            // Whatever else stands there is none of ours.
            let _ = Read::by_ref(&mut file)
                .take(LEFT_BYTES)
                .read_to_string(&mut left);
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let holder = left.split_whitespace().next().unwrap_or_default();
                    return Err(LockError::Held {
                        pid: holder.parse().ok(),
                    });
                }
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
            // Its last holder may have removed it since it was opened.
            if is_at(&file, &path) {
                return Ok(Self {
                    file,
                    path,
                    left,
                    keep: Keep::No,
                });
            }
        }
        Err(LockError::Held { pid: None })
    }

    /// The file that this process has held as another program; the lock is the open file's.
    pub(crate) fn adopt(file: OwnedFd, path: PathBuf) -> Self {
        Self {
            file: file.into(),
            path,
            left: String::new(),
            keep: Keep::No,
        }
    }

    /// Gives it back as it was found.
    pub(crate) fn give_back(mut self) {
        self.keep = Keep::Yes;
    }

    /// How long ago it was written; none if the clock says that it has not been yet.
    pub(crate) fn age(&self) -> Option<Duration> {
        let written = self.file.metadata().and_then(|found| found.modified());
        written.ok()?.elapsed().ok()
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes this process's number, and `more` behind it, into what is ours from now on.
    ///
    /// # Errors
    ///
    /// The kernel's: a full disk, for one.
    pub(crate) fn write(&mut self, more: &str) -> io::Result<()> {
        // One that was there before may be another user's, who can do with it as they please.
        let _ = self.file.set_permissions(Permissions::from_mode(MODE));
        self.file.rewind()?;
        self.file.set_len(0)?;
        let separator = if more.is_empty() { "" } else { " " };
        writeln!(self.file, "{}{separator}{more}", std::process::id())
    }
}

impl AsFd for LockFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // Still locked: nobody else can have taken it meanwhile, only removed it.
        if self.keep == Keep::No
            && is_at(&self.file, &self.path)
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!("cannot remove {}: {error}", self.path.display());
        }
    }
}

/// Why a file cannot be taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockError {
    /// Another process has it.
    #[error("it is held by {}", holder(*pid))]
    Held {
        /// Which, as the file says.
        pid: Option<u32>,
    },
    /// The path is something else.
    #[error("expected a file or nothing at this path, found something else")]
    NoFile,
    /// The file is about something else.
    #[error("expected the number of a process or nothing in this file, found {found:?}")]
    NoNumber {
        /// The beginning of what stands there.
        found: String,
    },
    /// Everything else, in the kernel's words.
    #[error(transparent)]
    Io(#[from] io::Error),
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(
        || "another process".to_owned(),
        |pid| format!("process {pid}"),
    )
}

fn is_at(file: &File, path: &Path) -> bool {
    let place = |found: fs::Metadata| (found.dev(), found.ino());
    let (held, found) = (file.metadata(), fs::symlink_metadata(path));
    held.is_ok_and(|held| found.is_ok_and(|found| place(held) == place(found)))
}

/// For this user alone: whoever may read it can lock it as well, and keep the next server from starting.
const MODE: u32 = 0o600;
/// How often a file is opened that others remove meanwhile.
const ATTEMPTS: usize = 16;
/// Bytes that are read of what was left.
const LEFT_BYTES: u64 = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_held_is_refused_with_the_holder_and_is_gone_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        let mut held = LockFile::take(&path).unwrap();
        held.write("").unwrap();
        let pid = std::process::id();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{pid}\n"));
        let refused = LockFile::take(&path).unwrap_err();
        assert!(matches!(refused, LockError::Held { pid: Some(found) } if found == pid));
        drop(held);
        assert!(!path.exists());
        drop(LockFile::take(&path).unwrap());
    }

    #[test]
    fn what_a_dead_process_left_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        fs::write(&path, "4711 and more\n").unwrap();
        let taken = LockFile::take(&path).unwrap();
        assert_eq!(taken.left, "4711 and more\n");
    }

    #[test]
    fn what_is_no_file_is_refused_and_a_file_of_another_kept() {
        let folder = tempfile::tempdir().unwrap();
        assert!(LockFile::take(folder.path()).is_err());
        let path = folder.path().join("pid");
        std::os::unix::fs::symlink("/dev/null", &path).unwrap();
        assert!(LockFile::take(&path).is_err());
        fs::remove_file(&path).unwrap();
        let taken = LockFile::take(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "another's").unwrap();
        drop(taken);
        assert_eq!(fs::read_to_string(&path).unwrap(), "another's");
    }

    #[test]
    fn nobody_else_can_lock_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        let mode = || fs::metadata(&path).unwrap().mode() & 0o777;
        let held = LockFile::take(&path).unwrap();
        assert_eq!(mode(), MODE);
        drop(held);
        // As others have made it.
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        LockFile::take(&path).unwrap().give_back();
        assert_eq!(mode(), 0o644);
        let mut held = LockFile::take(&path).unwrap();
        held.write("").unwrap();
        assert_eq!(mode(), MODE);
    }
}
