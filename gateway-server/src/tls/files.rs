//! Reading certificates and keys: files or folders of PEM.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::certificate;
use super::credentials;
use super::material::{Identity, Material};
use crate::options::TlsFiles;

/// Why the files are of no use. Never says what a key is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("{}: {cause}", path.display())]
    File { path: PathBuf, cause: io::Error },
    #[error("{}: expected {expected} in PEM, found {found}", path.display())]
    Content {
        path: PathBuf,
        expected: &'static str,
        found: String,
    },
    #[error("{}: the certificate has expired, {} days ago", path.display(), days.max(&0))]
    Expired { path: PathBuf, days: u64 },
    #[error(
        "{}: expected the key of the certificate in {}, found another",
        key.display(),
        certificate.display()
    )]
    Mismatch { key: PathBuf, certificate: PathBuf },
    #[error("{}: {why}", path.display())]
    Unusable { path: PathBuf, why: String },
    #[error(
        "{}: expected pairs such as `NAME.crt` and `NAME.key`, or `NAME/fullchain.pem` and \
         `NAME/privkey.pem`, found none",
        path.display()
    )]
    NoPairs { path: PathBuf },
}

impl ReadError {
    /// The file or folder.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::File { path, .. }
            | Self::Content { path, .. }
            | Self::Expired { path, .. }
            | Self::Mismatch { key: path, .. }
            | Self::Unusable { path, .. }
            | Self::NoPairs { path } => path,
        }
    }
}

/// Reads everything and checks that it is of use now.
///
/// # Errors
///
/// The first file that is not, and why.
pub(crate) fn read(files: &TlsFiles, now: SystemTime) -> Result<Material, ReadError> {
    let (material, wrong) = gather(files, now);
    match wrong.into_iter().next() {
        Some(error) => Err(error),
        None => Ok(material),
    }
}

/// All that [`read`] would refuse.
pub(crate) fn faults(files: &TlsFiles, now: SystemTime) -> Vec<ReadError> {
    gather(files, now).1
}

/// What is of use now, and what is not.
fn gather(files: &TlsFiles, now: SystemTime) -> (Material, Vec<ReadError>) {
    let mut material = Material::default();
    let mut wrong = Vec::new();
    let mut keys = files.keys.iter();
    for path in &files.certificates {
        let found = if path.is_dir() {
            pairs(path).unwrap_or_else(|error| {
                wrong.push(error);
                Vec::new()
            })
        } else {
            // A file may hold both.
            vec![(path.clone(), keys.next().unwrap_or(path).clone())]
        };
        for (certificate, key) in found {
            match identity(&certificate, &key, now) {
                Ok(identity) => material.identities.push(identity),
                Err(error) => wrong.push(error),
            }
        }
    }
    if let Some(path) = &files.client_ca {
        match all(path, "certificates") {
            Ok(roots) => material.client_roots = roots,
            Err(error) => wrong.push(error),
        }
    }
    if let Some(path) = &files.revocations {
        match all(path, "a list of revoked certificates") {
            Ok(lists) => material.revocations = lists,
            Err(error) => wrong.push(error),
        }
    }
    // What is missing would be told a second time.
    if wrong.is_empty()
        && let Err(why) = credentials::check(&material, files.client_auth)
    {
        let mut paths = files.revocations.iter().chain(&files.client_ca);
        let path = paths.next().or(files.certificates.first());
        wrong.push(ReadError::Unusable {
            path: path.cloned().unwrap_or_default(),
            why,
        });
    }
    (material, wrong)
}

/// The files that [`read`] looks at, folders' contents included, as far as there are any.
pub(crate) fn watched(files: &TlsFiles) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for path in &files.certificates {
        if path.is_dir() {
            let pairs = pairs(path).unwrap_or_default();
            all.extend(pairs.into_iter().flat_map(|(one, other)| [one, other]));
        } else {
            all.push(path.clone());
        }
    }
    let others = files.keys.iter().chain(&files.client_ca);
    all.extend(others.chain(&files.revocations).cloned());
    all
}

