//! What an operator asks to listen on, and what is spoken there.

use std::fmt;
use std::os::fd::RawFd;

use super::ListenAddress;

/// One thing to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bind {
    /// What is spoken there.
    pub(crate) manner: Manner,
    /// What listens.
    pub(crate) place: Place,
}

/// What is spoken on a listening socket, from a connection's first byte on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Manner {
    /// What every connection begins with.
    pub(crate) preface: Preface,
    /// What is spoken behind that.
    pub(crate) scheme: Scheme,
}

/// What every connection begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Preface {
    /// Nothing: the client speaks.
    None,
    /// A header of the PROXY protocol: `proxy+` before the scheme.
    Proxy,
}

/// What is spoken with clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// HTTP in clear text: no prefix, or `http://`.
    Http,
    /// HTTP over TLS: `https://`.
    Https,
    /// HTTP in clear text, where every request is sent on to the https address: `redirect://`.
    Redirect,
    /// FastCGI, by a web server in front: `fastcgi://`.
    FastCgi,
    /// SCGI, by a web server in front: `scgi://`.
    Scgi,
    /// The uwsgi protocol, by a web server in front: `uwsgi://`.
    Uwsgi,
}

impl Scheme {
    /// Whether its clients are web servers, which send a request as soon as they are connected.
    pub(super) fn is_of_fronts(self) -> bool {
        matches!(self, Self::FastCgi | Self::Scgi | Self::Uwsgi)
    }
}

/// An address, or a socket that somebody else has opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// An address of our own.
    Address(ListenAddress),
    /// `fd://3`: a listening socket that the server was started with.
    Descriptor(RawFd),
    /// `systemd`: all sockets that systemd has opened for us, or `systemd:NAME`: those of that name.
    Systemd(Option<String>),
}

impl Bind {
    /// What [`Bind::parse`] accepts, for messages.
    pub(crate) const FORM: &str = "`ADDRESS:PORT`, `[IPV6]:PORT`, `unix:/PATH`, `fd://N`, `systemd` or \
         `systemd:NAME`, for TLS with `https://` before it, for redirects with `redirect://`, for a web \
         server in front with `fastcgi://`, `scgi://` or `uwsgi://`; for the PROXY protocol `proxy+http://`, \
         `proxy+https://` or `proxy+redirect://`";

    /// Reads the form above.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (manner, place) = Manner::split(text);
        let place = Place::parse(place)?;
        Some(Self { manner, place })
    }
}

impl Manner {
    /// The manner that `text` begins with, and the rest.
    pub(crate) fn split(text: &str) -> (Self, &str) {
        for manner in PREFIXED {
            if let Some(rest) = text.strip_prefix(manner.prefix()) {
                return (manner, rest);
            }
        }
        (Self::PLAIN, text.strip_prefix(HTTP).unwrap_or(text))
    }

    /// What stands before the place in a bind; nothing for the usual manner.
    pub(crate) fn prefix(self) -> &'static str {
        match (self.preface, self.scheme) {
            (Preface::None, Scheme::Http) => "",
            (Preface::None, Scheme::Https) => "https://",
            (Preface::None, Scheme::Redirect) => "redirect://",
            (Preface::Proxy, Scheme::Http) => "proxy+http://",
            (Preface::Proxy, Scheme::Https) => "proxy+https://",
            (Preface::Proxy, Scheme::Redirect) => "proxy+redirect://",
            // A front says itself for whom it speaks.
            (_, Scheme::FastCgi) => "fastcgi://",
            (_, Scheme::Scgi) => "scgi://",
            (_, Scheme::Uwsgi) => "uwsgi://",
        }
    }

    const fn of(preface: Preface, scheme: Scheme) -> Self {
        Self { preface, scheme }
    }

    /// The usual one: clear text and nothing before it.
    pub(crate) const PLAIN: Self = Self::of(Preface::None, Scheme::Http);
}

impl Place {
    fn parse(text: &str) -> Option<Self> {
        if let Some(number) = text.strip_prefix("fd://") {
            let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            // Standard streams are for other things.
            let number = number.parse().ok().filter(|number| digits && *number > 2);
            return number.map(Self::Descriptor);
        }
        if text == SYSTEMD {
            return Some(Self::Systemd(None));
        }
        if let Some(name) = text
            .strip_prefix(SYSTEMD)
            .and_then(|rest| rest.strip_prefix(':'))
        {
            return (!name.is_empty()).then(|| Self::Systemd(Some(name.to_owned())));
        }
        ListenAddress::parse(text).map(Self::Address)
    }
}

/// The form that [`Bind::parse`] reads.
impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.manner.prefix())?;
        match &self.place {
            Place::Address(address) => address.fmt(f),
            Place::Descriptor(number) => write!(f, "fd://{number}"),
            Place::Systemd(None) => f.write_str(SYSTEMD),
            Place::Systemd(Some(name)) => write!(f, "{SYSTEMD}:{name}"),
        }
    }
}

const SYSTEMD: &str = "systemd";
/// May stand before the place in the usual manner.
const HTTP: &str = "http://";
/// All others.
const PREFIXED: [Manner; 8] = [
    Manner::of(Preface::None, Scheme::Https),
    Manner::of(Preface::None, Scheme::Redirect),
    Manner::of(Preface::None, Scheme::FastCgi),
    Manner::of(Preface::None, Scheme::Scgi),
    Manner::of(Preface::None, Scheme::Uwsgi),
    Manner::of(Preface::Proxy, Scheme::Http),
    Manner::of(Preface::Proxy, Scheme::Https),
    Manner::of(Preface::Proxy, Scheme::Redirect),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_shown_alike_and_others_are_refused() {
        for text in [
            "[::]:80",
            "unix:/a",
            "fd://3",
            "systemd",
            "systemd:web",
            "https://[::]:443",
            "https://unix:/a",
            "https://systemd:tls",
            "redirect://0.0.0.0:80",
            "proxy+http://[::]:80",
            "proxy+http://unix:/a",
            "proxy+https://systemd",
            "proxy+redirect://fd://3",
            "fastcgi://127.0.0.1:9000",
            "fastcgi://unix:/a",
            "scgi://[::1]:9000",
            "uwsgi://systemd:front",
        ] {
            assert_eq!(Bind::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Bind::parse("http://[::]:80"), Bind::parse("[::]:80"));
        for text in [
            "fd://",
            "fd://2",
            "fd://+3",
            "fd://99999999999",
            "systemd:",
            "systemdx",
            "fd:3",
            "https://",
            "https:[::]:443",
            "https://http://[::]:80",
            "HTTPS://[::]:443",
            "proxy+[::]:80",
            "proxy://[::]:80",
            "http+proxy://[::]:80",
        ] {
            assert_eq!(Bind::parse(text), None, "{text}");
        }
    }
}
