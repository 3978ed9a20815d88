//! [`HostTls`]: facts of a TLS connection, made once for it and lent to every call.

use std::fmt;
use std::ptr;

use crate::abi::size::struct_size;
use crate::abi::types::{GwStr, GwTls};
use crate::exchange_host::TlsInfo;
use crate::head::length;

/// What `gw.tls/1` yields for the exchanges of a connection.
pub struct HostTls {
    raw: GwTls,
    // Own what `raw` points to, and are never touched again: vectors, since moving a box claims its
    // content anew.
    info: TlsInfo,
    _chain: Vec<GwStr>,
}

// SAFETY: the pointers in `raw` point into the vectors beside it, which nobody changes.
unsafe impl Send for HostTls {}
// SAFETY: as above.
unsafe impl Sync for HostTls {}

impl HostTls {
    pub(crate) fn as_raw(&self) -> *const GwTls {
        &raw const self.raw
    }

    /// The facts.
    #[must_use]
    pub fn info(&self) -> &TlsInfo {
        &self.info
    }
}

impl From<TlsInfo> for HostTls {
    fn from(info: TlsInfo) -> Self {
        let chain: Vec<GwStr> = info
            .peer_chain
            .iter()
            .map(|one| GwStr::from(&**one))
            .collect();
        let raw = GwTls {
            struct_size: struct_size::<GwTls>(),
            version: info.version,
            cipher_suite: info.cipher_suite,
            alpn: GwStr::from(&*info.alpn),
            server_name: GwStr::from(&*info.server_name),
            peer_chain: if chain.is_empty() {
                ptr::null()
            } else {
                chain.as_ptr()
            },
            n_peer_chain: length(chain.len()),
            peer_verified: u32::from(info.peer_verified),
        };
        Self {
            raw,
            info,
            _chain: chain,
        }
    }
}

impl fmt::Debug for HostTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.info.fmt(f)
    }
}
