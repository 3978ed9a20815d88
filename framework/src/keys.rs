//! The application's secrets: what signs sessions and tokens, and whether it is strong enough to.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::config::{Config, ConfigError};
use crate::context::Cx;
use crate::error::{Error, Result};
use crate::extract::Check;
use crate::secret::Secret;
use crate::signing::{Derivation, Signer};

/// The secrets that the configuration names: `secret_key`, and the former ones in `secret_key_fallbacks`,
/// which still verify. In a developer's run a missing one is made and kept in `instance/secret`.
#[derive(Debug)]
pub(crate) struct Keys {
    configured: Vec<Secret>,
    /// Where a developer's secret is kept; none outside debug.
    file: Option<PathBuf>,
    made: OnceLock<Secret>,
    /// When a missing secret is told.
    demand: Demand,
}

/// When an application that needs a secret is to have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    /// Before it serves.
    AtStart,
    /// When something is signed, which most commands never do.
    AtUse,
}

/// What is wrong with the secrets.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyMistake {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(
        "{origin}: `{key}` is too weak to sign with: expected at least {MIN_BYTES} bytes that nobody can guess, such \
         as those of `openssl rand -hex 32`"
    )]
    Weak { key: &'static str, origin: String },
    #[error("a secret is needed: set `secret_key` to what `openssl rand -hex 32` prints")]
    Missing,
    #[error("cannot keep a secret for development in {}: {cause}", path.display())]
    File { path: PathBuf, cause: io::Error },
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

impl Keys {
    /// Reads the settings; outside debug every secret must be strong.
    pub(crate) fn read(config: &Config, root: &Path, demand: Demand) -> Result<Self, KeyMistake> {
        let debug = config.debug();
        let current: Option<Secret> = config.get(KEY)?;
        let former: Option<Vec<Secret>> = config.get(FALLBACKS)?;
        let former = former.unwrap_or_default();
        let named = current.iter().map(|secret| (KEY, secret));
        let weak = named
            .chain(former.iter().map(|secret| (FALLBACKS, secret)))
            .find(|(_, secret)| !debug && !is_strong(secret.expose()));
        if let Some((key, _)) = weak {
            let origin = config.origin(key).unwrap_or("the configuration").to_owned();
            return Err(KeyMistake::Weak { key, origin });
        }
        Ok(Self {
            configured: current.into_iter().chain(former).collect(),
            file: debug.then(|| root.join("instance/secret")),
            made: OnceLock::new(),
            demand,
        })
    }

    /// Sees to it that there is a secret.
    pub(crate) fn need(&self) -> Result<(), KeyMistake> {
        if !self.configured.is_empty() || self.made.get().is_some() {
            return Ok(());
        }
        let path = self.file.as_ref().ok_or(KeyMistake::Missing)?;
        let secret = kept(path)?;
        self.made.get_or_init(|| secret);
        Ok(())
    }

    /// A signer for one purpose; one without a key signs nothing.
    pub(crate) fn signer(&self, salt: &str, derivation: Derivation) -> Signer {
        let secrets = self.configured.iter().chain(self.made.get());
        Signer::new(
            secrets.map(|secret| secret.expose().as_bytes()),
            salt,
            derivation,
        )
    }
}

impl Check<'_> {
    /// Asks for a secret to sign with; it is a mistake if none is configured, unless no more than a command is run.
    pub fn needs_secret(&mut self) {
        let keys: Option<&Keys> = self.state();
        let keys = keys.filter(|keys| keys.demand == Demand::AtStart);
        if let Some(Err(mistake)) = keys.map(Keys::need) {
            self.mistake(mistake.to_string());
        }
    }
}

impl Cx {
    /// Signs and verifies tokens of the purpose that `salt` names, under the application's secret.
    ///
    /// # Errors
    ///
    /// No secret is configured.
    pub fn signer(&self, salt: &str) -> Result<Signer> {
        let keys = self
            .state::<Keys>()
            .ok_or_else(|| Error::from(KeyMistake::Missing))?;
        keys.need()?;
        Ok(keys.signer(salt, Derivation::Concat))
    }
}

/// `bytes` random bytes in hexadecimal digits.
pub(crate) fn random_hex(bytes: usize) -> Result<String, KeyMistake> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random).map_err(KeyMistake::Random)?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Long enough, and not one character over and over.
fn is_strong(secret: &str) -> bool {
    let mut seen: Vec<u8> = secret.bytes().collect();
    seen.sort_unstable();
    seen.dedup();
    secret.len() >= MIN_BYTES && seen.len() >= MIN_DIFFERENT
}

/// The secret in the file at `path`, made if there is none; whichever worker comes first makes it.
fn kept(path: &Path) -> Result<Secret, KeyMistake> {
    let failed = |cause| KeyMistake::File {
        path: path.to_owned(),
        cause,
    };
    match fs::read_to_string(path) {
        Ok(secret) if is_strong(secret.trim()) => return Ok(Secret::new(secret.trim().to_owned())),
        Ok(_) => {
            let short = io::Error::other("it does not hold a secret; remove it");
            return Err(failed(short));
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        Err(_) => {}
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(folder).map_err(failed)?;
    let mine = folder.join(format!("secret.{}", std::process::id()));
    let written = write_new(&mine, &random_hex(32)?)
        // A link to a file that is whole already: nobody reads half a secret.
        .and_then(|()| match fs::hard_link(&mine, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        });
    let removed = fs::remove_file(&mine);
    written.and(removed).map_err(failed)?;
    let secret = fs::read_to_string(path).map_err(failed)?;
    Ok(Secret::new(secret.trim().to_owned()))
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{text}")
}

const KEY: &str = "secret_key";
const FALLBACKS: &str = "secret_key_fallbacks";
/// As many as the digest that signs has, and more than anyone types in by hand.
const MIN_BYTES: usize = 32;
const MIN_DIFFERENT: usize = 8;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_is_strong_if_it_is_long_and_varied() {
        assert!(is_strong("0123456789abcdef0123456789abcdef"));
        assert!(!is_strong("0123456789abcdef"));
        assert!(!is_strong(&"a".repeat(64)));
        assert!(!is_strong("dev"));
    }

    #[test]
    fn a_developers_secret_is_made_once_and_kept_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("instance/secret");
        let first = kept(&path).unwrap();
        assert_eq!(kept(&path).unwrap().expose(), first.expose());
        assert_eq!(first.expose().len(), 64);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let others = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(others, 1, "nothing else is left there");
    }

    #[test]
    fn a_file_that_holds_no_secret_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, "dev").unwrap();
        assert!(kept(&path).unwrap_err().to_string().contains("remove it"));
    }
}
