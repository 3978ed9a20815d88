//! [`FileStore`]: sessions as files, which all workers of a machine share.
//!
//! A session is a folder named by its key, with one file, named by its version, whose time of change is when it
//! ends. Versions follow each other by hard links, which only one can make: no locks, and no half-written file.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use tokio::task::spawn_blocking;

use super::{Save, SessionStore, Stored};
use crate::error::{Error, Result};
use crate::keys::random_hex;

/// Sessions as files in a folder, for their owner alone. Workers share them, and they outlive restarts.
#[derive(Debug)]
pub struct FileStore {
    folder: PathBuf,
    /// Below the application's folder; known when it starts.
    place: OnceLock<PathBuf>,
    saves: AtomicU32,
    capacity: usize,
}

impl FileStore {
    /// A store in this folder, relative to the application's; it is made if there is none.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            place: OnceLock::new(),
            saves: AtomicU32::new(0),
            capacity: CAPACITY,
        }
    }

    /// The same for about so many sessions at most, 100,000 unless told: those that would end first go when there are
    /// more. A visitor who keeps no cookie may begin one with each request.
    #[must_use]
    pub fn capacity(mut self, sessions: usize) -> Self {
        self.capacity = sessions.max(1);
        self
    }

    fn place(&self) -> Result<PathBuf> {
        let place = self.place.get().cloned();
        place.ok_or_else(|| {
            Error::message("a store of sessions is opened when the application starts")
        })
    }

    /// Does blocking work with the folder of a session.
    async fn at<T: Send + 'static>(
        &self,
        key: &str,
        work: impl FnOnce(Entry) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Error::message("expected a key of letters and digits"));
        }
        let root = self.place()?;
        let folder = root.join(key);
        Ok(spawn_blocking(move || work(Entry { root, folder })).await??)
    }
}

impl SessionStore for FileStore {
    async fn load(&self, key: &str) -> Result<Option<Stored>> {
        self.at(key, |entry| entry.load()).await
    }

    async fn save(
        &self,
        key: &str,
        data: Vec<u8>,
        expected: Option<u64>,
        lifetime: Duration,
    ) -> Result<Save> {
        if self.saves.fetch_add(1, Ordering::Relaxed) % SAVES_A_SWEEP == SAVES_A_SWEEP - 1 {
            let (place, capacity) = (self.place()?, self.capacity);
            spawn_blocking(move || sweep(&place, capacity)).await??;
        }
        self.at(key, move |entry| entry.save(&data, expected, lifetime))
            .await
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.at(key, |entry| entry.delete()).await
    }

    async fn open(&self, root: &Path) -> Result<()> {
        let place = root.join(&self.folder);
        let (opened, capacity) = (place.clone(), self.capacity);
        let made = spawn_blocking(move || {
            private()
                .recursive(true)
                .create(&opened)
                .and_then(|()| sweep(&opened, capacity))
        });
        let told = |error: io::Error| {
            Error::message(format!(
                "the folder of sessions {}: {error}",
                place.display()
            ))
        };
        made.await?.map_err(told)?;
        // Opened a second time it is the same folder.
        let _ = self.place.set(place);
        Ok(())
    }
}

/// The folder of one session.
struct Entry {
    root: PathBuf,
    folder: PathBuf,
}

impl Entry {
    fn load(&self) -> io::Result<Option<Stored>> {
        // A version may be replaced between looking and opening: the next one is there then.
        for _ in 0..TRIES {
            let Some(version) = self.versions()?.pop() else {
                return Ok(None);
            };
            let opened = File::open(self.version(version));
            let mut file = match opened {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                opened => opened?,
            };
            if file.metadata()?.modified()? <= SystemTime::now() {
                return Ok(None);
            }
            let mut data = Vec::new();
            file.read_to_end(&mut data)?;
            return Ok(Some(Stored { data, version }));
        }
        Ok(None)
    }

    fn save(&self, data: &[u8], expected: Option<u64>, lifetime: Duration) -> io::Result<Save> {
        let version = expected.unwrap_or(0) + 1;
        if expected.is_none() {
            match private().create(&self.folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    return Ok(Save::Conflict);
                }
                made => made?,
            }
        }
        let draft = self.root.join(format!(".{}", unique()?));
        let placed = write(&draft, data, lifetime).and_then(|()| self.place(&draft, version));
        fs::remove_file(&draft)?;
        if !placed? {
            return Ok(Save::Conflict);
        }
        // Who makes a version removes all before it, the oldest first: where the expected one is gone, this one was
        // there before and has been replaced.
        if let Some(expected) = expected {
            if !self.version(expected).exists() {
                remove(&self.version(version))?;
                return Ok(Save::Conflict);
            }
            for old in self.versions()?.into_iter().filter(|old| *old < version) {
                remove(&self.version(old))?;
            }
        }
        Ok(Save::Saved(version))
    }

    /// Makes a draft this version; whether there was none yet.
    fn place(&self, draft: &Path, version: u64) -> io::Result<bool> {
        match fs::hard_link(draft, self.version(version)) {
            Err(error) => match error.kind() {
                // Another one was faster, or has ended the session.
                io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound => Ok(false),
                _ => Err(error),
            },
            Ok(()) => Ok(true),
        }
    }

    /// Moved away first, so that nobody saves into what is being removed.
    fn delete(&self) -> io::Result<()> {
        let grave = self.root.join(format!(".{}", unique()?));
        match fs::rename(&self.folder, &grave) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => fs::remove_dir_all(grave),
        }
    }

    /// In order; none if there is no such session.
    fn versions(&self) -> io::Result<Vec<u64>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut versions = Vec::new();
        for entry in entries {
            versions.extend(
                entry?
                    .file_name()
                    .to_str()
                    .and_then(|name| name.parse::<u64>().ok()),
            );
        }
        versions.sort_unstable();
        Ok(versions)
    }

    fn version(&self, version: u64) -> PathBuf {
        self.folder.join(version.to_string())
    }
}

