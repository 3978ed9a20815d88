//! The pages of errors that no handler takes.

use std::fmt::Write as _;

use gateway_spec::http::header::HeaderValue;

use crate::context::Cx;
use crate::error::HttpError;
use crate::response::Response;

/// A page as HTML, or a problem document (RFC 9457) for clients that would rather have JSON.
pub(crate) fn error_page(cx: &Cx, error: &HttpError) -> Response {
    let accept = cx.accept();
    let json = ["application/problem+json", "application/json"];
    let best = accept.best(&["text/html", json[0], json[1]]);
    let mut response = match best {
        Some(kind) if json.contains(&kind) => problem(error),
        _ => Response::html(page(error)),
    };
    response.vary("Accept");
    response.with_status(error.status())
}

fn page(error: &HttpError) -> String {
    let (code, name) = (error.status().as_u16(), error.name());
    let sentence = escaped(error.description());
    format!(
        "<!doctype html>\n<html lang=en>\n<title>{code} {name}</title>\n<h1>{name}</h1>\n<p>{sentence}</p>\n"
    )
}

fn problem(error: &HttpError) -> Response {
    let document = serde_json::json!({
        "status": error.status().as_u16(),
        "title": error.name(),
        "detail": error.description(),
    });
    Response::json(document.to_string())
        .content_type(const { HeaderValue::from_static("application/problem+json") })
}

/// Text as it may stand in HTML.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => {
                let _ = write!(safe, "&#{};", u32::from(character));
            }
            other => safe.push(other),
        }
    }
    safe
}
