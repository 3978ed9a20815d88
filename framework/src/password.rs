//! Passwords at rest: argon2id, and both formats of Werkzeug's, so that accounts made by Flask keep working.

use std::fmt;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, try_generate_salt};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq as _;

/// How a password is hashed. All of them take tens of milliseconds on purpose: in an async view, hash within
/// a block that runs on a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordMethod {
    /// argon2id, 19 MiB, two passes (OWASP's choice), as a PHC string: `$argon2id$v=19$...`.
    #[default]
    Argon2id,
    /// Werkzeug's default since 2.3: `scrypt:32768:8:1$salt$hex`; for accounts that Flask must read too.
    Scrypt,
    /// Werkzeug's `pbkdf2:sha256:1000000$salt$hex`.
    Pbkdf2,
}

/// Why a stored hash cannot be compared with, or a new one not be made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadPasswordHash {
    /// The stored text is of no format known here.
    #[error(
        "expected a password hash that begins with `$argon2`, `scrypt:` or `pbkdf2:` and has a salt and a digest \
         behind `$`"
    )]
    Format,
    /// Its parameters are malformed, or ask for more work than any sensible hash.
    #[error("the password hash's parameters `{0}` are malformed or too costly")]
    Parameters(String),
    /// The system gave no random bytes for a salt.
    #[error("no random bytes for a salt: {0}")]
    Random(String),
}

/// The hash to store for `password`, by argon2id with a salt of its own.
///
/// # Errors
///
/// The system gave no random bytes.
pub fn generate_password_hash(password: &str) -> Result<String, BadPasswordHash> {
    generate_password_hash_by(PasswordMethod::default(), password)
}

/// The hash to store for `password`, by the given method.
///
/// # Errors
///
/// The system gave no random bytes.
pub fn generate_password_hash_by(
    method: PasswordMethod,
    password: &str,
) -> Result<String, BadPasswordHash> {
    let random = |error: &dyn fmt::Display| BadPasswordHash::Random(error.to_string());
    let salt = try_generate_salt().map_err(|error| random(&error))?;
    let legacy = match method {
        PasswordMethod::Argon2id => {
            let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
            return hash
                .map(|hash| hash.to_string())
                .map_err(|error| random(&error));
        }
        PasswordMethod::Scrypt => SCRYPT,
        PasswordMethod::Pbkdf2 => PBKDF2,
    };
    let salt = BASE64.encode(salt);
    let digest = Legacy::parse(legacy)?.digest(password, &salt);
    Ok(format!("{legacy}${salt}${}", Hex(&digest)))
}

/// Whether `password` is the one that `hash` was made of, by any of the formats.
///
/// # Errors
///
/// The stored text is no hash. A caller that treats this as a wrong password locks the account's owner out
/// without a word, so it is told apart.
pub fn check_password_hash(hash: &str, password: &str) -> Result<bool, BadPasswordHash> {
    if hash.starts_with(ARGON2) {
        let parsed = PasswordHash::new(hash).map_err(|_| BadPasswordHash::Format)?;
        let verdict = affordable(&parsed)
            .then(|| Argon2::default().verify_password(password.as_bytes(), &parsed));
        let costly = || BadPasswordHash::Parameters(parsed.params.to_string());
        return Ok(verdict.ok_or_else(costly)?.is_ok());
    }
    let mut parts = hash.split('$');
    let (Some(method), Some(salt), Some(expected), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(BadPasswordHash::Format);
    };
    let digest = Legacy::parse(method)?.digest(password, salt);
    let found = Hex(&digest).to_string();
    Ok(found.as_bytes().ct_eq(expected.as_bytes()).into())
}

