//! [`ProxyError`]: every way in which a connection's beginning is no PROXY header.

use crate::limits::{PROXY_LINE, PROXY_OPTIONS};

/// Why there is no header, or none that can be believed.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// The first bytes are those of something else.
    #[error("expected a PROXY header, found something else")]
    Missing,
    /// The input ended within it.
    #[error("expected a PROXY header, found the end within it")]
    Truncated,
    /// It did not come in time.
    #[error("expected a PROXY header in time, found a part of it")]
    Late,
    /// Version 1 without an end where the longest line would have it.
    #[error("expected a PROXY line of at most {PROXY_LINE} bytes, found a longer one")]
    LineTooLong,
    /// Version 1, and not what the protocol says of it.
    #[error("expected `PROXY TCP4|TCP6 ADDRESS ADDRESS PORT PORT` and CRLF, found something else")]
    Line,
    /// Neither version 2 LOCAL nor version 2 PROXY.
    #[error("expected version 2 and LOCAL or PROXY in a PROXY header, found {0:#04x}")]
    Command(u8),
    /// A family or protocol that version 2 does not know.
    #[error("expected a family of version 2 in a PROXY header, found {0:#04x}")]
    Family(u8),
    /// Version 2 whose length has no room for addresses of its family.
    #[error("expected {expected} bytes of addresses in a PROXY header, found {found}")]
    Addresses {
        /// Bytes that the family's addresses have.
        expected: usize,
        /// Bytes that the header announces.
        found: usize,
    },
    /// Version 2 with more behind the addresses than anybody needs.
    #[error(
        "expected at most {PROXY_OPTIONS} bytes behind the addresses in a PROXY header, found {0}"
    )]
    TooLong(usize),
    /// Version 2 whose TLVs do not fit into each other or into the header.
    #[error("expected whole TLVs in a PROXY header, found one that is not")]
    Options,
    /// A TLV that there may be once, twice.
    #[error("expected the TLV {0:#04x} once in a PROXY header, found it twice")]
    Repeated(u8),
    /// The checksum says that bytes were changed on the way.
    #[error("expected the CRC32c {expected:#010x} in a PROXY header, found {found:#010x}")]
    Checksum {
        /// Of the bytes that came.
        expected: u32,
        /// What stands in the header.
        found: u32,
    },
}
