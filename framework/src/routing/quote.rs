//! Percent-encoding, as Werkzeug encodes and as WSGI servers decode.

use std::borrow::Cow;
use std::fmt::Write;

/// Characters that stay as they are, beside letters, digits and `_.-~`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Safe(&'static [u8]);

/// In paths: <https://url.spec.whatwg.org/#url-path-segment-string>.
pub(super) const PATH: Safe = Safe(b"!$&'()*+,/:;=@");
/// In a name or value of a query, where a space becomes `+`.
pub(super) const QUERY_PART: Safe = Safe(b"!$'()*,/:;?@");
/// In a fragment, parts of which may be encoded already.
pub(super) const FRAGMENT: Safe = Safe(b"%!#$&'()*+,/:;=?@");
/// In whole queries that are encoded already.
pub(super) const QUERY: Safe = Safe(b"%!$&'()*+,/:;=?@");

/// Appends `text`, encoded.
pub(super) fn quote(text: &[u8], safe: Safe, out: &mut String) {
    for &byte in text {
        if byte.is_ascii_alphanumeric() || b"_.-~".contains(&byte) || safe.0.contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}"); // a String takes everything
        }
    }
}

/// Appends a name or value of a query, encoded.
pub(super) fn quote_query_part(text: &str, out: &mut String) {
    for (number, word) in text.split(' ').enumerate() {
        if number > 0 {
            out.push('+');
        }
        quote(word.as_bytes(), QUERY_PART, out);
    }
}

/// Decodes a raw path: `%2F` is a slash like any other, what is no valid escape stays, and what is not
/// UTF-8 becomes U+FFFD. Borrowed if there is nothing to decode.
pub(super) fn decode_path(raw: &[u8]) -> Cow<'_, str> {
    let plain = raw.iter().fold(true, |plain, &byte| plain & (byte != b'%'));
    if plain {
        return match std::str::from_utf8(raw) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(String::from_utf8_lossy(raw).into_owned()),
        };
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&byte, after)) = rest.split_first() {
        match (byte, after) {
            (b'%', [high, low, after @ ..]) if digit(*high).is_some() && digit(*low).is_some() => {
                bytes.push(digit(*high).unwrap_or(0) << 4 | digit(*low).unwrap_or(0));
                rest = after;
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    Cow::Owned(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(text: &str, safe: Safe) -> String {
        let mut out = String::new();
        quote(text.as_bytes(), safe, &mut out);
        out
    }

    #[test]
    fn paths_keep_what_segments_may_hold() {
        assert_eq!(
            quoted("/a b/é?#%[x]~;=", PATH),
            "/a%20b/%C3%A9%3F%23%25%5Bx%5D~;="
        );
    }

    #[test]
    fn spaces_of_queries_become_plus_and_plus_is_encoded() {
        let mut out = String::new();
        quote_query_part("a b+c&d=é?", &mut out);
        assert_eq!(out, "a+b%2Bc%26d%3D%C3%A9?");
    }

    #[test]
    fn decoding_borrows_where_it_can() {
        assert!(matches!(decode_path(b"/a-b"), Cow::Borrowed("/a-b")));
        assert_eq!(decode_path(b"/%2f%C3%A9%"), "/\u{2f}é%");
        assert_eq!(decode_path(b"/%zz%4"), "/%zz%4");
        assert_eq!(decode_path(b"/%ff\xffx"), "/\u{fffd}\u{fffd}x");
    }
}
