//! Parts of URLs as people read them.

use std::borrow::Cow;

use gateway_spec::Scheme;

/// Percent-decoded; what is not UTF-8 becomes U+FFFD.
pub(super) fn decoded(raw: &[u8]) -> String {
    if !raw.contains(&b'%') {
        return String::from_utf8_lossy(raw).into_owned();
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        let digit = |at: usize| raw.get(at).copied().and_then(hex);
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(high << 4 | low);
                at += 3;
            }
            _ => {
                bytes.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The host that a client named, lower-case, without the port that the scheme implies.
pub(crate) fn host(authority: &[u8], scheme: Scheme) -> Cow<'_, str> {
    let host = match std::str::from_utf8(authority) {
        Ok(host) if host.bytes().any(|byte| byte.is_ascii_uppercase()) => {
            Cow::Owned(host.to_ascii_lowercase())
        }
        Ok(host) => Cow::Borrowed(host),
        Err(_) => Cow::Owned(String::from_utf8_lossy(authority).to_ascii_lowercase()),
    };
    let implied = match scheme {
        Scheme::Http => ":80",
        Scheme::Https => ":443",
    };
    match host {
        Cow::Borrowed(host) => Cow::Borrowed(host.strip_suffix(implied).unwrap_or(host)),
        Cow::Owned(mut host) => {
            if host.ends_with(implied) {
                host.truncate(host.len() - implied.len());
            }
            Cow::Owned(host)
        }
    }
}

pub(crate) const fn scheme(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    }
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_escapes_stand_as_they_are() {
        assert_eq!(decoded(b"/a%2Fb%zz%4"), "/a/b%zz%4");
        assert_eq!(decoded(b"/%FF"), "/\u{fffd}");
    }

    #[test]
    fn the_schemes_own_port_goes() {
        assert_eq!(host(b"A.b:443", Scheme::Https), "a.b");
        assert_eq!(host(b"a.b:443", Scheme::Http), "a.b:443");
        assert_eq!(host(b"[::1]:80", Scheme::Http), "[::1]");
    }
}
