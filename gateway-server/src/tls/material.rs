//! [`Material`]: what the certificate files hold, as one process hands it to another.

use std::fmt;

use rustls::pki_types::{
    CertificateDer, CertificateRevocationListDer, PrivateKeyDer, PrivatePkcs1KeyDer,
    PrivatePkcs8KeyDer, PrivateSec1KeyDer,
};

/// Certificates with their keys, and what clients' certificates are judged by.
#[derive(Default)]
pub(crate) struct Material {
    /// The first is for clients that ask for no name, or for one that nobody has.
    pub(crate) identities: Vec<Identity>,
    /// Whose certificates of clients are trusted.
    pub(crate) client_roots: Vec<CertificateDer<'static>>,
    /// Certificates of clients that are trusted no more.
    pub(crate) revocations: Vec<CertificateRevocationListDer<'static>>,
}

/// A certificate, those that lead to its root, and its key.
pub(crate) struct Identity {
    /// The certificate's file.
    pub(crate) origin: String,
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

impl Material {
    /// The bytes that [`Material::from_bytes`] reads. They hold the keys.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut push = |kind: u8, content: &[u8]| {
            bytes.push(kind);
            bytes.extend_from_slice(&(content.len() as u64).to_le_bytes());
            bytes.extend_from_slice(content);
        };
        for identity in &self.identities {
            push(ORIGIN, identity.origin.as_bytes());
            for certificate in &identity.chain {
                push(CERTIFICATE, certificate);
            }
            let kind = match &identity.key {
                PrivateKeyDer::Pkcs1(_) => PKCS1,
                PrivateKeyDer::Sec1(_) => SEC1,
                _ => PKCS8,
            };
            push(kind, identity.key.secret_der());
        }
        for root in &self.client_roots {
            push(ROOT, root);
        }
        for list in &self.revocations {
            push(REVOCATIONS, list);
        }
        bytes
    }

    /// Reads what [`Material::to_bytes`] wrote; nothing if it was something else.
    pub(crate) fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let mut material = Self::default();
        let (mut origin, mut chain) = (String::new(), Vec::new());
        while let Some((kind, rest)) = bytes.split_first() {
            let (length, rest) = rest.split_first_chunk()?;
            let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
            let content = rest.get(..length)?;
            bytes = &rest[length..];
            let mut identity = |key| {
                material.identities.push(Identity {
                    origin: std::mem::take(&mut origin),
                    chain: std::mem::take(&mut chain),
                    key,
                });
            };
            let owned = content.to_vec();
            match *kind {
                ORIGIN => origin = String::from_utf8(owned).ok()?,
                CERTIFICATE => chain.push(owned.into()),
                PKCS1 => identity(PrivatePkcs1KeyDer::from(owned).into()),
                SEC1 => identity(PrivateSec1KeyDer::from(owned).into()),
                PKCS8 => identity(PrivatePkcs8KeyDer::from(owned).into()),
                ROOT => material.client_roots.push(owned.into()),
                REVOCATIONS => material.revocations.push(owned.into()),
                _ => return None,
            }
        }
        chain.is_empty().then_some(material)
    }
}

/// Says nothing of the keys.
impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origins = self.identities.iter().map(|one| &one.origin);
        f.debug_list().entries(origins).finish_non_exhaustive()
    }
}

const ORIGIN: u8 = b'o';
const CERTIFICATE: u8 = b'c';
const PKCS1: u8 = b'1';
const SEC1: u8 = b's';
const PKCS8: u8 = b'8';
const ROOT: u8 = b'a';
const REVOCATIONS: u8 = b'r';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_process_reads_the_same_and_nothing_else() {
        let identity = |key: PrivateKeyDer<'static>| Identity {
            origin: "a.pem".into(),
            chain: vec![vec![1, 2].into(), vec![3].into()],
            key,
        };
        let material = Material {
            identities: vec![
                identity(PrivatePkcs8KeyDer::from(vec![4]).into()),
                identity(PrivatePkcs1KeyDer::from(vec![5]).into()),
                identity(PrivateSec1KeyDer::from(vec![6]).into()),
            ],
            client_roots: vec![vec![7].into()],
            revocations: vec![vec![8].into()],
        };
        let bytes = material.to_bytes();
        let read = Material::from_bytes(&bytes).unwrap();
        assert_eq!(read.to_bytes(), bytes);
        assert_eq!(read.identities[1].chain.len(), 2);
        assert!(matches!(read.identities[1].key, PrivateKeyDer::Pkcs1(_)));
        assert!(matches!(read.identities[2].key, PrivateKeyDer::Sec1(_)));
        assert!(Material::from_bytes(&bytes[..bytes.len() - 1]).is_none());
        assert!(Material::from_bytes(b"x").is_none());
        assert!(Material::from_bytes(b"").is_some());
    }

    #[test]
    fn keys_are_not_shown() {
        let material = Material {
            identities: vec![Identity {
                origin: "a.pem".into(),
                chain: Vec::new(),
                key: PrivatePkcs8KeyDer::from(b"secret".to_vec()).into(),
            }],
            ..Material::default()
        };
        assert_eq!(format!("{material:?}"), "[\"a.pem\", ..]");
    }
}
