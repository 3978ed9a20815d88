//! What views return, redirects, and URLs of endpoints.

use crate::parity::talk::{Talk, each, get, request};

pub(super) fn all() -> Vec<Talk> {
    let kinds = [
        "text",
        "html",
        "empty",
        "status",
        "headers",
        "all",
        "bytes",
        "none",
        "nothing",
        "unchanged",
        "repeated",
        "stream",
        "plain",
    ];
    let mut all = each("answers", kinds.map(|kind| get(format!("/a/{kind}"))));
    all.extend(each(
        "answers to HEAD",
        kinds.map(|kind| request("HEAD", format!("/a/{kind}"))),
    ));
    all.extend(each(
        "redirects",
        TARGETS.iter().map(|to| get(format!("/a/redirect?to={to}"))),
    ));
    all.extend(each(
        "redirects",
        [301, 302, 303, 307, 308].map(|code| get(format!("/a/redirect/{code}"))),
    ));
    all.extend(each(
        "links",
        LINKS.iter().map(|case| get(format!("/u/here/{case}"))),
    ));
    all.extend(each(
        "links on another host",
        ["external", "scheme", "no-scheme", "static"]
            .map(|case| get(format!("/u/here/{case}")).host("example.org:8000")),
    ));
    all
}

const TARGETS: &[&str] = &[
    "/a/text",
    "text",
    "?x=y",
    "https://example.org/x",
    "//example.org/x",
    "/a%20b",
    "/%C3%BC",
    "/a%2520b",
    "/a?b=c%26d",
    "/a%23b",
    "",
];
const LINKS: &[&str] = &[
    "static",
    "int",
    "fixed",
    "float",
    "text",
    "path",
    "safe",
    "any",
    "any-wrong",
    "default",
    "not-default",
    "two",
    "query",
    "list",
    "anchor",
    "external",
    "scheme",
    "no-scheme",
    "method",
    "wrong-method",
    "relative",
    "relative-more",
    "non-ascii",
    "nested",
    "missing",
    "unknown",
    "wrong-type",
];
