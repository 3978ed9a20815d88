//! [`Networks`]: machines beyond this one that may see the page, by the setting `debug_allow`.

use std::net::IpAddr;

use crate::config::{Config, ConfigError};

/// Networks such as `172.17.0.0/16`, or single addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Networks(Vec<(IpAddr, u32)>);

/// What the setting says wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadNetworks {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("debug_allow: expected an address or a network such as `172.17.0.0/16`, found {0:?}")]
    Network(String),
}

impl Networks {
    pub(super) fn read(config: &Config) -> Result<Self, BadNetworks> {
        let texts: Vec<String> = config.get("debug_allow")?.unwrap_or_default();
        let networks = texts
            .into_iter()
            .map(|text| network(&text).ok_or(BadNetworks::Network(text)));
        networks.collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|(network, bits)| {
            network.is_ipv4() == address.is_ipv4()
                && first(*network, *bits) == first(address, *bits)
        })
    }
}

fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = match bits {
        Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => bits.parse().ok()?,
        Some(_) => return None,
        None => most,
    };
    (bits <= most).then_some((address, bits))
}

/// The first bits of an address.
fn first(address: IpAddr, bits: u32) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits().checked_shr(32 - bits).unwrap_or(0)),
        IpAddr::V6(address) => address.to_bits().checked_shr(128 - bits).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(texts: &[&str]) -> Option<Networks> {
        texts
            .iter()
            .map(|text| network(text))
            .collect::<Option<_>>()
            .map(Networks)
    }

    #[test]
    fn addresses_are_compared_by_their_first_bits() {
        let allowed = networks(&["172.17.0.0/16", "10.0.0.7", "fd00::/8"]).unwrap();
        for inside in ["172.17.255.1", "10.0.0.7", "fd12::1", "::ffff:172.17.0.1"] {
            assert!(allowed.contain(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["172.18.0.1", "10.0.0.8", "fe80::1", "127.0.0.1"] {
            assert!(!allowed.contain(outside.parse().unwrap()), "{outside}");
        }
        assert!(
            networks(&["0.0.0.0/0"])
                .unwrap()
                .contain("8.8.8.8".parse().unwrap())
        );
        assert!(!Networks::default().contain("8.8.8.8".parse().unwrap()));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "localhost",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0/8",
            "::/129",
        ] {
            assert_eq!(network(text), None, "{text}");
        }
    }
}
