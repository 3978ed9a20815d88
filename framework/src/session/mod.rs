//! What a client is remembered by between requests: a signed cookie that Flask reads and writes as well, or an entry of
//! a store.

mod cookie;
mod flash;
mod settings;
mod store;
mod stored;
pub mod tagged;

use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::Cx;
use crate::error::{Error, Result};
use crate::extract::{Arg, Check, Take};
use crate::response::Response;

pub(crate) use cookie::Sessions;
pub(crate) use store::Chosen;
pub use store::{FileStore, MemoryStore, Save, SessionStore, Stored};
pub(crate) use stored::guarded;
use tagged::{Dict, Value};

/// The session of the client that made the request: values by name, kept in a cookie that the client can read
/// but not change.
///
/// It is opened when it is first asked for, and written after the last hook if it has changed. Clones are the
/// same session.
///
/// ```
/// use carafe::*;
///
/// async fn count(session: Session) -> Result<String> {
///     let visits: u32 = session.get("visits")?.unwrap_or(0) + 1;
///     session.set("visits", visits)?;
///     Ok(format!("visit {visits}"))
/// }
///
/// let client = App::new().get("/", count).test();
/// assert_eq!(client.get("/").text(), "visit 1");
/// assert_eq!(client.get("/").text(), "visit 2");
/// ```
#[derive(Clone, Debug)]
pub struct Session {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    open: Mutex<Open>,
    /// Whether there is a key to sign it with.
    writable: bool,
    /// Whether it will be written at the end of the request.
    watched: AtomicBool,
}

/// A session as it is in the course of a request.
#[derive(Debug, Default)]
struct Open {
    values: Dict,
    /// The client came without one.
    is_new: bool,
    accessed: bool,
    modified: bool,
    /// Messages taken out for this request, to be shown wherever they are asked for.
    flashed: Option<Vec<(String, String)>>,
    /// The entry of the store that it was loaded from.
    entry: Option<Entry>,
    /// What was handed out for it is worthless from now on, its name in the store included.
    renewed: bool,
}

/// An entry of a store, as it was loaded.
#[derive(Clone)]
struct Entry {
    /// What the client has.
    id: String,
    version: u64,
    values: Dict,
}

impl std::fmt::Debug for Entry {
    /// Without the name, which is a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entry(version {})", self.version)
    }
}

/// Something was to be kept in a session that nothing can sign.
#[derive(Debug, thiserror::Error)]
#[error("a session cannot be written without a secret: set `secret_key`")]
struct NoSecret;

