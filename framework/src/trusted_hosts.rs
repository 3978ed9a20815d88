//! The setting `trusted_hosts`: requests that name another host are refused.

use crate::app::App;
use crate::context::Cx;
use crate::error::{Result, abort};
use crate::step;
use crate::view::inline;

/// The application with a guard before all others: a host that is not trusted is answered 400,
/// since links and redirects would be built with it.
#[track_caller]
pub(crate) fn guarded(mut app: App, trusted: Vec<String>) -> App {
    let origin = std::panic::Location::caller();
    let guard = inline(move |cx: Cx| -> Result<()> {
        let host = cx.host();
        if trusted.iter().any(|trusted| is(trusted, &host)) {
            return Ok(());
        }
        abort((
            400,
            "This server does not answer to the host that was asked for.",
        ))
    });
    app.scope.guards.insert(0, step::hook(guard, origin));
    app
}

/// Whether `host` is the trusted one, or below it if that begins with a dot. Ports do not count.
fn is(trusted: &str, host: &str) -> bool {
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => host,
    };
    match trusted.strip_prefix('.') {
        Some(domain) => {
            let before = host.len().checked_sub(domain.len());
            before.is_some_and(|before| {
                host.is_char_boundary(before)
                    && host[before..].eq_ignore_ascii_case(domain)
                    && (before == 0 || host[..before].ends_with('.'))
            })
        }
        None => host.eq_ignore_ascii_case(trusted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_takes_subdomains_in_and_ports_do_not_count() {
        assert!(is("example.org", "example.org:8000"));
        assert!(!is("example.org", "www.example.org"));
        assert!(is(".Example.org", "www.example.org"));
        assert!(is(".example.org", "example.org"));
        assert!(!is(".example.org", "badexample.org"));
        assert!(!is(".example.org", ""));
        assert!(is("[::1]", "[::1]:80"));
    }
}
