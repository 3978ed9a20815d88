//! Tokens that a client may carry but not make: a payload and the time it was signed, in the format of
//! Python's itsdangerous, so that Flask reads what carafe signs and the reverse.

mod payload;

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::{Digest as _, Sha1};

pub use payload::{BadPayload, pack, unpack};

/// Signs and verifies tokens of one purpose.
///
/// The first of its keys signs; all of them verify, so that a secret can be replaced while tokens signed
/// with the former one are still about. A token is `payload.timestamp.signature`, its last two parts in
/// URL-safe base64 without padding (`itsdangerous.TimestampSigner`, HMAC with SHA-1).
#[derive(Clone)]
pub struct Signer {
    keys: Vec<Key>,
}

/// How the key that signs is made of the application's secret and the purpose's salt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Derivation {
    /// HMAC of the salt under the secret; Flask's session cookie.
    Hmac,
    /// Digest of the salt, `signer` and the secret; itsdangerous' default, Flask-WTF's token.
    Concat,
}

/// What a token that has been verified holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed<'a> {
    /// What was signed.
    pub payload: &'a str,
    /// When, to the second.
    pub at: SystemTime,
}

/// Why a token is not to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadSignature {
    /// It has not the three parts of a token, or one of them is not base64.
    #[error("not a signed token: expected `payload.timestamp.signature`")]
    Malformed,
    /// None of the keys made the signature.
    #[error("the signature does not match")]
    Mismatch,
    /// It is older than its purpose allows.
    #[error("signed {} s ago, {} s are allowed", .age.as_secs(), .allowed.as_secs())]
    Expired {
        /// Time since it was signed.
        age: Duration,
        /// Most that is allowed.
        allowed: Duration,
    },
    /// It claims to be signed later than now.
    #[error("signed in the future")]
    Future,
}

impl Signer {
    /// A signer for the purpose that `salt` names.
    ///
    /// The first secret signs, the others (`SECRET_KEY_FALLBACKS`) only verify. Without any, nothing verifies.
    ///
    /// A secret may have any length: whether it is strong enough is judged where it is configured.
    pub fn new<'a>(
        secrets: impl IntoIterator<Item = &'a [u8]>,
        salt: &str,
        derivation: Derivation,
    ) -> Self {
        let derive = |secret| derivation.key(secret, salt.as_bytes());
        Self {
            keys: secrets.into_iter().map(derive).collect(),
        }
    }

    /// The token that holds `payload`, signed at `now`.
    ///
    /// Without a key there is no token.
    pub fn sign(&self, payload: &str, now: SystemTime) -> Option<String> {
        let key = self.keys.first()?;
        let mut token = String::with_capacity(payload.len() + TAIL);
        token.push_str(payload);
        token.push(SEPARATOR);
        let seconds = seconds(now).to_be_bytes();
        let leading = seconds.iter().take_while(|byte| **byte == 0).count();
        BASE64.encode_string(&seconds[leading..], &mut token);
        let signature = mac(key, token.as_bytes()).finalize().into_bytes();
        token.push(SEPARATOR);
        BASE64.encode_string(signature, &mut token);
        Some(token)
    }

    /// What `token` holds, if one of the keys signed it, at most `max_age` before `now` where that is given.
    ///
    /// # Errors
    ///
    /// Says why the token is not to be believed. Signatures are compared in constant time.
    pub fn verify<'a>(
        &self,
        token: &'a str,
        now: SystemTime,
        max_age: Option<Duration>,
    ) -> Result<Signed<'a>, BadSignature> {
        let (signed, signature) = token
            .rsplit_once(SEPARATOR)
            .ok_or(BadSignature::Malformed)?;
        let signature = BASE64
            .decode(signature)
            .map_err(|_| BadSignature::Malformed)?;
        let made_by = |key: &Key| mac(key, signed.as_bytes()).verify_slice(&signature).is_ok();
        if !self.keys.iter().any(made_by) {
            return Err(BadSignature::Mismatch);
        }
        let (payload, timestamp) = signed
            .rsplit_once(SEPARATOR)
            .ok_or(BadSignature::Malformed)?;
        let at = UNIX_EPOCH
            .checked_add(Duration::from_secs(read_timestamp(timestamp)?))
            .ok_or(BadSignature::Malformed)?;
        if let Some(allowed) = max_age {
            let now = UNIX_EPOCH + Duration::from_secs(seconds(now));
            let age = now.duration_since(at).map_err(|_| BadSignature::Future)?;
            if age > allowed {
                return Err(BadSignature::Expired { age, allowed });
            }
        }
        Ok(Signed { payload, at })
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({} keys)", self.keys.len())
    }
}

impl Derivation {
    fn key(self, secret: &[u8], salt: &[u8]) -> Key {
        match self {
            Self::Hmac => mac(secret, salt).finalize().into_bytes().into(),
            Self::Concat => Sha1::new()
                .chain_update(salt)
                .chain_update(b"signer")
                .chain_update(secret)
                .finalize()
                .into(),
        }
    }
}

/// A derived key.
type Key = [u8; SHA1_BYTES];

fn mac(key: &[u8], message: &[u8]) -> Hmac<Sha1> {
    Hmac::new_from_slice(key)
        .expect("HMAC takes a key of any length (RFC 2104 section 3)")
        .chain_update(message)
}

fn read_timestamp(text: &str) -> Result<u64, BadSignature> {
    let bytes = BASE64.decode(text).map_err(|_| BadSignature::Malformed)?;
    if bytes.len() > 8 {
        return Err(BadSignature::Malformed);
    }
    let shift = |sum, byte: &u8| sum << 8 | u64::from(*byte);
    Ok(bytes.iter().fold(0, shift))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

const SEPARATOR: char = '.';
const SHA1_BYTES: usize = 20;
/// Two separators, a timestamp and a signature.
const TAIL: usize = 2 + 11 + 27;

#[cfg(test)]
mod tests;