impl Session {
    /// The value of this name, as a `T`.
    ///
    /// # Errors
    ///
    /// There is a value, but it is no `T`.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let value = self.value(name).map(|value| value.plain());
        Ok(value.map(serde_json::from_value).transpose()?)
    }

    /// Sets a value.
    ///
    /// # Errors
    ///
    /// The value has no JSON form, or no secret is configured.
    pub fn set<T: Serialize>(&self, name: impl Into<String>, value: T) -> Result<()> {
        self.set_value(name, serde_json::to_value(value)?.into())
    }

    /// The value of this name with its type of Python's.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<Value> {
        self.read().values.get(name).cloned()
    }

    /// Sets a value that Flask reads as a tuple, bytes, a date, and so on.
    ///
    /// # Errors
    ///
    /// No secret is configured.
    pub fn set_value(&self, name: impl Into<String>, value: Value) -> Result<()> {
        self.write()?.values.insert(name.into(), value);
        Ok(())
    }

    /// Removes a value; whether there was one.
    pub fn remove(&self, name: &str) -> bool {
        let mut open = self.read();
        let removed = open.values.remove(name).is_some();
        open.modified |= removed;
        removed
    }

    /// Whether there is a value of this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.read().values.contains_key(name)
    }

    /// The names of all values, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.read().values.keys().cloned().collect()
    }

    /// Forgets everything; the client's cookie is removed.
    pub fn clear(&self) {
        let mut open = self.read();
        open.values.clear();
        open.modified = true;
    }

    /// Whether the client came without a session, or with one that was not good any more.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.read().is_new
    }

    /// Whether the session outlives the browser's; the setting `session.lifetime` says how long.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.read().is_permanent()
    }

    /// Lets the session outlive the browser's, or not.
    ///
    /// # Errors
    ///
    /// No secret is configured.
    pub fn set_permanent(&self, permanent: bool) -> Result<()> {
        self.set_value(PERMANENT, Value::Bool(permanent))
    }

    /// Remembers who logged in, under Flask-Login's names, and renews the session.
    ///
    /// # Errors
    ///
    /// No secret is configured.
    pub fn log_in(&self, user: impl ToString) -> Result<()> {
        self.renew();
        let mut open = self.write()?;
        open.values
            .insert(USER.to_owned(), Value::Text(user.to_string()));
        open.values.insert(FRESH.to_owned(), Value::Bool(true));
        Ok(())
    }

    /// Who logged in; none if nobody did, or if it is no `T`.
    #[must_use]
    pub fn user_id<T: FromStr>(&self) -> Option<T> {
        match self.read().values.get(USER)? {
            Value::Text(user) => user.parse().ok(),
            _ => None,
        }
    }

    /// Forgets who logged in, and renews the session.
    pub fn log_out(&self) {
        for name in [USER, FRESH, PROTECTION] {
            self.remove(name);
        }
        self.renew();
    }

    /// Makes worthless what was handed out for the session so far: tokens in forms, and the session's name if it is
    /// kept in a store.
    pub fn renew(&self) {
        self.remove(CSRF_TOKEN);
        let mut open = self.read();
        open.renewed = true;
        open.modified |= open.entry.is_some();
    }

    fn new(values: Dict, is_new: bool, writable: bool) -> Self {
        let open = Open {
            values,
            is_new,
            ..Open::default()
        };
        Self {
            inner: Arc::new(Inner {
                open: Mutex::new(open),
                writable,
                watched: AtomicBool::new(false),
            }),
        }
    }

    fn read(&self) -> MutexGuard<'_, Open> {
        let mut open = self.open();
        open.accessed = true;
        open
    }

    fn write(&self) -> Result<MutexGuard<'_, Open>> {
        if !self.inner.writable {
            return Err(Error::from(NoSecret));
        }
        let mut open = self.read();
        open.modified = true;
        Ok(open)
    }

    /// No code of the application runs under this lock.
    fn open(&self) -> MutexGuard<'_, Open> {
        let open = self.inner.open.lock();
        open.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn is_permanent(&self) -> bool {
        self.values.get(PERMANENT) == Some(&Value::Bool(true))
    }
}

impl Cx {
    /// The session of the client that made the request. Asking for it does not count as reading it: responses
    /// vary by cookie once a value is looked at.
    #[must_use]
    pub fn session(&self) -> Session {
        let session = match self.get::<Session>() {
            Some(session) => session,
            None => {
                let sessions = self.state::<Sessions>();
                self.get_or_put_with(|| match &sessions {
                    Some(sessions) => sessions.open(self),
                    None => Session::new(Dict::new(), true, false),
                })
            }
        };
        if !session.inner.watched.swap(true, Ordering::Relaxed)
            && let Some(sessions) = self.state::<Sessions>()
        {
            let (cx, session) = (self.clone(), Session::clone(&session));
            self.at_end(
                move |response| async move { sessions.close(&cx, &session, response).await },
            );
        }
        Session::clone(&session)
    }
}

impl Cx {
    /// Loads the session from the store, if there is one and the client names a session.
    pub(crate) async fn load_session(&self) -> Result<()> {
        if let Some(sessions) = self.state::<Sessions>()
            && let Some(session) = sessions.load(self).await?
        {
            self.put(session);
        }
        Ok(())
    }

    /// Writes the session into a response now.
    pub(crate) async fn write_session(&self, response: Response) -> Result<Response> {
        match self.state::<Sessions>() {
            Some(sessions) => sessions.close(self, &self.session(), response).await,
            None => Ok(response),
        }
    }
}

impl Arg for Session {
    type Path<Rest> = Rest;

    fn check(check: &mut Check<'_>) {
        check.needs_secret();
    }

    async fn take(t: &mut Take<'_>) -> Result<Self> {
        Ok(t.cx().session())
    }
}

/// Flask's own name for it.
const PERMANENT: &str = "_permanent";
/// Flask-Login's names.
const USER: &str = "_user_id";
const FRESH: &str = "_fresh";
const PROTECTION: &str = "_id";
/// Flask-WTF's name.
pub(crate) const CSRF_TOKEN: &str = "csrf_token";
