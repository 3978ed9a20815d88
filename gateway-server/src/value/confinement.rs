//! How far workers are shut in.

use std::fmt;

/// Whether workers are confined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sandbox {
    /// They are not.
    #[default]
    Off,
    /// As far as the running kernel can.
    Possible,
    /// Whole, or they do not start.
    Required,
}

impl Sandbox {
    pub(crate) const ALL: [Self; 3] = [Self::Off, Self::Possible, Self::Required];

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == text)
    }

    /// The name that the setting accepts.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Possible => "possible",
            Self::Required => "required",
        }
    }
}

/// Whom a confined worker may speak to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outgoing {
    /// Whoever listens at this TCP port.
    Tcp(u16),
    /// Anybody, by UDP.
    Udp,
    /// Unix sockets.
    Unix,
}

impl Outgoing {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit());
        match text {
            "udp" => Some(Self::Udp),
            "unix" => Some(Self::Unix),
            port if plain => port.parse().ok().filter(|port| *port > 0).map(Self::Tcp),
            _ => None,
        }
    }
}

impl fmt::Display for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(port) => port.fmt(f),
            Self::Udp => f.write_str("udp"),
            Self::Unix => f.write_str("unix"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_be_spoken_to_is_a_port_or_a_kind() {
        for text in ["5432", "udp", "unix"] {
            assert_eq!(Outgoing::parse(text).unwrap().to_string(), text);
        }
        for wrong in ["", "0", "65536", "+80", "tcp", "db:5432"] {
            assert_eq!(Outgoing::parse(wrong), None, "{wrong}");
        }
    }
}
