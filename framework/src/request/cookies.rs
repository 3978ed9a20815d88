//! The Cookie field (RFC 6265 §4.2), read as Werkzeug reads it.

use crate::multidict::MultiDict;

/// All cookies of all Cookie fields: HTTP/2 clients may send several.
pub(super) fn parse(head: &gateway_spec::Request) -> MultiDict {
    let fields = head.fields().filter(|(name, _)| *name == "cookie");
    let mut cookies = MultiDict::new();
    for (_, value) in fields {
        for pair in value.split(|&byte| byte == b';') {
            let border = pair.iter().position(|&byte| byte == b'=');
            let (name, value) = match border {
                Some(border) => (&pair[..border], &pair[border + 1..]),
                None => (pair, &[][..]),
            };
            let name = name.trim_ascii();
            if !name.is_empty() {
                let name = String::from_utf8_lossy(name);
                cookies.add(name, unquoted(value.trim_ascii()));
            }
        }
    }
    cookies
}

/// Without the quotes and their octal escapes, if there are any.
fn unquoted(value: &[u8]) -> String {
    let inner = value
        .strip_prefix(b"\"")
        .and_then(|value| value.strip_suffix(b"\""));
    let Some(mut rest) = inner else {
        return String::from_utf8_lossy(value).into_owned();
    };
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match after {
            [
                a @ b'0'..=b'3',
                b @ b'0'..=b'7',
                c @ b'0'..=b'7',
                after @ ..,
            ] => {
                bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = after;
            }
            [escaped, after @ ..] => {
                bytes.push(*escaped);
                rest = after;
            }
            [] => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_values_are_read_with_their_escapes() {
        assert_eq!(unquoted(b"plain"), "plain");
        assert_eq!(unquoted(br#""a\054 b\"c\\""#), "a, b\"c\\");
        assert_eq!(unquoted(br#""\303\251\9""#), "é9");
        assert_eq!(unquoted(b"\""), "\"");
    }
}
