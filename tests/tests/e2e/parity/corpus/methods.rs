//! Which methods an address takes.

use crate::parity::talk::{Talk, each, request};

pub(super) fn all() -> Vec<Talk> {
    let paths = [
        "get", "post", "both", "change", "options", "split", "split/", "branch", "branch/", "7",
        "x/y",
    ];
    let methods = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW",
    ];
    let pairs = paths
        .iter()
        .flat_map(|path| methods.map(|method| (path, method)));
    each(
        "methods",
        pairs.map(|(path, method)| {
            let request = request(method, format!("/m/{path}"));
            match method {
                "POST" | "PUT" | "PATCH" => request.body("", ""),
                _ => request,
            }
        }),
    )
}
