//! The extension `gw.tls/1`.

use super::frozen::GwStr;

/// Id of the extension that yields [`GwTls`] for an exchange over TLS.
pub const EXT_TLS: &[u8] = b"gw.tls/1";

/// Facts of the TLS connection; lives as long as the reference to the exchange.
#[repr(C)]
#[derive(Debug)]
pub struct GwTls {
    pub struct_size: u32,
    /// 0x0303 for TLS 1.2, 0x0304 for TLS 1.3.
    pub version: u16,
    pub cipher_suite: u16,
    pub alpn: GwStr,
    pub server_name: GwStr,
    /// The client's verified chain, leaf first, DER.
    pub peer_chain: *const GwStr,
    pub n_peer_chain: u32,
    /// 1 if the client's chain was verified, else 0.
    pub peer_verified: u32,
}
