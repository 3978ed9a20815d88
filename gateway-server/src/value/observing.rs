//! Who is told of what is observed.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;

/// Where datagrams are sent, written `localhost:8125` or `unix:/run/statsd.sock`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DatagramPlace {
    /// A host, which is looked up when something is sent, and a port.
    Udp(String, u16),
    /// An absolute path.
    Unix(PathBuf),
}

/// The name of a field, in small letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldName(pub(crate) String);

/// How lines on standard error are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LogFormat {
    #[default]
    Text,
    Json,
}

/// What names of metrics begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MetricPrefix(pub(crate) String);

/// Where an OpenTelemetry collector takes traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CollectorUrl(String);

/// What a service is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceName(pub(crate) String);

impl CollectorUrl {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("http://")?;
        let (place, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        DatagramPlace::parse(place).filter(|place| matches!(place, DatagramPlace::Udp(..)))?;
        let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#');
        path.bytes().all(plain).then(|| Self(text.to_owned()))
    }

    /// Where traces are sent.
    #[cfg_attr(
        not(feature = "opentelemetry"),
        expect(dead_code, reason = "nobody sends any")
    )]
    pub(crate) fn traces(&self) -> String {
        let base = self.0.trim_end_matches('/');
        let has_path = base["http://".len()..].contains('/');
        format!("{base}{}", if has_path { "" } else { "/v1/traces" })
    }
}

impl fmt::Display for CollectorUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ServiceName {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let good = !text.is_empty() && text.len() <= 255 && !text.contains(char::is_control);
        good.then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl DatagramPlace {
    /// The address of the host, if it is one of a host.
    ///
    /// # Errors
    ///
    /// It is not found.
    pub(crate) fn find(&self) -> io::Result<Option<SocketAddr>> {
        let Self::Udp(host, port) = self else {
            return Ok(None);
        };
        let plain = host.trim_start_matches('[').trim_end_matches(']');
        let mut found = (plain, *port).to_socket_addrs()?;
        Ok(Some(found.next().ok_or(io::ErrorKind::NotFound)?))
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(path) = text.strip_prefix("unix:") {
            let good = path.starts_with('/') && !path.contains('\0');
            return good.then(|| Self::Unix(path.into()));
        }
        let (host, port) = text.rsplit_once(':')?;
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse().ok().filter(|_| digits)?;
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let six = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let good = match six {
            Some(six) => six.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.chars().all(letter),
        };
        good.then(|| Self::Udp(host.to_owned(), port))
    }
}

impl fmt::Display for DatagramPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Udp(host, port) => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl FieldName {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let good = !text.is_empty() && text.chars().all(letter);
        good.then(|| Self(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl LogFormat {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

impl MetricPrefix {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let good = !text.is_empty() && text.chars().all(letter);
        good.then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for MetricPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_shown_alike_and_others_are_refused() {
        for text in [
            "localhost:8125",
            "[::1]:1",
            "10.0.0.1:65535",
            "unix:/run/a b",
        ] {
            assert_eq!(DatagramPlace::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "", "8125", ":1", "a:", "a:+1", "a b:1", "::1:1", "unix:", "unix:a",
        ] {
            assert_eq!(DatagramPlace::parse(text), None, "{text}");
        }
        assert_eq!(MetricPrefix::parse("a b"), None);
    }
}
