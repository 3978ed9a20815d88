//! The Content-Disposition field (RFC 6266): under which name a client stores what it gets.

use http::header::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use unicode_normalization::UnicodeNormalization as _;

/// `attachment` or `inline`, with the name. One beyond ASCII is given twice: near enough for old clients, and as it is.
pub(super) fn value(attachment: bool, name: &str) -> HeaderValue {
    let kind = if attachment { "attachment" } else { "inline" };
    let clean: String = name.chars().filter(|c| !c.is_control()).collect();
    let plain: String = clean.nfkd().filter(char::is_ascii).collect();
    let mut text = format!("{kind}; filename={}", parameter(&plain));
    if !clean.is_ascii() {
        text.push_str("; filename*=UTF-8''");
        text.extend(utf8_percent_encode(&clean, &ESCAPED));
    }
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

/// A token as it is, anything else in quotes.
fn parameter(text: &str) -> String {
    if !text.is_empty() && text.bytes().all(is_token) {
        return text.to_owned();
    }
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

/// RFC 9110 section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// All but `attr-char` of RFC 8187.
const ESCAPED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_werkzeug_writes_them() {
        for (name, expected) in [
            ("a.txt", "inline; filename=a.txt"),
            ("a b.txt", "inline; filename=\"a b.txt\""),
            ("a\"\\.txt", "inline; filename=\"a\\\"\\\\.txt\""),
            ("a\r\nb", "inline; filename=ab"),
            ("", "inline; filename=\"\""),
            (
                "Vögel.txt",
                "inline; filename=Vogel.txt; filename*=UTF-8''V%C3%B6gel.txt",
            ),
            (
                "тест",
                "inline; filename=\"\"; filename*=UTF-8''%D1%82%D0%B5%D1%81%D1%82",
            ),
        ] {
            assert_eq!(value(false, name), expected, "{name:?}");
        }
        assert_eq!(value(true, "a"), "attachment; filename=a");
    }
}