/// Whether `hash` was made by another method or with other parameters than [`generate_password_hash`] uses, so
/// that it is worth making anew at the next login, when the password is at hand.
pub fn needs_rehash(hash: &str) -> bool {
    let present = Argon2::default();
    let parsed = PasswordHash::new(hash).ok();
    !parsed.is_some_and(|hash| {
        hash.algorithm.as_str() == "argon2id"
            && hash.params.get_decimal("m") == Some(present.params().m_cost())
            && hash.params.get_decimal("t") == Some(present.params().t_cost())
    })
}

/// Whether a stored argon2 hash asks for a sensible amount of memory and time.
fn affordable(hash: &PasswordHash) -> bool {
    let at_most = |name, most| {
        hash.params
            .get_decimal(name)
            .is_none_or(|value| value <= most)
    };
    at_most("m", MAX_ARGON2_KIB) && at_most("t", MAX_ARGON2_PASSES) && at_most("p", 16)
}

/// A method of Werkzeug's with its parameters.
enum Legacy {
    Scrypt(scrypt::Params),
    Pbkdf2 { digest: Sha, rounds: u32 },
}

enum Sha {
    One,
    Two256,
    Two512,
}

impl Legacy {
    fn parse(method: &str) -> Result<Self, BadPasswordHash> {
        let parts: Vec<&str> = method.split(':').collect();
        let parsed = match parts.as_slice() {
            ["scrypt"] => Self::scrypt("32768", "8", "1"),
            ["scrypt", n, r, p] => Self::scrypt(n, r, p),
            ["pbkdf2"] => Self::pbkdf2("sha256", "1000000"),
            ["pbkdf2", digest] => Self::pbkdf2(digest, "1000000"),
            ["pbkdf2", digest, rounds] => Self::pbkdf2(digest, rounds),
            _ => return Err(BadPasswordHash::Format),
        };
        parsed.ok_or_else(|| BadPasswordHash::Parameters(method.to_owned()))
    }

    fn scrypt(n: &str, r: &str, p: &str) -> Option<Self> {
        let (n, r, p) = (number(n)?, number(r)?, number(p)?);
        let memory = u64::from(n) * u64::from(r) * 128;
        if !n.is_power_of_two() || memory > MAX_SCRYPT_BYTES || p > 16 {
            return None;
        }
        let log = u8::try_from(n.ilog2()).ok()?;
        scrypt::Params::new(log, r, p).ok().map(Self::Scrypt)
    }

    fn pbkdf2(digest: &str, rounds: &str) -> Option<Self> {
        let digest = match digest {
            "sha1" => Sha::One,
            "sha256" => Sha::Two256,
            "sha512" => Sha::Two512,
            _ => return None,
        };
        let rounds = number(rounds)?;
        (1..=MAX_PBKDF2_ROUNDS)
            .contains(&rounds)
            .then_some(Self::Pbkdf2 { digest, rounds })
    }

    fn digest(&self, password: &str, salt: &str) -> Vec<u8> {
        let (password, salt) = (password.as_bytes(), salt.as_bytes());
        let mut digest = vec![0; self.len()];
        match self {
            Self::Scrypt(params) => scrypt::scrypt(password, salt, params, &mut digest)
                .expect("64 bytes are a length that scrypt gives"),
            Self::Pbkdf2 {
                digest: sha,
                rounds,
            } => match sha {
                Sha::One => pbkdf2_hmac::<Sha1>(password, salt, *rounds, &mut digest),
                Sha::Two256 => pbkdf2_hmac::<Sha256>(password, salt, *rounds, &mut digest),
                Sha::Two512 => pbkdf2_hmac::<Sha512>(password, salt, *rounds, &mut digest),
            },
        }
        digest
    }

    /// Length of the digest, in bytes.
    fn len(&self) -> usize {
        match self {
            Self::Pbkdf2 {
                digest: Sha::One, ..
            } => 20,
            Self::Pbkdf2 {
                digest: Sha::Two256,
                ..
            } => 32,
            Self::Scrypt(_)
            | Self::Pbkdf2 {
                digest: Sha::Two512,
                ..
            } => 64,
        }
    }
}

