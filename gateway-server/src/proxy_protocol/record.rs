//! Version 2: a record of bytes.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use gateway_spec::Address;

use super::error::ProxyError;
use super::introduction::{Introduction, Source};
use super::options;
use crate::limits::PROXY_OPTIONS;

/// What it begins with.
pub(super) const SIGN: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// Bytes before the addresses.
pub(super) const FIXED: usize = SIGN.len() + 4;

/// Bytes of the longest addresses.
pub(super) const LONGEST_ADDRESSES: usize = 2 * UNIX_PATH;

/// What the families' addresses are.
#[derive(Clone, Copy)]
enum Family {
    Unspecified,
    Ipv4,
    Ipv6,
    Unix,
}

/// Reads a record that begins with as much of [`SIGN`] as there is.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Introduction, usize)>, ProxyError> {
    let Some(command) = bytes.get(SIGN.len()) else {
        return Ok(None);
    };
    if !matches!(*command, LOCAL | PROXY) {
        return Err(ProxyError::Command(*command));
    }
    let Some([family, high, low]) = bytes.get(SIGN.len() + 1..FIXED) else {
        return Ok(None);
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    // The proxy's own connection, to see whether we live: everything else is to be ignored.
    let family = match *command {
        LOCAL => Family::Unspecified,
        _ => Family::of(*family)?,
    };
    let addresses = family.bytes();
    if length < addresses {
        let expected = addresses;
        return Err(ProxyError::Addresses {
            expected,
            found: length,
        });
    }
    let most = match family {
        // There may be addresses that nobody looks at.
        Family::Unspecified => LONGEST_ADDRESSES + PROXY_OPTIONS,
        _ => addresses + PROXY_OPTIONS,
    };
    if length > most {
        return Err(ProxyError::TooLong(length - addresses));
    }
    let Some(header) = bytes.get(..FIXED + length) else {
        return Ok(None);
    };
    let client = family.source(&header[FIXED..FIXED + addresses]);
    let introduction = match client {
        Some(client) => Introduction {
            source: Source::Client(client),
            tls: options::read(header, FIXED + addresses)?,
        },
        None if *command == LOCAL => Introduction::of(Source::Proxy),
        None => Introduction::of(Source::Unknown),
    };
    Ok(Some((introduction, header.len())))
}

impl Family {
    fn of(byte: u8) -> Result<Self, ProxyError> {
        Ok(match byte {
            0x00 => Self::Unspecified,
            // Streams and datagrams: a proxy may have QUIC's clients.
            0x11 | 0x12 => Self::Ipv4,
            0x21 | 0x22 => Self::Ipv6,
            0x31 | 0x32 => Self::Unix,
            other => return Err(ProxyError::Family(other)),
        })
    }

    /// Bytes of both addresses, and of both ports.
    fn bytes(self) -> usize {
        match self {
            Self::Unspecified => 0,
            Self::Ipv4 => 12,
            Self::Ipv6 => 36,
            Self::Unix => LONGEST_ADDRESSES,
        }
    }

    /// The first of the addresses.
    fn source(self, addresses: &[u8]) -> Option<Address> {
        let port = |at: usize| u16::from_be_bytes([addresses[at], addresses[at + 1]]);
        Some(match self {
            Self::Unspecified => return None,
            Self::Ipv4 => {
                let ip: [u8; 4] = *addresses.first_chunk()?;
                SocketAddr::from((Ipv4Addr::from(ip), port(8))).into()
            }
            Self::Ipv6 => {
                let ip: [u8; 16] = *addresses.first_chunk()?;
                SocketAddr::from((Ipv6Addr::from(ip), port(32))).into()
            }
            Self::Unix => Address::Unix(path(&addresses[..UNIX_PATH]).into()),
        })
    }
}

/// The path in a field of fixed length. An abstract one begins with NUL, and ends with its last byte that is
/// none.
fn path(field: &[u8]) -> &[u8] {
    let end = match field.first() {
        Some(0) => field.iter().rposition(|byte| *byte != 0).map(|at| at + 1),
        _ => field
            .iter()
            .position(|byte| *byte == 0)
            .or(Some(field.len())),
    };
    &field[..end.unwrap_or(0)]
}

/// Version and command.
const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;
/// Bytes of a path of a unix socket.
const UNIX_PATH: usize = 108;
