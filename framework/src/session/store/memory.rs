//! [`MemoryStore`]: sessions in this process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Save, SessionStore, Stored};
use crate::error::Result;

/// Sessions in the memory of this process: for tests, and for applications with one worker. They are gone when it
/// ends, and no worker sees another's.
#[derive(Debug)]
pub struct MemoryStore {
    entries: Mutex<HashMap<String, Entry>>,
    capacity: usize,
    per_worker: bool,
}

#[derive(Debug)]
struct Entry {
    stored: Stored,
    until: Instant,
}

impl MemoryStore {
    /// A store of at most 10,000 sessions.
    #[must_use]
    pub fn new() -> Self {
        Self {
            entries: Mutex::default(),
            capacity: CAPACITY,
            per_worker: false,
        }
    }

    /// The same with room for so many sessions, at least 1; a new one beyond takes the place of the one that would end
    /// first.
    #[must_use]
    pub fn capacity(mut self, sessions: usize) -> Self {
        self.capacity = sessions.max(1);
        self
    }

    /// The same for several workers, each with sessions of its own: only where clients always come to the same one.
    #[must_use]
    pub fn per_worker(mut self) -> Self {
        self.per_worker = true;
        self
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl SessionStore for MemoryStore {
    async fn load(&self, key: &str) -> Result<Option<Stored>> {
        let entries = self.entries();
        let entry = entries
            .get(key)
            .filter(|entry| entry.until > Instant::now());
        Ok(entry.map(|entry| entry.stored.clone()))
    }

    async fn save(
        &self,
        key: &str,
        data: Vec<u8>,
        expected: Option<u64>,
        lifetime: Duration,
    ) -> Result<Save> {
        let now = Instant::now();
        let mut entries = self.entries();
        let found = entries.get(key).filter(|entry| entry.until > now);
        let found = found.map(|entry| entry.stored.version);
        if found != expected {
            return Ok(Save::Conflict);
        }
        if !entries.contains_key(key) && entries.len() >= self.capacity {
            entries.retain(|_, entry| entry.until > now);
        }
        if !entries.contains_key(key) && entries.len() >= self.capacity {
            let first = entries.iter().min_by_key(|(_, entry)| entry.until);
            if let Some(first) = first.map(|(key, _)| key.clone()) {
                entries.remove(&first);
            }
        }
        let version = expected.unwrap_or(0) + 1;
        let stored = Stored { data, version };
        // A lifetime beyond what the clock can tell is one without end.
        let until = now.checked_add(lifetime).unwrap_or(now + LONGEST);
        entries.insert(key.to_owned(), Entry { stored, until });
        Ok(Save::Saved(version))
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.entries().remove(key);
        Ok(())
    }

    fn is_shared(&self) -> bool {
        self.per_worker
    }
}

/// Sessions in a store that does not say otherwise.
const CAPACITY: usize = 10_000;
/// A century.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
