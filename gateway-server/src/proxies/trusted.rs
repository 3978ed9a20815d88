//! What the settings say of proxies: who they are and which fields they set.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

/// Somebody who may be at the other end of a socket and is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TrustedPeer {
    /// Whoever can connect to a unix socket of ours.
    Unix,
    /// Whoever has an address of the network.
    Network(IpNet),
}

impl TrustedPeer {
    /// What [`TrustedPeer::parse`] accepts, for messages.
    pub(crate) const FORM: &str =
        "an address such as `10.0.0.7`, a network such as `10.0.0.0/8` or `fd00::/8`, or `unix`";

    /// Reads the form above. A network's address has no bit set behind its prefix: one that has was
    /// meant otherwise.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text == UNIX {
            return Some(Self::Unix);
        }
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Some(Self::Network(ip.to_canonical().into()));
        }
        let network: IpNet = text.parse().ok()?;
        (network.trunc() == network).then_some(Self::Network(network))
    }

    /// Whether it has this address.
    pub(super) fn contains(&self, ip: IpAddr) -> bool {
        match self {
            Self::Unix => false,
            Self::Network(network) => network.contains(&ip),
        }
    }
}

/// The form that [`TrustedPeer::parse`] reads.
impl fmt::Display for TrustedPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix => f.write_str(UNIX),
            Self::Network(network) if network.prefix_len() == network.max_prefix_len() => {
                network.addr().fmt(f)
            }
            Self::Network(network) => network.fmt(f),
        }
    }
}

/// A field by which proxies tell for whom they ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProxyField {
    /// X-Forwarded-For: the client, then the proxies but the last one.
    For,
    /// X-Forwarded-Proto: the scheme that the client used.
    Proto,
    /// X-Forwarded-Host: what the client asked for as Host.
    Host,
    /// X-Forwarded-Prefix: what was taken off the beginning of the path.
    Prefix,
    /// Forwarded (RFC 7239): client, scheme and host.
    Forwarded,
}

impl ProxyField {
    /// All of them.
    pub(super) const ALL: [Self; 5] = [
        Self::For,
        Self::Proto,
        Self::Host,
        Self::Prefix,
        Self::Forwarded,
    ];

    /// What [`ProxyField::parse`] accepts, for messages.
    pub(crate) const FORM: &str = "`x-forwarded-for`, `x-forwarded-proto`, `x-forwarded-host`, \
                                   `x-forwarded-prefix` or `forwarded`";

    /// Reads the form above, in any case.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|field| field.name().eq_ignore_ascii_case(text))
    }

    /// The field's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::For => "x-forwarded-for",
            Self::Proto => "x-forwarded-proto",
            Self::Host => "x-forwarded-host",
            Self::Prefix => "x-forwarded-prefix",
            Self::Forwarded => "forwarded",
        }
    }
}

/// The form that [`ProxyField::parse`] reads.
impl fmt::Display for ProxyField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

const UNIX: &str = "unix";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_read_and_shown_alike_and_others_are_refused() {
        for text in [
            "unix",
            "10.0.0.7",
            "10.0.0.0/8",
            "::1",
            "fd00::/8",
            "0.0.0.0/0",
        ] {
            assert_eq!(TrustedPeer::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "*",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "localhost",
            "10.0.0.0/",
            "Unix",
        ] {
            assert_eq!(TrustedPeer::parse(text), None, "{text}");
        }
    }

    #[test]
    fn fields_are_read_in_any_case() {
        for field in ProxyField::ALL {
            let text = field.to_string().to_ascii_uppercase();
            assert_eq!(ProxyField::parse(&text), Some(field));
        }
        assert_eq!(ProxyField::parse("x-real-ip"), None);
    }
}
