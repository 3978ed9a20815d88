//! [`Introduction`]: what a header says.

use gateway_spec::Address;

/// For whom a proxy speaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Introduction {
    /// The client's end; none if the proxy speaks for itself (LOCAL) or does not know (UNKNOWN).
    pub client: Option<Address>,
    /// Whether the client came by TLS which the proxy has ended.
    pub tls: bool,
}
