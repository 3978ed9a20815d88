//! [`Sessions`]: from the cookie to a session, and back.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gateway_spec::Level;
use serde_json::Number;

use super::settings::Settings;
use super::store::{AnyStore, Chosen};
use super::tagged::{self, Dict, Value};
use super::{NoSecret, Session};
use crate::config::{Config, ConfigError};
use crate::context::Cx;
use crate::error::{Error, Result};
use crate::keys::Keys;
use crate::response::Response;
use crate::signing::{Derivation, Signer, pack, unpack};

/// Opens and closes the sessions of all requests.
pub(crate) struct Sessions {
    pub(super) settings: Settings,
    /// Where sessions are kept, if not in the cookie.
    pub(super) store: Option<Arc<dyn AnyStore>>,
    /// Made when the first session is opened: applications without sessions need no secret.
    signer: OnceLock<Option<Signer>>,
}

/// Browsers drop a cookie that is longer without a word.
#[derive(Debug, thiserror::Error)]
#[error(
    "the session's cookie would have {found} bytes, and browsers keep at most {MAX_COOKIE_BYTES}: keep the data \
     elsewhere, and a key to it in the session"
)]
struct TooLarge {
    found: usize,
}

impl Sessions {
    pub(crate) fn read(config: &Config, chosen: Chosen) -> Result<Self, ConfigError> {
        Ok(Self {
            settings: Settings::read(config)?,
            store: chosen.0,
            signer: OnceLock::new(),
        })
    }

    /// The session that the request brings; an empty one if it brings none that is good.
    pub(super) fn open(&self, cx: &Cx) -> Session {
        let signer = self.signer(cx);
        if self.store.is_some() {
            // One that the client names has been loaded before.
            return Session::new(Dict::new(), true, signer.is_some());
        }
        let cookie = cx.cookie(&self.settings.cookie_name);
        let values = signer
            .zip(cookie)
            .and_then(|(signer, cookie)| self.values(signer, cookie, SystemTime::now()));
        let is_new = values.is_none();
        Session::new(values.unwrap_or_default(), is_new, signer.is_some())
    }

    /// Writes the session into the response, if that is needed.
    pub(super) async fn close(
        &self,
        cx: &Cx,
        session: &Session,
        response: Response,
    ) -> Result<Response> {
        match &self.store {
            Some(store) => self.close_stored(&**store, cx, session, response).await,
            None => self.close_cookie(cx, session, response),
        }
    }

    fn close_cookie(&self, cx: &Cx, session: &Session, mut response: Response) -> Result<Response> {
        let mut open = session.open();
        if open.accessed {
            response.vary("Cookie");
        }
        let prolongs = self.settings.refresh_each_request && open.accessed && open.is_permanent();
        if !open.modified && !prolongs {
            return Ok(response);
        }
        let secure = self.settings.secure_for(cx);
        if open.values.is_empty() {
            if !open.is_new {
                let cookie = self.settings.cookie(String::new(), secure);
                response = response.delete_cookie(cookie);
            }
            return Ok(response);
        }
        let now = SystemTime::now();
        self.note_beginning(&mut open.values, now);
        let payload = pack(&tagged::write(&open.values)?);
        let signer = self.signer(cx).ok_or_else(|| Error::from(NoSecret))?;
        let token = signer
            .sign(&payload, now)
            .ok_or_else(|| Error::from(NoSecret))?;
        let found = self.settings.cookie_name.len() + 1 + token.len();
        if found > MAX_COOKIE_BYTES {
            return Err(TooLarge { found }.into());
        }
        self.set_cookie(cx, &mut response, token, open.is_permanent());
        Ok(response)
    }

    /// Gives the client this cookie; one that lasts if the session is permanent.
    pub(super) fn set_cookie(
        &self,
        cx: &Cx,
        response: &mut Response,
        value: String,
        permanent: bool,
    ) {
        let secure = self.settings.secure_for(cx);
        if secure && !cx.is_secure() {
            warn_of_http(cx);
        }
        let expires = permanent.then(|| SystemTime::now() + self.settings.lifetime);
        response.set_cookie(&self.settings.cookie(value, secure).expires(expires));
    }

    /// Writes down when the session was begun, if its age is limited.
    pub(super) fn note_beginning(&self, values: &mut Dict, now: SystemTime) {
        if self.settings.absolute_lifetime.is_some() && !values.contains_key(CREATED) {
            let seconds = Number::from(seconds(now));
            values.insert(CREATED.to_owned(), Value::Number(seconds));
        }
    }

    /// Whether the session is not older than sessions may be.
    pub(super) fn is_young(&self, values: &Dict, now: SystemTime) -> bool {
        let Some(lifetime) = self.settings.absolute_lifetime else {
            return true;
        };
        let Some(Value::Number(created)) = values.get(CREATED) else {
            return false;
        };
        let created = created.as_u64().map(Duration::from_secs);
        let created = created.and_then(|since| UNIX_EPOCH.checked_add(since));
        created.is_some_and(|created| now.duration_since(created).unwrap_or_default() <= lifetime)
    }

    pub(super) fn signer(&self, cx: &Cx) -> Option<&Signer> {
        let made = self.signer.get_or_init(|| {
            let keys = cx.state::<Keys>()?;
            let has = keys.need().is_ok();
            has.then(|| keys.signer("cookie-session", Derivation::Hmac))
        });
        made.as_ref()
    }

    /// None of what is wrong with a cookie is the visitor's to know: it counts as none.
    fn values(&self, signer: &Signer, cookie: &str, now: SystemTime) -> Option<Dict> {
        let signed = signer
            .verify(cookie, now, Some(self.settings.lifetime))
            .ok()?;
        let text = unpack(signed.payload, MAX_TEXT_BYTES).ok()?;
        let values = tagged::read(&text).ok()?;
        self.is_young(&values, now).then_some(values)
    }
}

/// Once for the process: the operator can do something about it, and the visitor sees only that logging in has
/// no effect.
fn warn_of_http(cx: &Cx) {
    static TOLD: std::sync::Once = std::sync::Once::new();
    TOLD.call_once(|| {
        let host = cx.host();
        cx.log(
            Level::Warn,
            &format!(
                "sessions need https, and `{host}` was asked for by http: browsers will not keep the cookie. Behind a \
                 proxy that takes TLS off, the server must trust what it says of the scheme; without TLS at all, set \
                 `session.cookie_secure` to false"
            ),
        );
    });
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// When the session was begun, if its age is limited.
const CREATED: &str = "_created";
/// Name, `=` and value; RFC 6265 section 6.1 asks browsers for 4096 bytes, attributes included.
const MAX_COOKIE_BYTES: usize = 4093;
/// Most bytes that a cookie's text may unpack to.
const MAX_TEXT_BYTES: usize = 256 << 10;
