//! Who may see the page: a browser on this machine, or in a network that is named, that no proxy stands before.

use std::net::IpAddr;

use super::networks::Networks;
use crate::context::Cx;

/// Whether the request came straight from this machine, under a name that only this machine has; or from a network
/// that is allowed, under such a name or an address.
///
/// The peer alone does not tell: behind a local proxy every client of the world has a loopback peer,
/// and a page of the web may give its own name this machine's address.
pub(super) fn may_see(cx: &Cx, allowed: &Networks) -> bool {
    let head = cx.head();
    let Some(peer) = head.peer().ip() else {
        return false;
    };
    let local = is_loopback(peer);
    let near = !local && allowed.contain(peer);
    let forwarded = head.client_is_forwarded()
        || head.scheme_is_forwarded()
        || head.fields().any(|(name, _)| tells_of_a_proxy(name));
    let host = cx.host();
    // An address is nobody's name: no page of the web can have it for its own.
    let named = is_local_name(&host) || (near && is_address(&host));
    (local || near) && !forwarded && named
}

fn is_address(authority: &str) -> bool {
    let inner = authority
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'));
    let name = match inner {
        Some((address, _)) => address,
        None => authority.split(':').next().unwrap_or_default(),
    };
    name.parse::<IpAddr>().is_ok()
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn tells_of_a_proxy(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("x-forwarded") || matches!(&*name, "forwarded" | "via" | "x-real-ip")
}

/// Whether `authority` (`host[:port]`) is this machine's by its name or address.
fn is_local_name(authority: &str) -> bool {
    if let Some(rest) = authority.strip_prefix('[') {
        let address = rest.split_once(']').map(|(address, _)| address.parse());
        return matches!(address, Some(Ok(address)) if is_loopback(address));
    }
    let name = authority.split(':').next().unwrap_or_default();
    match name.parse() {
        Ok(address) => is_loopback(address),
        Err(_) => name == "localhost" || name.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_cannot_be_another_machine_are_local() {
        for name in [
            "localhost",
            "localhost:8000",
            "app.localhost",
            "127.0.0.1:8000",
            "[::1]:8000",
        ] {
            assert!(is_local_name(name), "{name}");
        }
        for name in [
            "",
            "example.org",
            "localhost.example.org",
            "10.0.0.1",
            "[::2]",
            "127.0.0.1.example.org",
        ] {
            assert!(!is_local_name(name), "{name}");
        }
    }
}
