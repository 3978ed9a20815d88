//! `host[:port]`: its grammar, and when two of them mean the same (RFC 3986 §3.2, RFC 9112 §3.2).

use std::net::Ipv6Addr;

use super::scan::{self, REG_NAME};

/// Host and port of an authority, both as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Authority<'a> {
    host: &'a [u8],
    /// Without the colon; an empty port counts as none (RFC 3986 §3.2.3).
    port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// Reads `uri-host [ ":" port ]` with a host of at least one byte; no userinfo.
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let (host, rest) = if text.first() == Some(&b'[') {
            let end = text.iter().position(|&b| b == b']')?;
            let literal = std::str::from_utf8(&text[1..end]).ok()?;
            if literal.parse::<Ipv6Addr>().is_err() && !is_future_address(literal.as_bytes()) {
                return None;
            }
            text.split_at(end + 1)
        } else {
            let end = text.iter().position(|&b| b == b':').unwrap_or(text.len());
            let (host, rest) = text.split_at(end);
            if !is_registered_name(host) {
                return None;
            }
            (host, rest)
        };
        let port = match rest {
            [] | [b':'] => None,
            [b':', digits @ ..] => Some(port(digits)?),
            _ => return None,
        };
        Some(Self { host, port })
    }

    /// Whether both name the same host and port, where an absent port means `default`.
    pub(super) fn agrees(&self, other: &Self, default: Option<u16>) -> bool {
        self.host.eq_ignore_ascii_case(other.host)
            && self.port.or(default) == other.port.or(default)
    }

    pub(super) fn has_port(&self) -> bool {
        self.port.is_some()
    }
}

/// Whether the text is `host[:port]`.
pub(crate) fn is_host(text: &[u8]) -> bool {
    Authority::parse(text).is_some()
}

/// Whether `bytes[from..end]`, which a byte follows that is neither letter nor digit, is
/// `host[:port]`: as [`Authority::parse`], with a short way for names and IPv4 addresses.
#[inline]
pub(super) fn is_authority(bytes: &[u8], from: usize, end: usize) -> bool {
    let rest = bytes.get(from..).unwrap_or_default();
    let length = end - from;
    let name_end = match rest.first_chunk().map(scan::plain_start) {
        Some(count) if count < 16 => count,
        _ => scan::plain_end(rest, 0),
    };
    if name_end >= length {
        return length > 0;
    }
    match &rest[name_end..length] {
        [b':', a, b, c, d] if name_end > 0 => are_digits([*a, *b, *c, *d]),
        [b':', digits @ ..] if name_end > 0 && digits.len() == 5 => {
            // Of as many digits the greater number is the one with the greater digit first.
            digits.iter().all(u8::is_ascii_digit) && *digits <= b"65535"[..]
        }
        [b':', digits @ ..] if name_end > 0 => digits.is_empty() || port(digits).is_some(),
        _ => Authority::parse(&rest[..length]).is_some(),
    }
}

#[inline]
fn are_digits(bytes: [u8; 4]) -> bool {
    // Above the digits, adding carries into the high bit; below, taking away leaves it set.
    let above = u32::from_le_bytes(bytes).wrapping_sub(0x3030_3030);
    let ten = above.wrapping_add(0x7676_7676);
    (above | ten) & 0x8080_8080 == 0
}

/// Unreserved characters, sub-delims and percent-encoded octets.
fn is_registered_name(host: &[u8]) -> bool {
    let mut rest = host;
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'%', [a, b, tail @ ..]) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => tail,
            (&byte, tail) if scan::is(byte, REG_NAME) => tail,
            _ => return false,
        };
    }
    !host.is_empty()
}

/// `"v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )`
fn is_future_address(literal: &[u8]) -> bool {
    let [b'v' | b'V', rest @ ..] = literal else {
        return false;
    };
    let Some(dot) = rest.iter().position(|&b| b == b'.') else {
        return false;
    };
    let (version, address) = (&rest[..dot], &rest[dot + 1..]);
    !version.is_empty()
        && version.iter().all(u8::is_ascii_hexdigit)
        && !address.is_empty()
        && address.iter().all(|&b| scan::is(b, REG_NAME) || b == b':')
}

/// A port of digits only, from 0 to 65535.
fn port(digits: &[u8]) -> Option<u16> {
    let mut port: u16 = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        port = port.checked_mul(10)?.checked_add(u16::from(digit - b'0'))?;
    }
    (!digits.is_empty()).then_some(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(text: &str) -> bool {
        let both = Authority::parse(text.as_bytes()).is_some();
        let mut line = text.as_bytes().to_vec();
        line.extend_from_slice(b"\r\n and sixteen bytes more");
        assert_eq!(is_authority(&line, 0, text.len()), both, "{text}");
        both
    }

    #[test]
    fn names_addresses_and_ports_are_accepted() {
        for text in [
            "a",
            "localhost",
            "127.0.0.1:8000",
            "a:1",
            "a:80",
            "a:65535",
            "a:",
            "[::1]",
            "[::1]:8080",
            "[v1.a:b]",
            "a_b.example",
            "a%20b",
            "xn--bcher-kva.example",
            "a!$&'()*+,;=~",
            "very-long-name-beyond-one-block.example:443",
        ] {
            assert!(verdict(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_and_port_is_refused() {
        for text in [
            "",
            ":80",
            "a:65536",
            "a:+80",
            "a:8a",
            "a:80:80",
            "a b",
            "a/b",
            "a?b",
            "a#b",
            "u@a",
            "u:p@a",
            "[::1",
            "[::1]80",
            "[::g]",
            "[::1%eth0]",
            "[v.a]",
            "[]",
            "a%2",
            "a%zz",
            "a\"b",
            "a\\b",
            "é",
            "a:-1",
            "a:000000000080x",
        ] {
            assert!(!verdict(text), "{text}");
        }
    }

    #[test]
    fn case_and_default_port_do_not_matter_to_agreement() {
        let of = |text: &'static str| Authority::parse(text.as_bytes()).unwrap();
        assert!(of("A.example").agrees(&of("a.EXAMPLE:80"), Some(80)));
        assert!(of("a:").agrees(&of("a"), None));
        assert!(!of("a").agrees(&of("a:80"), Some(443)));
        assert!(!of("a").agrees(&of("b"), Some(80)));
    }
}
