//! Sessions that are kept in a store: loaded before the hooks, saved over what was loaded.

use std::panic::Location;
use std::time::SystemTime;

use super::cookie::Sessions;
use super::store::{AnyStore, Save, key, new_id};
use super::tagged::{self, Dict};
use super::{Chosen, Entry, NoSecret, Session};
use crate::app::App;
use crate::context::Cx;
use crate::error::{Error, Result};
use crate::response::Response;
use crate::step;

/// The application with a guard that loads sessions, if they are kept in a store.
#[track_caller]
pub(crate) fn guarded(mut app: App) -> App {
    if app.part::<Chosen>().0.is_none() {
        return app;
    }
    let load = async |cx: Cx| cx.load_session().await;
    app.scope
        .guards
        .insert(0, step::hook(load, Location::caller()));
    app
}

/// What a session holds is more than a store is to keep of one.
#[derive(Debug, thiserror::Error)]
#[error("the session would have {found} bytes, and {MAX_BYTES} are kept at most")]
struct TooLarge {
    found: usize,
}

/// The session was changed at the same time by more requests than anybody waits for.
#[derive(Debug, thiserror::Error)]
#[error("the session was changed {TRIES} times while it was to be saved")]
struct Contended;

/// A session as it is to be saved.
struct Closing {
    values: Dict,
    entry: Option<Entry>,
    renewed: bool,
    permanent: bool,
}

impl Sessions {
    /// The session that the request names, if sessions are kept in a store and it is there. A name that the client has
    /// made up is never taken over.
    pub(super) async fn load(&self, cx: &Cx) -> Result<Option<Session>> {
        let (Some(store), Some(id)) = (&self.store, cx.cookie(&self.settings.cookie_name)) else {
            return Ok(None);
        };
        let Some(stored) = store.load(&key(id)).await? else {
            return Ok(None);
        };
        let Ok(values) = read(&stored.data) else {
            return Ok(None);
        };
        if !self.is_young(&values, SystemTime::now()) {
            store.delete(&key(id)).await?;
            return Ok(None);
        }
        let session = Session::new(values.clone(), false, self.signer(cx).is_some());
        session.open().entry = Some(Entry {
            id: id.to_owned(),
            version: stored.version,
            values,
        });
        Ok(Some(session))
    }

    /// Saves the session, if that is needed, and names it to the client.
    pub(super) async fn close_stored(
        &self,
        store: &dyn AnyStore,
        cx: &Cx,
        session: &Session,
        mut response: Response,
    ) -> Result<Response> {
        let Some(closing) = self.closing(session, &mut response) else {
            return Ok(response);
        };
        let known = closing.entry.as_ref().map(|entry| entry.id.clone());
        if closing.values.is_empty() {
            if let Some(id) = &known {
                store.delete(&key(id)).await?;
                let cookie = self
                    .settings
                    .cookie(String::new(), self.settings.secure_for(cx));
                response = response.delete_cookie(cookie);
            }
            return Ok(response);
        }
        if self.signer(cx).is_none() {
            return Err(Error::from(NoSecret));
        }
        let permanent = closing.permanent;
        let Some(entry) = self.save(store, closing).await? else {
            // Another request has ended it: it stays ended.
            return Ok(response);
        };
        if known.as_ref() != Some(&entry.id) || permanent {
            self.set_cookie(cx, &mut response, entry.id.clone(), permanent);
        }
        session.open().entry = Some(entry);
        Ok(response)
    }

    /// What is to be saved; none if nothing is.
    fn closing(&self, session: &Session, response: &mut Response) -> Option<Closing> {
        let mut open = session.open();
        if open.accessed {
            response.vary("Cookie");
        }
        let prolongs = self.settings.refresh_each_request && open.accessed && open.is_permanent();
        if !open.modified && !prolongs {
            return None;
        }
        if !open.values.is_empty() {
            self.note_beginning(&mut open.values, SystemTime::now());
        }
        Some(Closing {
            values: open.values.clone(),
            entry: open.entry.clone(),
            renewed: std::mem::take(&mut open.renewed),
            permanent: open.is_permanent(),
        })
    }

    /// Saves over what was loaded, or under a new name; none if the session was ended meanwhile.
    async fn save(&self, store: &dyn AnyStore, closing: Closing) -> Result<Option<Entry>> {
        let lifetime = self.settings.lifetime;
        let mut values = closing.values;
        let old = closing.entry.as_ref().map(|entry| key(&entry.id));
        if let (Some(entry), false) = (&closing.entry, closing.renewed) {
            let key = key(&entry.id);
            let mut version = entry.version;
            let mine = values.clone();
            for _ in 0..TRIES {
                let data = written(&values)?;
                if let Save::Saved(version) =
                    store.save(&key, data, Some(version), lifetime).await?
                {
                    let id = entry.id.clone();
                    return Ok(Some(Entry {
                        id,
                        version,
                        values,
                    }));
                }
                let Some(theirs) = store.load(&key).await? else {
                    return Ok(None);
                };
                version = theirs.version;
                values = merged(read(&theirs.data)?, &entry.values, &mine);
            }
            return Err(Contended.into());
        }
        let (id, data) = (new_id()?, written(&values)?);
        let Save::Saved(version) = store.save(&key(&id), data, None, lifetime).await? else {
            return Err(Error::message(
                "a store of sessions has an entry of a new name",
            ));
        };
        if let Some(old) = old {
            store.delete(&old).await?;
        }
        Ok(Some(Entry {
            id,
            version,
            values,
        }))
    }
}

/// Another request's values with the changes from `before` to `mine`.
fn merged(mut theirs: Dict, before: &Dict, mine: &Dict) -> Dict {
    for name in before.keys().filter(|name| !mine.contains_key(*name)) {
        theirs.remove(name);
    }
    for (name, value) in mine {
        if before.get(name) != Some(value) {
            theirs.insert(name.clone(), value.clone());
        }
    }
    theirs
}

fn written(values: &Dict) -> Result<Vec<u8>> {
    let data = tagged::write(values)?;
    let found = data.len();
    if found > MAX_BYTES {
        return Err(TooLarge { found }.into());
    }
    Ok(data)
}

fn read(data: &[u8]) -> Result<Dict> {
    Ok(tagged::read(data)?)
}

/// Most bytes of one session in a store.
const MAX_BYTES: usize = 256 << 10;
/// How often a session is saved anew because another request was faster.
const TRIES: usize = 8;
