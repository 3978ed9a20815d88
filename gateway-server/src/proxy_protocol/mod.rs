//! The PROXY protocol, versions 1 and 2: what a proxy says of a connection before anything else is said
//! on it. Pure: bytes to an [`Introduction`].
//!
//! The bytes that have come so far get the same verdict however they came: none yet, a header and its
//! length, or what is wrong with them.

mod crc32c;
mod error;
mod introduction;
mod line;
mod options;
mod record;

pub use self::error::ProxyError;
pub use self::introduction::{Introduction, Source};

use crate::limits::{PROXY_LINE, PROXY_OPTIONS};

/// Reads the header at the beginning of `bytes`: what it says and how long it is; nothing while more
/// bytes are needed.
///
/// # Errors
///
/// There is no header, or none that can be believed.
pub fn parse(bytes: &[u8]) -> Result<Option<(Introduction, usize)>, ProxyError> {
    let begins_with = |sign: &[u8]| {
        let length = sign.len().min(bytes.len());
        bytes[..length] == sign[..length]
    };
    if bytes.is_empty() {
        Ok(None)
    } else if begins_with(line::SIGN) {
        line::parse(bytes)
    } else if begins_with(record::SIGN) {
        record::parse(bytes)
    } else {
        Err(ProxyError::Missing)
    }
}

/// Bytes of the longest header that is accepted.
pub(crate) const LONGEST: usize = {
    let record = record::LONGEST_ADDRESSES + PROXY_OPTIONS + record::FIXED;
    if record > PROXY_LINE {
        record
    } else {
        PROXY_LINE
    }
};

#[cfg(test)]
mod tests;
