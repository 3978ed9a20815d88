//! [`Credentials`]: certificates ready for use, found by the name that a client asks for, and how
//! clients' own certificates are judged.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys, RootCertStore};

use super::certificate;
use super::material::{Identity, Material};
use crate::value::ClientAuth;

/// The server's certificates.
pub(crate) struct Credentials {
    names: HashMap<String, Vec<Arc<CertifiedKey>>>,
    default: Arc<CertifiedKey>,
    /// What was asked for last; guards nothing else. Handshakes of a worker come one after another, and
    /// the library does not pass the name on.
    asked: Mutex<Option<Box<str>>>,
}

/// Why a certificate with its key is of no use.
#[derive(Debug)]
pub(super) enum Unfit {
    /// The key belongs to another certificate.
    Mismatch,
    /// The key is none that can be used.
    Key,
    /// The certificate is none; why.
    Certificate(String),
}

impl Credentials {
    /// What `material` holds.
    ///
    /// # Errors
    ///
    /// There is no certificate in it, or one of no use.
    pub(crate) fn new(material: &Material) -> Result<Arc<Self>, String> {
        let mut names: HashMap<String, Vec<Arc<CertifiedKey>>> = HashMap::new();
        let mut first = None;
        for identity in &material.identities {
            let certified =
                certified(identity).map_err(|why| format!("{}: {why:?}", identity.origin))?;
            let certified = Arc::new(certified);
            for name in identity
                .chain
                .first()
                .map(certificate::names)
                .unwrap_or_default()
            {
                names.entry(name).or_default().push(Arc::clone(&certified));
            }
            first.get_or_insert(certified);
        }
        let default = first.ok_or("expected a certificate, found none")?;
        Ok(Arc::new(Self {
            names,
            default,
            asked: Mutex::default(),
        }))
    }

    /// The name that was asked for since the last time.
    pub(super) fn take_asked(&self) -> Option<Box<str>> {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn find(&self, name: &str) -> Option<&[Arc<CertifiedKey>]> {
        let name = name.to_ascii_lowercase();
        let wild = || Some(format!("*.{}", name.split_once('.')?.1));
        let found = self.names.get(&name);
        found
            .or_else(|| self.names.get(&wild()?))
            .map(Vec::as_slice)
    }
}

impl ResolvesServerCert for Credentials {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name();
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = name.map(Box::from);
        let fitting = name.and_then(|name| self.find(name)).unwrap_or_default();
        let schemes = hello.signature_schemes();
        // Several for a name differ in the kind of key.
        let fits = |one: &&Arc<CertifiedKey>| one.key.choose_scheme(schemes).is_some();
        let found = fitting.iter().find(fits).or(fitting.first());
        Some(Arc::clone(found.unwrap_or(&self.default)))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names.keys()).finish()
    }
}

/// The one provider of cryptography.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// A certificate with the key that signs for it.
pub(super) fn certified(identity: &Identity) -> Result<CertifiedKey, Unfit> {
    let key = aws_lc_rs::sign::any_supported_type(&identity.key).map_err(|_| Unfit::Key)?;
    let certified = CertifiedKey::new(identity.chain.clone(), key);
    match certified.keys_match() {
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(certified),
        Err(Error::InconsistentKeys(_)) => Err(Unfit::Mismatch),
        Err(error) => Err(Unfit::Certificate(error.to_string())),
    }
}

/// Who judges clients' certificates; nobody if they are not asked for any.
pub(super) fn verifier(
    material: &Material,
    auth: ClientAuth,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, String> {
    if auth == ClientAuth::None {
        return Ok(None);
    }
    let mut roots = RootCertStore::empty();
    for root in &material.client_roots {
        roots.add(root.clone()).map_err(|error| error.to_string())?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
        .with_crls(material.revocations.iter().cloned());
    let builder = match auth {
        ClientAuth::Optional => builder.allow_unauthenticated(),
        _ => builder,
    };
    // One list speaks of the certificates of one issuer; those of others have none.
    let builder = builder.allow_unknown_revocation_status();
    Ok(Some(builder.build().map_err(|error| error.to_string())?))
}

/// Whether everything in `material` can be used.
pub(super) fn check(material: &Material, auth: ClientAuth) -> Result<(), String> {
    Credentials::new(material)?;
    verifier(material, auth).map(drop)
}
