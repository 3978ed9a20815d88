//! The content type of a file, by its name.

use std::borrow::Cow;

/// What the end of the name says, with the charset that texts are in; bytes if it says nothing.
pub(super) fn of_name(path: &[u8]) -> Cow<'static, str> {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let dot = name.iter().rposition(|byte| *byte == b'.');
    let end = dot.and_then(|dot| std::str::from_utf8(&name[dot + 1..]).ok());
    let kind = end.and_then(|end| mime_guess::from_ext(end).first_raw());
    match kind {
        Some(kind) if is_text(kind) => format!("{kind}; charset=utf-8").into(),
        Some(kind) => kind.into(),
        None => "application/octet-stream".into(),
    }
}

fn is_text(kind: &str) -> bool {
    let text = kind.starts_with("text/") || kind.ends_with("+xml");
    text || matches!(kind, "application/javascript" | "application/xml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_name_decides_and_texts_have_a_charset() {
        for (name, kind) in [
            ("a.html", "text/html; charset=utf-8"),
            ("a/b.CSS", "text/css; charset=utf-8"),
            ("a.js", "text/javascript; charset=utf-8"),
            ("a.svg", "image/svg+xml; charset=utf-8"),
            ("a.json", "application/json"),
            ("a.wasm", "application/wasm"),
            ("a.png", "image/png"),
            ("a.tar.gz", "application/gzip"),
            ("a.unknown", "application/octet-stream"),
            ("a.html/b", "application/octet-stream"),
            ("html", "application/octet-stream"),
            ("a.", "application/octet-stream"),
        ] {
            assert_eq!(of_name(name.as_bytes()), kind, "{name}");
        }
        assert_eq!(of_name(b"\xff.txt"), "text/plain; charset=utf-8");
        assert_eq!(of_name(b"a.\xff"), "application/octet-stream");
    }
}
