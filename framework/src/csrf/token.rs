//! Tokens in forms, for browsers that do not say where a request comes from; Flask-WTF's format.

use std::time::{Duration, SystemTime};

use subtle::ConstantTimeEq as _;

use crate::context::Cx;
use crate::error::Result;
use crate::keys::random_hex;
use crate::session::CSRF_TOKEN;
use crate::signing::{BadSignature, pack, unpack};

/// Why a token does not prove that its form came from this site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadToken {
    #[error(
        "The CSRF token is missing: put {{{{ csrf_field() }}}} into the form, or send csrf_token() as X-CSRFToken."
    )]
    Missing,
    #[error("The CSRF token has expired: csrf.time_limit says how long one is good.")]
    Expired,
    #[error(
        "The CSRF token is not one of this session: logging in and out makes another, and so does another secret."
    )]
    Wrong,
}

impl BadToken {
    /// What a visitor can do about it.
    pub(super) fn for_visitors(self) -> &'static str {
        match self {
            Self::Missing => {
                "The form was not sent whole. Load the page again, and send it once more."
            }
            Self::Expired => {
                "The page was open for too long. Load it again, and send the form once more."
            }
            Self::Wrong => {
                "The form belongs to another visit. Load the page again, and send the form once more."
            }
        }
    }
}

impl Cx {
    /// The token to put into a form, as the field `csrf_token`, or into the field X-CSRFToken of a request that
    /// a script makes. It belongs to the session.
    ///
    /// # Errors
    ///
    /// No secret is configured.
    pub fn csrf_token(&self) -> Result<String> {
        let session = self.session();
        let own: Option<String> = session.get(CSRF_TOKEN)?;
        let own = match own {
            Some(own) => own,
            None => {
                let own = random_hex(20)?;
                session.set(CSRF_TOKEN, &own)?;
                own
            }
        };
        let payload = pack(&serde_json::to_vec(&own)?);
        let token = self.signer(SALT)?.sign(&payload, SystemTime::now());
        Ok(token.unwrap_or_default())
    }
}

/// Whether `token` was made for the session of this request, at most `time_limit` before `now`.
pub(super) fn verify(
    cx: &Cx,
    token: &str,
    time_limit: Duration,
    now: SystemTime,
) -> Result<(), BadToken> {
    let own: Option<String> = cx.session().get(CSRF_TOKEN).ok().flatten();
    let own = own.ok_or(BadToken::Wrong)?;
    let signer = cx.signer(SALT).map_err(|_| BadToken::Wrong)?;
    let signed = signer
        .verify(token, now, Some(time_limit))
        .map_err(|bad| match bad {
            BadSignature::Expired { .. } => BadToken::Expired,
            _ => BadToken::Wrong,
        })?;
    let text = unpack(signed.payload, MAX_BYTES).map_err(|_| BadToken::Wrong)?;
    let found: String = serde_json::from_slice(&text).map_err(|_| BadToken::Wrong)?;
    match bool::from(found.as_bytes().ct_eq(own.as_bytes())) {
        true => Ok(()),
        false => Err(BadToken::Wrong),
    }
}

/// The field's name in a form.
pub(super) const FIELD: &str = "csrf_token";
/// Flask-WTF's.
const SALT: &str = "wtf-csrf-token";
/// More than any token unpacks to.
const MAX_BYTES: usize = 256;
