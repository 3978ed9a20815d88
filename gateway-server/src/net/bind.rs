//! What an operator asks to listen on: an address, or a socket that somebody else has opened.

use std::fmt;
use std::os::fd::RawFd;

use super::ListenAddress;

/// One thing to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bind {
    /// An address of our own.
    Address(ListenAddress),
    /// `fd://3`: a listening socket that the server was started with.
    Descriptor(RawFd),
    /// `systemd`: all sockets that systemd has opened for us, or `systemd:NAME`: those of that name.
    Systemd(Option<String>),
}

impl Bind {
    /// What [`Bind::parse`] accepts, for messages.
    pub(crate) const FORM: &str =
        "`ADDRESS:PORT`, `[IPV6]:PORT`, `unix:/PATH`, `fd://N`, `systemd` or `systemd:NAME`";

    /// Reads the form above.
    pub(crate) fn parse(text: &str) -> Option<Self> {
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
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Descriptor(number) => write!(f, "fd://{number}"),
            Self::Systemd(None) => f.write_str(SYSTEMD),
            Self::Systemd(Some(name)) => write!(f, "{SYSTEMD}:{name}"),
        }
    }
}

const SYSTEMD: &str = "systemd";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_shown_alike_and_others_are_refused() {
        for text in ["[::]:80", "unix:/a", "fd://3", "systemd", "systemd:web"] {
            assert_eq!(Bind::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "fd://",
            "fd://2",
            "fd://+3",
            "fd://99999999999",
            "systemd:",
            "systemdx",
            "fd:3",
        ] {
            assert_eq!(Bind::parse(text), None, "{text}");
        }
    }
}
