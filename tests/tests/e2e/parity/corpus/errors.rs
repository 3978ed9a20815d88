//! Errors and hooks: who answers, and in which order.

use crate::parity::talk::{Talk, each, get, request};

pub(super) fn all() -> Vec<Talk> {
    let codes = [
        400, 401, 403, 404, 405, 406, 408, 409, 410, 411, 412, 413, 414, 415, 416, 418, 422, 423,
        424, 428, 429, 431, 451, 500, 501, 502, 503, 504,
    ];
    let mut all = each("errors", codes.map(|code| get(format!("/e/abort/{code}"))));
    all.extend(each(
        "errors in a blueprint",
        [404, 409, 410, 418, 500].map(|code| get(format!("/e/inner/abort/{code}"))),
    ));
    all.extend(each(
        "errors by type",
        [400, 404, 409, 410, 418, 500].map(|code| get(format!("/e/all/abort/{code}"))),
    ));
    let others = [
        "/e/told/404",
        "/e/told/410",
        "/e/returned",
        "/e/spill",
        "/e/inner/spill",
        "/e/all/spill",
        "/e/teapot",
        "/e/inner/teapot",
        "/e/stray",
        "/e/again",
        "/e/plain",
        "/e/response",
        "/e/nowhere",
    ];
    all.extend(each("errors", others.map(get)));
    all.extend(each("errors", [request("POST", "/e/stray").body("", "")]));
    all.extend(hooks());
    all
}

/// Both the trace that the answer shows and the one that stands at the end of all.
fn hooks() -> Vec<Talk> {
    let queries = [
        "",
        "stop=p2",
        "stop=c2",
        "break=p2",
        "break=c2",
        "fail=504",
        "fail=404",
        "fail=stray",
        "fail=stream",
        "stop=p2&fail=504",
    ];
    let mut talks = Vec::new();
    for (place, path) in [("p", "/h/view"), ("c", "/h/child/view")] {
        for (number, query) in queries.iter().enumerate() {
            let target = format!("{path}?{query}&name={place}{number}");
            let ended = get(format!("/h/ended/{place}{number}")).until(200);
            talks.push(Talk::new("hooks", [get(target), ended]));
        }
    }
    talks.extend(each(
        "hooks",
        ["/h/nowhere", "/h/child/nowhere", "/h/child"].map(get),
    ));
    talks
}
