//! [`HostAddress`]: a `gw_addr` with its path, made once for a connection and lent to every call.

use std::fmt;
use std::net::SocketAddr;

use crate::abi::types::{GwAddr, GwStr, family};
use crate::address::Address;

/// A socket address in the ABI's form.
pub struct HostAddress {
    raw: GwAddr,
    // Owns what `raw.unix_path` points to. A vector, since moving a box claims its content anew.
    path: Vec<u8>,
}

// SAFETY: the pointer in `raw` points to the vector's bytes, which nobody changes.
unsafe impl Send for HostAddress {}
// SAFETY: as above.
unsafe impl Sync for HostAddress {}

impl HostAddress {
    /// The IP address, if it is one.
    #[must_use]
    pub fn ip(&self) -> Option<std::net::IpAddr> {
        let [a, b, c, d, ..] = self.raw.ip;
        match self.raw.family {
            family::IPV4 => Some([a, b, c, d].into()),
            family::IPV6 => Some(self.raw.ip.into()),
            _ => None,
        }
    }

    pub(crate) fn as_raw(&self) -> *const GwAddr {
        &raw const self.raw
    }
}

impl From<&Address> for HostAddress {
    fn from(address: &Address) -> Self {
        let mut raw = GwAddr {
            family: family::NONE,
            port: 0,
            scope: 0,
            ip: [0; 16],
            unix_path: GwStr::NONE,
        };
        let mut path = Vec::new();
        match address {
            Address::Unknown => {}
            Address::Unix(bytes) => {
                raw.family = family::UNIX;
                path = bytes.to_vec();
                raw.unix_path = GwStr::from(&*path);
            }
            Address::Ip(SocketAddr::V4(address)) => {
                raw.family = family::IPV4;
                raw.port = address.port();
                raw.ip[..4].copy_from_slice(&address.ip().octets());
            }
            Address::Ip(SocketAddr::V6(address)) => {
                raw.family = family::IPV6;
                raw.port = address.port();
                raw.scope = address.scope_id();
                raw.ip = address.ip().octets();
            }
        }
        Self { raw, path }
    }
}

impl fmt::Display for HostAddress {
    /// The IP address without its port, as access logs show clients; `-` for anything else.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.raw.ip;
        match self.raw.family {
            family::IPV4 => std::net::Ipv4Addr::new(a, b, c, d).fmt(f),
            family::IPV6 => std::net::Ipv6Addr::from(self.raw.ip).fmt(f),
            _ => f.write_str("-"),
        }
    }
}

impl fmt::Debug for HostAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "HostAddress(family {}, path {})",
            self.raw.family,
            self.path.escape_ascii()
        )
    }
}
