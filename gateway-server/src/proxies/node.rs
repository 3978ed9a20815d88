//! The address of a client or proxy, as the next proxy writes it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// An IP address with or without a port, 0 then: `192.0.2.1`, `192.0.2.1:47011`, `2001:db8::1`,
/// `[2001:db8::1]`, `[2001:db8::1]:47011` (RFC 7239 §6). None for `unknown`, for names that hide an
/// address, and for nonsense.
pub(super) fn parse(text: &[u8]) -> Option<SocketAddr> {
    let text = str::from_utf8(text).ok()?;
    let (ip, port): (IpAddr, _) = if let Some(rest) = text.strip_prefix('[') {
        let (ip, rest) = rest.split_once(']')?;
        (ip.parse::<Ipv6Addr>().ok()?.into(), rest)
    } else {
        match text.split_once(':') {
            None => (text.parse::<Ipv4Addr>().ok()?.into(), ""),
            Some((ip, rest)) if !rest.contains(':') => {
                (ip.parse::<Ipv4Addr>().ok()?.into(), &text[ip.len()..])
            }
            Some(_) => (text.parse::<Ipv6Addr>().ok()?.into(), ""),
        }
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => 0,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok()?,
        _ => return None,
    };
    Some(SocketAddr::new(ip.to_canonical(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_a_port() {
        for (text, expected) in [
            ("192.0.2.1", "192.0.2.1:0"),
            ("192.0.2.1:80", "192.0.2.1:80"),
            ("2001:db8::1", "[2001:db8::1]:0"),
            ("[2001:db8::1]", "[2001:db8::1]:0"),
            ("[2001:db8::1]:65535", "[2001:db8::1]:65535"),
            ("::ffff:192.0.2.1", "192.0.2.1:0"),
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn what_is_no_address_names_nobody() {
        for text in [
            "",
            "unknown",
            "_hidden",
            "localhost",
            "192.0.2",
            "192.0.2.1:",
            "192.0.2.1:+1",
            "192.0.2.1:65536",
            "192.0.2.1:80:80",
            "[192.0.2.1]",
            "[::1",
            "[::1]80",
            "fe80::1%eth0",
            "\u{661}92.0.2.1",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse(b"192.0.2.1\xff"), None);
    }
}
