//! The page that tells a developer what went wrong: in debug runs, to a browser on the same machine or where the
//! setting `debug_allow` says.
//!
//! Everybody else gets the plain page, whatever the application's own handlers do not answer.

mod audience;
mod crash;
mod networks;
mod report;
mod source;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use gateway_spec::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue};
use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::config::Config;
use crate::context::Cx;
use crate::error::Error;
use crate::pages;
use crate::response::Response;
use networks::{BadNetworks, Networks};

/// The application with the page, if this is a debug run and the application has no page of its own.
///
/// # Errors
///
/// What the setting `debug_allow` says wrong.
pub(crate) fn offered(app: App, config: &Config) -> Result<App, BadNetworks> {
    let allowed = Networks::read(config)?;
    if !config.debug() || app.page.is_some() {
        return Ok(app);
    }
    crash::watch();
    Ok(app.error_page(move |cx, told, error| match error {
        Some(error) if audience::may_see(cx, &allowed) => {
            page(cx, error).with_status(told.status())
        }
        _ => pages::error_page(cx, told),
    }))
}

fn page(cx: &Cx, error: &Error) -> Response {
    let style = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    Response::html(report::html(cx, error, STYLE))
        .header(CONTENT_SECURITY_POLICY, policy)
        .header(
            CACHE_CONTROL,
            const { HeaderValue::from_static("no-store") },
        )
        .header(
            const { HeaderName::from_static("cross-origin-resource-policy") },
            const { HeaderValue::from_static("same-origin") },
        )
}

/// The page's only style, named to the browser by its digest.
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}\
h1{font-size:1.4rem;color:#a11}h2{font-size:1.1rem;margin-top:2rem}\
pre{background:#f4f4f4;padding:.75rem;overflow-x:auto;line-height:1.4}\
mark{background:#fd8;display:block}table{border-collapse:collapse}\
th,td{text-align:left;vertical-align:top;padding:.1rem 1rem .1rem 0;overflow-wrap:anywhere}th{font-weight:600}";
