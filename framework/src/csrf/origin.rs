//! An origin (RFC 6454): scheme, host and port.

use std::fmt;
use std::str::FromStr;

/// `scheme://host[:port]`, with http or https as scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: Scheme,
    /// In lower case; an IPv6 address in brackets.
    host: String,
    port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

/// The text is no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no origin: expected `https://host` or `http://host`, with `:port` where it is not the usual one"
)]
pub struct BadOrigin(String);

impl Origin {
    /// The origin that `text` names.
    ///
    /// # Errors
    ///
    /// The text has another scheme, a path, user information, or no host.
    pub fn parse(text: &str) -> Result<Self, BadOrigin> {
        Self::read(text).ok_or_else(|| BadOrigin(text.to_owned()))
    }

    /// The origin that the field's value names; none if it names none, `null` included.
    pub(super) fn from_bytes(value: &[u8]) -> Option<Self> {
        Self::read(std::str::from_utf8(value).ok()?)
    }

    /// Whether `authority` (`host[:port]`) is this origin's. Without a port it has this origin's scheme's.
    pub(super) fn is_at(&self, authority: &str) -> bool {
        let parsed = host_and_port(authority);
        parsed.is_some_and(|(host, port)| {
            host == self.host && port.unwrap_or(self.scheme.port()) == self.port
        })
    }

    fn read(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let scheme = match scheme {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return None,
        };
        let (host, port) = host_and_port(authority)?;
        Some(Self {
            scheme,
            host,
            port: port.unwrap_or(scheme.port()),
        })
    }
}

impl FromStr for Origin {
    type Err = BadOrigin;

    fn from_str(text: &str) -> Result<Self, BadOrigin> {
        Self::parse(text)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        write!(f, "{scheme}://{}", self.host)?;
        match self.port == self.scheme.port() {
            true => Ok(()),
            false => write!(f, ":{}", self.port),
        }
    }
}

impl Scheme {
    fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// The host in lower case, and the port if one is given.
fn host_and_port(authority: &str) -> Option<(String, Option<u16>)> {
    let end = match authority.starts_with('[') {
        true => authority.find(']')? + 1,
        false => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at(end);
    let inside = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let sound = match inside {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(in_name),
    };
    sound.then_some(())?;
    let port = match rest.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse().ok()?)
        }
        Some(_) => return None,
        None if rest.is_empty() => None,
        None => return None,
    };
    Some((host.to_ascii_lowercase(), port))
}

/// `unreserved` of RFC 3986, which is all that host names have.
fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_displayed_as_a_browser_writes_it() {
        for (text, expected) in [
            ("https://A.example:443", "https://a.example"),
            ("http://a.example:8080", "http://a.example:8080"),
            ("https://[::1]:8443", "https://[::1]:8443"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_refused() {
        for text in [
            "a.example",
            "https://",
            "https://a.example/",
            "https://u@a.example",
            "ftp://a.example",
            "https://a.example:",
            "https://a.example:99999",
            "https://[::1",
            "https://[a.example]",
            "null",
        ] {
            assert!(Origin::parse(text).is_err(), "{text}");
        }
    }
}
