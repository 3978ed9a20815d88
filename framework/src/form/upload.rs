//! [`UploadedFile`]: a file that came with a form.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use tokio::task::spawn_blocking;

use super::spool::Content;
use crate::error::Result;
use crate::file_names::secure_filename;
use crate::multipart::PartHead;

/// The files of a form, by the names of its inputs.
#[derive(Clone, Debug, Default)]
pub struct Files {
    files: Arc<[UploadedFile]>,
}

/// A file that came with a form: in memory if it is small, else in a temporary file that is gone when this is.
/// Clones are the same file.
#[derive(Clone, Debug)]
pub struct UploadedFile {
    head: PartHead,
    content: Content,
}

impl Files {
    pub(super) fn new(files: Vec<UploadedFile>) -> Self {
        Self {
            files: files.into(),
        }
    }

    /// The first file of the input of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&UploadedFile> {
        self.get_all(name).next()
    }

    /// All files of the input of this name, in order.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &UploadedFile> {
        self.files.iter().filter(move |file| file.name() == name)
    }

    /// All files, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &UploadedFile> {
        self.files.iter()
    }

    /// Whether no file came.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

impl UploadedFile {
    pub(super) fn new(head: PartHead, content: Content) -> Self {
        Self { head, content }
    }

    /// The name of the form's input.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.head.name
    }

    /// The file's name as the client gave it: to be shown, never to be a path. See
    /// [`secure_filename`](Self::secure_filename).
    #[must_use]
    pub fn filename(&self) -> &str {
        self.head.filename.as_deref().unwrap_or_default()
    }

    /// The file's name made fit for the file system; empty where nothing of it is left.
    #[must_use]
    pub fn secure_filename(&self) -> String {
        secure_filename(self.filename())
    }

    /// The media type that the client claims.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.head.content_type.as_deref()
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.content.length()
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A reader from its beginning, for a thread that may block.
    #[must_use]
    pub fn reader(&self) -> impl Read + Send + 'static {
        Reader {
            content: self.content.clone(),
            offset: 0,
        }
    }

    /// All of it in memory.
    ///
    /// # Errors
    ///
    /// The temporary file cannot be read.
    pub async fn bytes(&self) -> Result<Bytes> {
        if let Content::Memory(bytes) = &self.content {
            return Ok(bytes.clone());
        }
        let mut reader = self.reader();
        let read = move || {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).map(|_| bytes)
        };
        Ok(spawn_blocking(read).await??.into())
    }

    /// Stores it at `path`, in place of what is there. A reader of `path` sees the old file or the whole new one.
    ///
    /// # Errors
    ///
    /// The folder does not exist, or cannot be written to.
    pub async fn save(&self, path: impl Into<PathBuf>) -> Result<()> {
        let (path, mut reader): (PathBuf, _) = (path.into(), self.reader());
        let save = move || -> io::Result<()> {
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            let mut file = tempfile::Builder::new()
                .permissions(ordinary())
                .tempfile_in(folder.unwrap_or(Path::new(".")))?;
            io::copy(&mut reader, file.as_file_mut())?;
            file.persist(path)?;
            Ok(())
        };
        Ok(spawn_blocking(save).await??)
    }
}

/// What a new file has, the umask apart; a temporary one is its owner's alone.
fn ordinary() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}

struct Reader {
    content: Content,
    offset: u64,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read_at(buffer, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}
