//! The status page: three texts that are part of the program, and nothing from elsewhere.

/// The content type and the text that stand at this path.
pub(super) fn asset(path: &[u8]) -> Option<(&'static str, &'static str)> {
    Some(match path {
        b"/" => ("text/html; charset=utf-8", include_str!("status.html")),
        b"/status.css" => ("text/css; charset=utf-8", include_str!("status.css")),
        b"/status.js" => ("text/javascript; charset=utf-8", include_str!("status.js")),
        _ => return None,
    })
}