fn identity(path: &Path, key_path: &Path, now: SystemTime) -> Result<Identity, ReadError> {
    let chain: Vec<CertificateDer<'static>> = all(path, "a certificate")?;
    let key = PrivateKeyDer::from_pem_slice(&bytes(key_path)?)
        .map_err(|error| content(key_path, "a private key", &error))?;
    let unusable = |why: &str| ReadError::Unusable {
        path: path.to_owned(),
        why: why.to_owned(),
    };
    let (from, until) = chain
        .first()
        .and_then(certificate::validity)
        .ok_or_else(|| unusable("expected an X.509 certificate, found something else"))?;
    if let Ok(since) = now.duration_since(until) {
        return Err(ReadError::Expired {
            path: path.to_owned(),
            days: since.as_secs() / DAY.as_secs(),
        });
    }
    if from > now {
        tracing::warn!("{}: the certificate is not valid yet", path.display());
    }
    if until.duration_since(now).is_ok_and(|left| left < SOON) {
        let left = until.duration_since(now).unwrap_or_default().as_secs() / DAY.as_secs();
        tracing::warn!("{}: the certificate expires in {left} days", path.display());
    }
    let identity = Identity {
        origin: path.display().to_string(),
        chain,
        key,
    };
    match credentials::certified(&identity) {
        Ok(_) => Ok(identity),
        Err(credentials::Unfit::Mismatch) => Err(ReadError::Mismatch {
            key: key_path.to_owned(),
            certificate: path.to_owned(),
        }),
        Err(credentials::Unfit::Key) => Err(ReadError::Unusable {
            path: key_path.to_owned(),
            why: "expected an RSA, ECDSA or Ed25519 key, found none that can be used".to_owned(),
        }),
        Err(credentials::Unfit::Certificate(why)) => Err(unusable(&why)),
    }
}

/// Certificates and keys in a folder, by name; the name `default` comes first.
fn pairs(folder: &Path) -> Result<Vec<(PathBuf, PathBuf)>, ReadError> {
    let fail = |cause| ReadError::File {
        path: folder.to_owned(),
        cause,
    };
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let Some(name) = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
        else {
            continue;
        };
        let pair = if path.is_dir() {
            (path.join("fullchain.pem"), path.join("privkey.pem"))
        } else if path
            .extension()
            .is_some_and(|one| one == "crt" || one == "pem")
        {
            (path.clone(), path.with_extension("key"))
        } else {
            continue;
        };
        if pair.0.exists() && pair.1.exists() {
            found.insert((name != "default", path), pair);
        }
    }
    if found.is_empty() {
        return Err(ReadError::NoPairs {
            path: folder.to_owned(),
        });
    }
    Ok(found.into_values().collect())
}

/// Everything of one kind in a file, at least one.
fn all<T: PemObject>(path: &Path, expected: &'static str) -> Result<Vec<T>, ReadError> {
    let bytes = bytes(path)?;
    let found: Result<Vec<T>, _> = T::pem_slice_iter(&bytes).collect();
    let found = found.map_err(|error| content(path, expected, &error))?;
    if found.is_empty() {
        return Err(content(path, expected, &pem::Error::NoItemsFound));
    }
    Ok(found)
}

fn bytes(path: &Path) -> Result<Vec<u8>, ReadError> {
    let fail = |cause| ReadError::File {
        path: path.to_owned(),
        cause,
    };
    let length = fs::metadata(path).map_err(fail)?.len();
    if length > LONGEST_FILE {
        return Err(fail(io::Error::other(format!(
            "expected at most {LONGEST_FILE} bytes, found {length}"
        ))));
    }
    fs::read(path).map_err(fail)
}

/// What a library says of a file may hold a part of it, which may be a part of a key.
fn content(path: &Path, expected: &'static str, error: &pem::Error) -> ReadError {
    let found = match error {
        pem::Error::NoItemsFound => "none",
        pem::Error::MissingSectionEnd { .. } => "a section without its end",
        pem::Error::IllegalSectionStart { .. } => "a broken beginning of a section",
        pem::Error::Base64Decode(_) => "a section that is no base64",
        _ => "something else",
    };
    ReadError::Content {
        path: path.to_owned(),
        expected,
        found: found.to_owned(),
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// A certificate that expires so soon is worth a warning.
const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// No certificates need more bytes.
const LONGEST_FILE: u64 = 16 << 20;
