//! [`Address`]: one end of a connection.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// One end of a connection.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Address {
    /// Not known: a request made in process.
    #[default]
    Unknown,
    /// TCP or QUIC.
    Ip(SocketAddr),
    /// A unix socket: the path's bytes; a leading NUL marks an abstract name; empty if unnamed, as
    /// clients usually are.
    Unix(Box<[u8]>),
}

impl Address {
    /// The IP address, if there is one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(address) => Some(address.ip()),
            _ => None,
        }
    }

    /// The port, if there is one.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        match self {
            Self::Ip(address) => Some(address.port()),
            _ => None,
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Ip(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("-"),
            Self::Ip(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.escape_ascii()),
        }
    }
}
