//! [`Spool`]: where a file's bytes go while it arrives: into memory, or, once there are many, to disk.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::task::spawn_blocking;

/// A file on its way in.
#[derive(Debug, Default)]
pub(super) struct Spool {
    /// What has not been written to disk.
    pending: BytesMut,
    /// Without a name, so that it is gone when its last reader is.
    file: Option<File>,
    written: u64,
}

/// A file that has arrived.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Memory(Bytes),
    Disk { file: Arc<File>, length: u64 },
}

impl Spool {
    /// Takes more; what no longer fits into `memory_left` goes to disk.
    pub(super) async fn write(
        &mut self,
        content: Bytes,
        memory_left: &mut usize,
    ) -> io::Result<()> {
        self.pending.extend_from_slice(&content);
        if self.file.is_none() {
            match memory_left.checked_sub(content.len()) {
                Some(left) => {
                    *memory_left = left;
                    return Ok(());
                }
                // What it has taken so far leaves memory with it.
                None => *memory_left += self.pending.len() - content.len(),
            }
        } else if self.pending.len() < CHUNK {
            return Ok(());
        }
        self.flush().await
    }

    /// The whole, ready to be read.
    pub(super) async fn finish(mut self) -> io::Result<Content> {
        if self.file.is_some() {
            self.flush().await?;
        }
        Ok(match self.file {
            Some(file) => Content::Disk {
                file: Arc::new(file),
                length: self.written,
            },
            None => Content::Memory(self.pending.freeze()),
        })
    }

    /// Off the event loop: a disk may be slow.
    async fn flush(&mut self) -> io::Result<()> {
        let (pending, file) = (self.pending.split(), self.file.take());
        let length = pending.len() as u64;
        let file = spawn_blocking(move || -> io::Result<File> {
            let mut file = match file {
                Some(file) => file,
                None => tempfile::tempfile()?,
            };
            file.write_all(&pending)?;
            Ok(file)
        })
        .await??;
        self.file = Some(file);
        self.written += length;
        Ok(())
    }
}

impl Content {
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Disk { length, .. } => *length,
        }
    }

    /// Reads from `offset`, as much as `buffer` takes; 0 at the end.
    pub(super) fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match self {
            Self::Memory(bytes) => {
                let start = usize::try_from(offset)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                let count = buffer.len().min(bytes.len() - start);
                buffer[..count].copy_from_slice(&bytes[start..start + count]);
                Ok(count)
            }
            Self::Disk { file, .. } => file.read_at(buffer, offset),
        }
    }
}

/// How much is written to disk at a time.
const CHUNK: usize = 256 << 10;
