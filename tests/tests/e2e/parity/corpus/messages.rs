//! What a request says of itself: its query, its cookies, its fields.

use crate::parity::talk::{Talk, each, get};

pub(super) fn all() -> Vec<Talk> {
    let any = || get("/q/fields").field("accept", "*/*");
    let mut all = each(
        "queries",
        QUERIES.iter().map(|query| get(format!("/q/args?{query}"))),
    );
    all.extend(each(
        "queries",
        [
            get("/q/args"),
            get("/q/typed"),
            get("/q/typed?page=3"),
            get("/q/typed?page=x"),
            get("/q/typed?page="),
            get("/q/typed?page=3&page=4&tag=a&tag=b"),
            get("/q/needed"),
            get("/q/needed?q="),
            get("/q/needed?q=x"),
        ],
    ));
    all.extend(each(
        "requests",
        [
            get("/q/request"),
            get("/q/request?"),
            get("/q/request?a=b&c=%20d"),
            get("/q/request").host("localhost:8000"),
            get("/q/request").host("localhost:80"),
            get("/q/request").host("EXAMPLE.org"),
            get("/q/request").host("[::1]:8000"),
            get("/q/request/a/b"),
            get("/q/request/a%20b"),
            get("/q/request/%C3%BC"),
            get("/q/request/a%2Fb"),
            get("/q/request/a%3Fb"),
            get("/q/request/a:b@c;d"),
            get("//q//request"),
        ],
    ));
    all.extend(each(
        "fields",
        [
            get("/q/fields"),
            any()
                .field("user-agent", "curl/8")
                .field("x-custom", "a, b"),
            any().field("X-CUSTOM", "spaced"),
            any().field("content-type", "Application/JSON; charset=utf-8"),
            any().field("content-type", "application/vnd.api+json"),
        ],
    ));
    all.extend(each(
        "accept",
        ACCEPT
            .iter()
            .map(|accept| get("/q/fields").field("accept", *accept)),
    ));
    all.extend(each(
        "cookies in",
        COOKIES
            .iter()
            .map(|cookies| get("/c/show").field("cookie", *cookies)),
    ));
    let set = SET.iter().map(|pair| {
        Talk::new(
            "cookies out",
            [get(format!("/c/set?{pair}")), get("/c/show")],
        )
    });
    all.extend(set);
    all.extend(each(
        "cookies out",
        ["/c/usual", "/c/two", "/c/delete/x"].map(get),
    ));
    all.extend(each(
        "cookies out",
        ATTRIBUTES
            .iter()
            .map(|which| get(format!("/c/attributes/{which}"))),
    ));
    all
}

const QUERIES: &[&str] = &[
    "", "a=1", "a=1&a=2", "a", "a=", "=1", "a=b+c", "a=%C3%BC", "a=%FF", "a=%zz", "a=1;b=2",
    "&a=1&", "a=b=c", "%61=1", "a=%26", "a=/?:@",
];
const ACCEPT: &[&str] = &[
    "*/*",
    "text/html",
    "application/json",
    "text/plain",
    "text/*",
    "application/*",
    "text/html;q=0.5, application/json",
    "application/json;q=0.5, text/plain;q=0.9",
    "image/png",
    "text/html;q=0",
    "text/html;q=0, */*;q=0.1",
    "text/html, application/json",
    "application/json, text/html",
    "TEXT/HTML",
    "nonsense",
    "",
];
const COOKIES: &[&str] = &[
    "a=1",
    "a=1; b=2",
    "a=1;b=2",
    "a=1; a=2",
    "a",
    "a=",
    "=1",
    "a=b=c",
    "a=\"x y\"",
    "a=\"x\\073y\"",
    "a=\"x\\\"y\"",
    "a=x y",
    "a=%20",
    "a=1; ; b=2",
    "a=1,b=2",
    " a = 1 ",
    "$Version=1; a=1",
];
const SET: &[&str] = &[
    "a=1",
    "a=",
    "a=b%20c",
    "a=b;c",
    "a=%22x%22",
    "a=x%5Cy",
    "a=%C3%BC",
    "a=x,y",
    "a=b=c",
    "a=1&b=2",
    "a-b.c=1",
];
const ATTRIBUTES: &[&str] = &[
    "path",
    "no-path",
    "domain",
    "max-age",
    "expires",
    "secure",
    "http-only",
    "strict",
    "lax",
    "none",
    "partitioned",
    "other",
];