/// Removes the sessions that are over, those beyond `capacity`, and what a process left that was killed.
fn sweep(root: &Path, capacity: usize) -> io::Result<()> {
    let now = SystemTime::now();
    let mut alive: Vec<(SystemTime, Entry)> = Vec::new();
    for found in fs::read_dir(root)? {
        let found = found?;
        let path = found.path();
        let name = found.file_name();
        let Some(name) = name.to_str() else { continue };
        if name.starts_with('.') {
            // Somebody may be about to use it.
            let made = found.metadata().and_then(|facts| facts.modified());
            if made.is_ok_and(|made| made + DRAFT < now) {
                let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
            }
            continue;
        }
        let entry = Entry {
            root: root.to_owned(),
            folder: path,
        };
        let Some(last) = entry.versions()?.pop() else {
            continue;
        };
        let until = fs::metadata(entry.version(last)).and_then(|facts| facts.modified());
        match until {
            Ok(until) if until > now => alive.push((until, entry)),
            // Its last version may just have been replaced.
            Err(_) => {}
            Ok(_) => entry.delete()?,
        }
    }
    alive.sort_by_key(|(until, _)| *until);
    let beyond = alive.len().saturating_sub(capacity);
    for (_, entry) in &alive[..beyond] {
        entry.delete()?;
    }
    Ok(())
}

fn write(path: &Path, data: &[u8], lifetime: Duration) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(data)?;
    let now = SystemTime::now();
    file.set_modified(now.checked_add(lifetime.min(LONGEST)).unwrap_or(now))
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn private() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

fn unique() -> io::Result<String> {
    random_hex(16).map_err(io::Error::other)
}

/// Sessions in a store that does not say otherwise.
const CAPACITY: usize = 100_000;
/// How often a version may be replaced while it is looked for.
const TRIES: u32 = 16;
/// Saves of this process between two looks for sessions that are over.
const SAVES_A_SWEEP: u32 = 512;
/// After which a draft belongs to nobody any more.
const DRAFT: Duration = Duration::from_secs(60 * 60);
/// A century: file systems do not know all times.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(root: &Path) -> Entry {
        Entry {
            root: root.to_owned(),
            folder: root.join("abc"),
        }
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_version_is_saved_over_the_one_before_alone() {
        let folder = tempfile::tempdir().unwrap();
        let entry = entry(folder.path());
        assert_eq!(entry.load().unwrap(), None);
        assert_eq!(entry.save(b"a", Some(1), HOUR).unwrap(), Save::Conflict);
        assert_eq!(entry.save(b"a", None, HOUR).unwrap(), Save::Saved(1));
        assert_eq!(entry.save(b"x", None, HOUR).unwrap(), Save::Conflict);
        assert_eq!(entry.save(b"b", Some(1), HOUR).unwrap(), Save::Saved(2));
        assert_eq!(entry.save(b"x", Some(1), HOUR).unwrap(), Save::Conflict);
        assert_eq!(entry.save(b"c", Some(2), HOUR).unwrap(), Save::Saved(3));
        // Version 2 could be made once more, were it not for its predecessor.
        assert_eq!(entry.save(b"x", Some(1), HOUR).unwrap(), Save::Conflict);
        let data = entry.load().unwrap().map(|stored| stored.data);
        assert_eq!(data.as_deref(), Some(&b"c"[..]));
        assert_eq!(entry.versions().unwrap(), [3]);
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1, "no draft is left");
    }

    #[test]
    fn what_is_deleted_cannot_be_saved_over() {
        let folder = tempfile::tempdir().unwrap();
        let entry = entry(folder.path());
        entry.save(b"a", None, HOUR).unwrap();
        entry.delete().unwrap();
        entry.delete().unwrap();
        assert_eq!(entry.save(b"b", Some(1), HOUR).unwrap(), Save::Conflict);
        assert_eq!(entry.load().unwrap(), None);
    }

    #[test]
    fn what_is_over_is_none_and_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let entry = entry(folder.path());
        entry.save(b"a", None, Duration::ZERO).unwrap();
        assert_eq!(entry.load().unwrap(), None);
        sweep(folder.path(), 10).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn beyond_its_capacity_a_store_forgets_what_would_end_first() {
        let folder = tempfile::tempdir().unwrap();
        for (name, hours) in [("later", 3), ("soon", 1), ("last", 5)] {
            let entry = Entry {
                root: folder.path().to_owned(),
                folder: folder.path().join(name),
            };
            entry.save(b"x", None, HOUR * hours).unwrap();
        }
        sweep(folder.path(), 2).unwrap();
        assert!(!folder.path().join("soon").exists());
        assert!(folder.path().join("later").exists() && folder.path().join("last").exists());
    }
}
