//! TLS by rustls: the acceptor, and what the application is told.

use std::sync::Arc;

use anyhow::{Context, Result};
use gateway_tower::TlsInfo;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Speaks TLS 1.2 and 1.3 with this certificate, and offers HTTP/2 before HTTP/1.1.
pub(crate) fn acceptor([certificate, key]: [&String; 2]) -> Result<TlsAcceptor> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .with_context(|| format!("no certificate in {certificate}"))?;
    let key = PrivateKeyDer::from_pem_file(key).with_context(|| format!("no key in {key}"))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// What the application is told of a connection.
pub(crate) fn facts<S>(stream: &TlsStream<S>) -> TlsInfo {
    let (_, session) = stream.get_ref();
    let mut facts = TlsInfo::default();
    facts.version = session.protocol_version().map_or(0, u16::from);
    let suite = session.negotiated_cipher_suite();
    facts.cipher_suite = suite.map_or(0, |suite| u16::from(suite.suite()));
    facts.alpn = session.alpn_protocol().unwrap_or_default().to_vec();
    facts.server_name = session.server_name().unwrap_or_default().into();
    facts
}