/// Digits alone; `parse` would take a sign as well.
fn number(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

const ARGON2: &str = "$argon2";
const SCRYPT: &str = "scrypt:32768:8:1";
const PBKDF2: &str = "pbkdf2:sha256:1000000";
/// Most memory that a stored argon2 hash may ask for.
const MAX_ARGON2_KIB: u32 = 1 << 20;
/// Most passes over it.
const MAX_ARGON2_PASSES: u32 = 64;
/// Most memory that a stored scrypt hash may ask for (Werkzeug's default asks for 32 MiB).
const MAX_SCRYPT_BYTES: u64 = 1 << 30;
/// Most rounds of PBKDF2 (Werkzeug's default: 1,000,000).
const MAX_PBKDF2_ROUNDS: u32 = 20_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// By Werkzeug 3.1 of `hunter2` with the salt `SaltSalt12345678`.
    const BY_SCRYPT: &str = "scrypt:32768:8:1$SaltSalt12345678$\
        a6a6303582f75a43d072c97cf0447032435cf6d943559e536f593170431baa9467c981b3193391363dcf13f598072a84\
        64c06011c28061d8c8eab760016e35db";
    const BY_PBKDF2: &str = "pbkdf2:sha256:1000$SaltSalt12345678$\
        2ddf5eeafb00312a47d3e8392e1e9b87910649a22028801f4649371671a48be0";

    #[test]
    fn hashes_that_werkzeug_has_made_verify() {
        for hash in [BY_SCRYPT, BY_PBKDF2] {
            assert_eq!(check_password_hash(hash, "hunter2"), Ok(true), "{hash}");
            assert_eq!(check_password_hash(hash, "hunter3"), Ok(false), "{hash}");
            assert!(needs_rehash(hash));
        }
    }

    #[test]
    fn a_new_hash_is_argon2id_with_a_salt_of_its_own() {
        let hash = generate_password_hash("correct horse").unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert_ne!(hash, generate_password_hash("correct horse").unwrap());
        assert_eq!(check_password_hash(&hash, "correct horse"), Ok(true));
        assert_eq!(check_password_hash(&hash, "battery staple"), Ok(false));
        assert!(!needs_rehash(&hash));
    }

    #[test]
    fn a_hash_for_flask_is_in_its_format() {
        let hash = generate_password_hash_by(PasswordMethod::Scrypt, "x").unwrap();
        assert!(hash.starts_with("scrypt:32768:8:1$"), "{hash}");
        assert_eq!(check_password_hash(&hash, "x"), Ok(true));
    }

    #[test]
    fn what_is_no_hash_is_told_apart_from_a_wrong_password() {
        for text in [
            "",
            "hunter2",
            "md5$salt$00",
            "scrypt:32768:8:1$salt",
            "$argon2id$x",
        ] {
            let verdict = check_password_hash(text, "hunter2");
            assert_eq!(verdict, Err(BadPasswordHash::Format), "{text}");
        }
    }

    #[test]
    fn a_hash_that_asks_for_endless_work_is_refused() {
        let salt = "$SaltSalt12345678$00";
        for method in [
            "scrypt:1073741824:8:1",
            "scrypt:1000:8:1",
            "pbkdf2:sha256:4000000000",
            "pbkdf2:sha256:+1",
            "pbkdf2:md5:1",
        ] {
            let verdict = check_password_hash(&format!("{method}{salt}"), "x");
            let refused = Err(BadPasswordHash::Parameters(method.to_owned()));
            assert_eq!(verdict, refused, "{method}");
        }
        let costly = "$argon2id$v=19$m=4000000,t=2,p=1$c29tZXNhbHRzb21l$c29tZWhhc2hzb21laGFzaA";
        assert!(matches!(
            check_password_hash(costly, "x"),
            Err(BadPasswordHash::Parameters(_))
        ));
    }
}
