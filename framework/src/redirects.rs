//! Redirects to where a client says, as long as that is here: an open redirect lends this site's name to any other.

use std::fmt;

use gateway_spec::Scheme;
use http::StatusCode;

use crate::context::Cx;
use crate::error::{Error, HttpError, Result};
use crate::request::{self, Request};
use crate::response::{Response, redirect};

/// 302 to a target that a client named, such as the `next` of a login form: a path, or a URL of this very host.
///
/// ```
/// use carafe::*;
///
/// async fn log_in(cx: Cx) -> Result<Response> {
///     safe_redirect(&cx, cx.args().get("next").unwrap_or("/"))
/// }
///
/// let client = App::new().get("/log-in", log_in).test();
/// assert_eq!(client.get("/log-in?next=/cart").header("location"), Some("/cart"));
/// assert_eq!(client.get("/log-in?next=//evil.example").status(), 400);
/// ```
///
/// # Errors
///
/// 400 if the target is on another host, or a browser might take it for one.
pub fn safe_redirect(cx: &Cx, target: &str) -> Result<Response> {
    match is_here(cx.request(), target) {
        true => Ok(redirect(target)),
        false => Err(Elsewhere(shown(target)).into()),
    }
}

/// 302 to where the client comes from: the argument or form field `next`, else the page that it names as Referer,
/// if that is of this host and not the present one; else `fallback`, which is the application's own word.
///
/// A form counts if somebody has read it: as an argument of the view, or by [`Cx::form`].
#[must_use]
pub fn redirect_back(cx: &Cx, fallback: &str) -> Response {
    let form = cx.form_at_hand();
    let asked = cx.args().get(NEXT);
    let asked = asked.or_else(|| form.as_ref()?.get(NEXT));
    let referer = cx
        .header("referer")
        .filter(|url| *url != cx.request().url());
    let mut targets = [asked, referer].into_iter().flatten();
    let target = targets.find(|target| is_here(cx.request(), target));
    redirect(target.unwrap_or(fallback))
}

/// Whether every browser stays on the request's host when it follows `target`.
fn is_here(request: &Request, target: &str) -> bool {
    // Browsers read a backslash as a slash, and drop tabs, line breaks and what stands around.
    let odd = |c: char| c == '\\' || c.is_control();
    if target.is_empty() || target.contains(odd) || target.trim() != target {
        return false;
    }
    let before_path = target.split(['/', '?', '#']).next().unwrap_or_default();
    if !before_path.contains(':') {
        return !target.starts_with("//");
    }
    let Some((scheme, rest)) = target.split_once("://") else {
        return false;
    };
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "https" => Scheme::Https,
        "http" if !request.is_secure() => Scheme::Http,
        _ => return false,
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = request::host(authority.as_bytes(), scheme);
    !host.is_empty() && host == request.host()
}

/// A target that is not of this site.
#[derive(Debug)]
struct Elsewhere(String);

impl From<Elsewhere> for Error {
    fn from(elsewhere: Elsewhere) -> Self {
        let error = HttpError::new(StatusCode::BAD_REQUEST);
        error.describe(elsewhere.to_string()).into()
    }
}

impl fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(found) = self;
        write!(
            f,
            "Expected an address of this site to go on to, found {found:?}."
        )
    }
}

fn shown(target: &str) -> String {
    target.chars().take(SHOWN).collect()
}

const NEXT: &str = "next";
const SHOWN: usize = 100;
