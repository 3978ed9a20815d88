//! [`Opened`]: a file with what it is recognised by.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::conditional::{ETag, Validators};

/// A regular file, opened for reading.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) file: File,
    pub(super) length: u64,
    pub(super) validators: Validators,
}

impl Opened {
    /// Opens a file; this may block. None if there is nothing of this name, or something that is no regular file.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        if is_too_long(path) {
            return Ok(None);
        }
        match Self::try_open(path) {
            Err(error) if is_absence(&error) => Ok(None),
            other => other,
        }
    }

    fn try_open(path: &Path) -> io::Result<Option<Self>> {
        // Looked at first, since to open a pipe is to wait for its other end.
        if !fs::metadata(path)?.is_file() {
            return Ok(None);
        }
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        let validators = Validators {
            etag: ETag::strong(mark(&metadata)).ok(),
            last_modified: metadata.modified().ok().and_then(sendable),
        };
        Ok(Some(Self {
            length: metadata.len(),
            file,
            validators,
        }))
    }
}

/// What changes with the content, and tells nothing else: not the path, nor the inode itself.
fn mark(metadata: &fs::Metadata) -> String {
    let mut hash = Sha256::new();
    let parts = [metadata.mtime(), metadata.mtime_nsec()].map(i64::to_le_bytes);
    let more = [metadata.size(), metadata.ino(), metadata.dev()].map(u64::to_le_bytes);
    for part in parts.iter().chain(&more) {
        hash.update(part);
    }
    URL_SAFE_NO_PAD.encode(&hash.finalize()[..MARK_BYTES])
}

/// A time that may stand in Last-Modified: not before 1970, and not later than now (RFC 9110 section 8.8.2.1).
fn sendable(time: SystemTime) -> Option<SystemTime> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let whole = SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs());
    Some(whole.min(SystemTime::now()))
}

fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidInput
    )
}

/// Whether no file can have this name.
fn is_too_long(path: &Path) -> bool {
    let too_long = |name: &OsStr| name.len() > NAME_MAX;
    path.iter().any(too_long) || path.as_os_str().len() >= PATH_MAX
}

const MARK_BYTES: usize = 12;
/// Linux's own limits, in bytes.
const NAME_MAX: usize = 255;
const PATH_MAX: usize = 4096;
