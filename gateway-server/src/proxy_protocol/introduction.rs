//! [`Introduction`]: what a header says.

use gateway_spec::Address;

/// For whom a proxy speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introduction {
    /// Whose bytes follow.
    pub source: Source,
    /// Whether the client came by TLS which the proxy has ended.
    pub tls: bool,
}

/// Whose bytes a proxy passes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Its own (LOCAL).
    Proxy,
    /// Those of somebody whom it cannot name (UNKNOWN, or an unspecified family).
    Unknown,
    /// Those of the client with this end.
    Client(Address),
}

impl Introduction {
    /// One that says nothing of TLS.
    pub(super) fn of(source: Source) -> Self {
        Self { source, tls: false }
    }
}
