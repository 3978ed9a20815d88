//! [`Dialect`]: how a request was said.

use gateway_spec::abi::version;

use crate::http1::Version;

/// How the client said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// As the head stands there.
    Http1,
    /// In HTTP/2; the head was written for it.
    Http2,
    /// In HTTP/2, by an extended CONNECT (RFC 8441), for which the head says GET and Upgrade.
    ExtendedConnect,
    /// To a front, in this version; the head was written for it.
    Fronted(u16),
}

impl Dialect {
    /// By a front's word.
    pub(super) fn told(version: Option<u16>) -> Option<Self> {
        version.map(Self::Fronted)
    }

    /// The version, an id of [`version`].
    #[inline(always)]
    pub(super) fn version(self, head: Version) -> u16 {
        match (self, head) {
            (Self::Http1, Version::Http10) => version::HTTP_10,
            (Self::Http1, Version::Http11) => version::HTTP_11,
            (Self::Fronted(version), _) => version,
            _ => version::HTTP_2,
        }
    }

    /// Its name.
    pub(super) fn name(self, head: Version) -> &'static str {
        match self.version(head) {
            version::HTTP_10 => "HTTP/1.0",
            version::HTTP_11 => "HTTP/1.1",
            version::HTTP_3 => "HTTP/3.0",
            _ => "HTTP/2.0",
        }
    }
}
