//! [`SessionStore`]: where sessions are kept that do not stand in the cookie.

mod files;
mod memory;

use std::future::{Future, ready};
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::error::{Error, Result};
use crate::keys::random_hex;

pub use files::FileStore;
pub use memory::MemoryStore;

/// Keeps sessions on the server's side: the client's cookie is then a random name of the session and nothing else.
///
/// Two requests of one client may change its session at once, so a store tells its entries' versions and saves only
/// over the version that was loaded. On a [conflict](Save::Conflict) the session is loaded again, gets the request's
/// changes, and is saved again.
///
/// Keys are 64 hexadecimal digits, a digest of what the client has: whoever reads the store cannot be anybody by it.
/// An entry whose lifetime is over is as good as none, and should go.
pub trait SessionStore: Send + Sync + 'static {
    /// The entry of this key, if there is one that still lives.
    fn load(&self, key: &str) -> impl Future<Output = Result<Option<Stored>>> + Send;

    /// Saves an entry for so long: a new one if `expected` is none, else over that version.
    fn save(
        &self,
        key: &str,
        data: Vec<u8>,
        expected: Option<u64>,
        lifetime: Duration,
    ) -> impl Future<Output = Result<Save>> + Send;

    /// Removes an entry; it is no error if there is none.
    fn delete(&self, key: &str) -> impl Future<Output = Result<()>> + Send;

    /// Called when the application starts, with its folder.
    fn open(&self, root: &Path) -> impl Future<Output = Result<()>> + Send {
        let _ = root;
        ready(Ok(()))
    }

    /// Whether all workers see the same entries. If not, the application starts under one worker alone.
    fn is_shared(&self) -> bool {
        true
    }
}

/// An entry of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "stores of others make it")]
pub struct Stored {
    /// What was saved.
    pub data: Vec<u8>,
    /// Another one after each save.
    pub version: u64,
}

/// What became of a save.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "stores of others make it")]
pub enum Save {
    /// It is saved, under this version.
    Saved(u64),
    /// Another version is there than was expected, or the entry is gone: nothing was saved.
    Conflict,
}

impl App {
    /// Keeps sessions in a store instead of the cookie: for data that is secret or large, and for sessions that end
    /// everywhere when their owner logs out.
    ///
    /// ```
    /// use carafe::session::FileStore;
    /// use carafe::*;
    ///
    /// let app = App::new()
    ///     .session_store(FileStore::new("instance/sessions"))
    ///     .get("/", async |session: Session| session.set("cart", vec![1; 5_000]).map(|()| "kept"));
    /// # let folder = tempfile::tempdir().unwrap();
    /// let client = app.root(folder.path()).test();
    /// client.get("/");
    /// assert_eq!(client.cookie("session").unwrap().len(), 64);
    /// ```
    pub fn session_store(mut self, store: impl SessionStore) -> Self {
        self.part::<Chosen>().0 = Some(std::sync::Arc::new(store));
        self
    }
}

/// The store that the application has chosen.
#[derive(Clone, Default)]
pub(crate) struct Chosen(pub(super) Option<std::sync::Arc<dyn AnyStore>>);

impl Chosen {
    /// Opens the store, if one was chosen.
    ///
    /// # Errors
    ///
    /// It cannot be opened, or does not serve as many workers.
    pub(crate) async fn open(&self, root: &Path, workers: u32) -> Result<()> {
        let Some(store) = &self.0 else {
            return Ok(());
        };
        if workers > 1 && !store.is_shared() {
            return Err(Error::message(format!(
                "sessions are kept in each worker's memory, and the server has {workers} workers: use a store that \
                 workers share (`FileStore`, or one of your own), one worker, or `MemoryStore::per_worker`"
            )));
        }
        store.open(root).await
    }
}

/// A store, its type forgotten.
pub(super) trait AnyStore: Send + Sync {
    fn load<'a>(&'a self, key: &'a str) -> Boxed<'a, Option<Stored>>;
    fn save<'a>(
        &'a self,
        key: &'a str,
        data: Vec<u8>,
        expected: Option<u64>,
        lifetime: Duration,
    ) -> Boxed<'a, Save>;
    fn delete<'a>(&'a self, key: &'a str) -> Boxed<'a, ()>;
    fn open<'a>(&'a self, root: &'a Path) -> Boxed<'a, ()>;
    fn is_shared(&self) -> bool;
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

impl<S: SessionStore> AnyStore for S {
    fn load<'a>(&'a self, key: &'a str) -> Boxed<'a, Option<Stored>> {
        Box::pin(SessionStore::load(self, key))
    }

    fn save<'a>(
        &'a self,
        key: &'a str,
        data: Vec<u8>,
        expected: Option<u64>,
        lifetime: Duration,
    ) -> Boxed<'a, Save> {
        Box::pin(SessionStore::save(self, key, data, expected, lifetime))
    }

    fn delete<'a>(&'a self, key: &'a str) -> Boxed<'a, ()> {
        Box::pin(SessionStore::delete(self, key))
    }

    fn open<'a>(&'a self, root: &'a Path) -> Boxed<'a, ()> {
        Box::pin(SessionStore::open(self, root))
    }

    fn is_shared(&self) -> bool {
        SessionStore::is_shared(self)
    }
}

/// A new session's name, which the client alone knows.
pub(super) fn new_id() -> Result<String> {
    Ok(random_hex(ID_BYTES)?)
}

/// Under which a session of this name is kept.
pub(super) fn key(id: &str) -> String {
    let digest = Sha256::digest(id);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Random bytes in the name of a session.
const ID_BYTES: usize = 32;
