//! The content type of a file, by its name.

use http::header::HeaderValue;

/// What the end of the name says, with the charset that texts are in; bytes if it says nothing.
pub(super) fn of_name(name: &str) -> HeaderValue {
    let guessed = mime_guess::from_path(name).first_raw();
    value(guessed.unwrap_or("application/octet-stream"))
}

/// The media type as a field, with `charset=utf-8` for texts that name none.
pub(super) fn value(kind: &str) -> HeaderValue {
    let text = match is_text(kind) && !kind.contains(';') {
        true => format!("{kind}; charset=utf-8"),
        false => kind.to_owned(),
    };
    HeaderValue::try_from(text)
        .unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream"))
}

/// Those to which Werkzeug adds a charset.
fn is_text(kind: &str) -> bool {
    kind.starts_with("text/") || kind.ends_with("+xml") || TEXTS.contains(&kind)
}

const TEXTS: [&str; 6] = [
    "application/ecmascript",
    "application/javascript",
    "application/sql",
    "application/xml",
    "application/xml-dtd",
    "application/xml-external-parsed-entity",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_a_charset() {
        for (name, kind) in [
            ("a.html", "text/html; charset=utf-8"),
            ("a.CSS", "text/css; charset=utf-8"),
            ("a.js", "text/javascript; charset=utf-8"),
            ("a.svg", "image/svg+xml; charset=utf-8"),
            ("a.json", "application/json"),
            ("a.png", "image/png"),
            ("a.tar.gz", "application/gzip"),
            ("a.unknown", "application/octet-stream"),
            ("html", "application/octet-stream"),
        ] {
            assert_eq!(of_name(name), kind, "{name}");
        }
        assert_eq!(
            value("text/plain; charset=latin-1"),
            "text/plain; charset=latin-1"
        );
    }
}
