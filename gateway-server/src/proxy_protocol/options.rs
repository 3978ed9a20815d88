//! What version 2 has behind the addresses: TLVs, each a type, a length and a value.
//!
//! All have to be whole. Two count: the checksum, and whether the client spoke TLS. The others (names that
//! the client asked for, ids, clouds' own) say nothing that the server acts on.

use super::crc32c;
use super::error::ProxyError;

/// Reads what stands in `header` from `start` on: whether the client came by TLS.
pub(super) fn read(header: &[u8], start: usize) -> Result<bool, ProxyError> {
    let (mut tls, mut checked) = (None, false);
    let options = Options {
        bytes: header,
        at: start,
    };
    for option in options {
        let Tlv { kind, at, value } = option?;
        match kind {
            CRC32C if checked => return Err(ProxyError::Repeated(kind)),
            SSL if tls.is_some() => return Err(ProxyError::Repeated(kind)),
            CRC32C => {
                check(header, at, value)?;
                checked = true;
            }
            SSL => tls = Some(by_tls(value)?),
            _ => {}
        }
    }
    Ok(tls == Some(true))
}

/// The checksum is that of the header with zeros in its own place.
fn check(header: &[u8], at: usize, value: &[u8]) -> Result<(), ProxyError> {
    let found = value.try_into().map(u32::from_be_bytes);
    let found = found.map_err(|_| ProxyError::Options)?;
    let behind = &header[at + value.len()..];
    let expected = crc32c::checksum([&header[..at], &[0; 4], behind]);
    match found == expected {
        true => Ok(()),
        false => Err(ProxyError::Checksum { expected, found }),
    }
}

/// PP2_TYPE_SSL: what the client had, four bytes on its certificate, and TLVs about both.
fn by_tls(value: &[u8]) -> Result<bool, ProxyError> {
    let (Some(client), Some(_)) = (value.first(), value.get(..SSL_FIXED)) else {
        return Err(ProxyError::Options);
    };
    let mut nested = Options {
        bytes: value,
        at: SSL_FIXED,
    };
    nested.try_for_each(|option| option.map(|_| ()))?;
    Ok(client & CLIENT_SSL != 0)
}

/// TLVs, one after another; behind one that is not whole there is nothing.
struct Options<'h> {
    bytes: &'h [u8],
    at: usize,
}

struct Tlv<'h> {
    kind: u8,
    /// Where the value begins.
    at: usize,
    value: &'h [u8],
}

impl<'h> Iterator for Options<'h> {
    type Item = Result<Tlv<'h>, ProxyError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.bytes[self.at..];
        if rest.is_empty() {
            return None;
        }
        let whole = rest
            .split_first_chunk()
            .and_then(|([kind, high, low], rest)| {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                Some((*kind, rest.get(..length)?))
            });
        let Some((kind, value)) = whole else {
            self.at = self.bytes.len();
            return Some(Err(ProxyError::Options));
        };
        let at = self.at + 3;
        self.at = at + value.len();
        Some(Ok(Tlv { kind, at, value }))
    }
}

/// PP2_TYPE_CRC32C.
const CRC32C: u8 = 0x03;
/// PP2_TYPE_SSL.
const SSL: u8 = 0x20;
/// PP2_CLIENT_SSL: the client came by TLS.
const CLIENT_SSL: u8 = 0x01;
/// Bytes of PP2_TYPE_SSL before its TLVs.
const SSL_FIXED: usize = 5;
