//! [`Seen`]: how a file looked before it was read.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file, and how it looked before it was read: what is different later has changed since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) path: PathBuf,
    /// None if there was no such file.
    pub(crate) stamp: Option<Stamp>,
}

/// What differs when a file has been written or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    mtime: i64,
    mtime_nsec: i64,
}

impl Seen {
    /// As it looks now.
    pub(crate) fn now(path: PathBuf) -> Self {
        let stamp = Stamp::of(&path);
        Self { path, stamp }
    }

    /// The bytes that [`read`](Self::read) reads: five numbers or `-`, a space, the path.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let stamp = self.stamp.map_or("-".to_owned(), |stamp| stamp.to_string());
        [stamp.as_bytes(), b" ", self.path.as_os_str().as_bytes()].concat()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let space = bytes.iter().position(|byte| *byte == b' ')?;
        let stamp = match str::from_utf8(&bytes[..space]).ok()? {
            "-" => None,
            numbers => Some(Stamp::parse(numbers)?),
        };
        let path = OsStr::from_bytes(&bytes[space + 1..]).into();
        Some(Self { path, stamp })
    }
}

impl Stamp {
    /// That of the file that a path leads to.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let file = fs::metadata(path).ok()?;
        Some(Self {
            device: file.dev(),
            inode: file.ino(),
            size: file.size(),
            mtime: file.mtime(),
            mtime_nsec: file.mtime_nsec(),
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split(':');
        let stamp = Self {
            device: numbers.next()?.parse().ok()?,
            inode: numbers.next()?.parse().ok()?,
            size: numbers.next()?.parse().ok()?,
            mtime: numbers.next()?.parse().ok()?,
            mtime_nsec: numbers.next()?.parse().ok()?,
        };
        numbers.next().is_none().then_some(stamp)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            device,
            inode,
            size,
            mtime,
            mtime_nsec,
        } = self;
        write!(f, "{device}:{inode}:{size}:{mtime}:{mtime_nsec}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let there = Seen::now(std::env::current_exe().unwrap());
        assert!(there.stamp.is_some());
        let gone = Seen::now("/no such/file".into());
        assert_eq!(gone.stamp, None);
        for seen in [there, gone] {
            assert_eq!(Seen::read(&seen.to_bytes()), Some(seen));
        }
        for wrong in ["", "-", "1:2:3:4 a", "1:2:3:4:5:6 a", "a:2:3:4:5 a"] {
            assert_eq!(Seen::read(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
