//! The application's file as it was at one moment: a sealed copy in memory, which all workers of a
//! generation load. Overwriting or truncating a library that processes have mapped kills them; nothing
//! that happens to the file can touch the copy.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::libc;

use crate::os::memfd;

/// Copies the file at `path` into sealed memory. The path is resolved anew each time, so a link such as
/// `current/app.so` may have moved on since the last.
///
/// # Errors
///
/// The file cannot be read, or does not keep still while it is copied.
pub(crate) fn take(path: &Path) -> Result<OwnedFd, SnapshotError> {
    let unreadable = |source| SnapshotError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let name = path
        .file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy();
    for _ in 0..ATTEMPTS {
        let mut file = open(path).map_err(unreadable)?;
        let before = file.metadata().map_err(unreadable)?;
        if !before.is_file() {
            return Err(SnapshotError::NotAFile {
                path: path.to_owned(),
            });
        }
        let mut copy = memfd::create(&name).map_err(SnapshotError::Memory)?;
        let copied = io::copy(&mut file, &mut copy).map_err(unreadable)?;
        let after = file.metadata().map_err(unreadable)?;
        if copied == before.size() && stamp(&before) == stamp(&after) {
            memfd::seal(&copy).map_err(SnapshotError::Memory)?;
            return Ok(copy.into());
        }
    }
    Err(SnapshotError::Changing {
        path: path.to_owned(),
    })
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SnapshotError {
    /// The file cannot be opened or read.
    #[error("{}: cannot read the application: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// It is a folder, a socket or the like.
    #[error("{}: expected a shared object, found no regular file", path.display())]
    NotAFile {
        /// What is none.
        path: PathBuf,
    },
    /// It changed while it was copied, each time.
    #[error("{}: the application is being written; try again when its build is done", path.display())]
    Changing {
        /// The file.
        path: PathBuf,
    },
    /// There is no memory for the copy.
    #[error("cannot copy the application into memory: {0}")]
    Memory(#[source] io::Error),
}

/// Opens without waiting for somebody to write, as opening a pipe would.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)
}

/// How often a file that changes under the copy is tried again.
const ATTEMPTS: usize = 5;

/// What differs when a file has been written.
fn stamp(file: &Metadata) -> (u64, i64, i64, i64, i64) {
    (
        file.size(),
        file.mtime(),
        file.mtime_nsec(),
        file.ctime(),
        file.ctime_nsec(),
    )
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};

    use super::*;

    #[test]
    fn the_copy_survives_what_happens_to_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.so");
        let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        std::fs::write(&path, &bytes).unwrap();
        let mut copy = File::from(take(&path).unwrap());
        std::fs::write(&path, b"truncated").unwrap();
        std::fs::remove_file(&path).unwrap();
        let mut read = Vec::new();
        copy.rewind().unwrap();
        copy.read_to_end(&mut read).unwrap();
        assert_eq!(read, bytes);
    }

    #[test]
    fn a_missing_file_and_a_folder_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let missing = take(&folder.path().join("none.so")).unwrap_err();
        assert!(matches!(missing, SnapshotError::Unreadable { .. }));
        assert!(missing.to_string().contains("none.so"));
        assert!(matches!(
            take(folder.path()),
            Err(SnapshotError::NotAFile { .. })
        ));
    }

    #[test]
    fn a_pipe_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.so");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(matches!(take(&path), Err(SnapshotError::NotAFile { .. })));
    }
}
