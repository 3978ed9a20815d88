//! An address to listen on, as an operator writes it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// A TCP address or the path of a unix socket.
///
/// Host names are not looked up: what a server listens on should not depend on a resolver. The one
/// name that needs no resolver, `localhost`, means `127.0.0.1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListenAddress {
    /// `127.0.0.1:8000`, `[::1]:8000`; `[::]:8000` takes IPv4 as well. Port 0 lets the kernel choose.
    Tcp(SocketAddr),
    /// `unix:/run/app.sock`.
    Unix(PathBuf),
}

impl ListenAddress {
    /// Reads one of the forms of the variants.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(path) = text.strip_prefix("unix:") {
            return (!path.is_empty() && !path.contains('\0')).then(|| Self::Unix(path.into()));
        }
        let (host, port) = text.rsplit_once(':')?;
        if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let port = port.parse().ok()?;
        let ip = match host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
        {
            Some(v6) => IpAddr::V6(v6.parse().ok()?),
            None if host == "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
            None => IpAddr::V4(host.parse().ok()?),
        };
        Some(Self::Tcp(SocketAddr::new(ip, port)))
    }

    /// The port, if there is one.
    pub(crate) fn port(&self) -> Option<u16> {
        match self {
            Self::Tcp(address) => Some(address.port()),
            Self::Unix(_) => None,
        }
    }
}

/// The form that [`ListenAddress::parse`] reads.
impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_are_read_and_shown_alike() {
        for text in [
            "127.0.0.1:8000",
            "0.0.0.0:0",
            "[::]:8000",
            "[::1]:80",
            "unix:/run/a b.sock",
        ] {
            assert_eq!(ListenAddress::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(
            ListenAddress::parse("localhost:1"),
            ListenAddress::parse("127.0.0.1:1")
        );
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "8000",
            ":8000",
            "127.0.0.1",
            "127.0.0.1:",
            "127.0.0.1:+80",
            "::1:80",
        ] {
            assert_eq!(ListenAddress::parse(text), None, "{text}");
        }
        for text in [
            "127.0.0.1:65536",
            "example.org:80",
            "[127.0.0.1]:80",
            "unix:",
            "[::1:80",
        ] {
            assert_eq!(ListenAddress::parse(text), None, "{text}");
        }
    }
}
