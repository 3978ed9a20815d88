//! What is asked of the blog: pages, files, and what a visitor does who registers and writes.

use super::traffic::Turn;

/// Pages and files in every way, requests that are refused, a visitor's stay.
#[must_use]
pub fn for_blog() -> Vec<Turn> {
    let mut turns: Vec<Turn> = PAGES.iter().map(|target| Turn::get(target)).collect();
    for method in ["HEAD", "OPTIONS", "PUT", "DELETE"] {
        for target in ["/", "/hello", "/static/style.css", "/missing"] {
            turns.push(Turn::new(method, target, "", b""));
        }
    }
    for fields in FIELDS {
        turns.push(Turn::new("GET", "/static/style.css", fields, b""));
    }
    for fields in [
        "Cookie: session=forged\r\n",
        "Cookie: a=1\r\nCookie: session=x.y.z\r\n",
    ] {
        turns.push(Turn::new("GET", "/", fields, b""));
    }
    // Without a token: refused, whatever is in them.
    let form = b"username=a&password=b";
    turns.push(Turn::sized("POST", "/auth/login", form));
    turns.push(Turn::chunked("POST", "/auth/register", &[form]));
    turns.push(Turn::chunked(
        "POST",
        "/auth/register",
        &[&form[..5], &form[5..]],
    ));
    turns.push(Turn::sized("POST", "/auth/logout", b""));
    turns.push(Turn::sized("POST", "/1/delete", b""));
    turns.extend(stay());
    turns
}

/// A visitor registers, logs in, writes, changes, deletes and leaves.
fn stay() -> Vec<Turn> {
    let long = format!("title=Long&body={}", "word+".repeat(40_000));
    let steps = [
        ("/auth/register", ""),
        ("/auth/register", "username=&password="),
        ("/auth/register", "username=Ann&password=tea+at+five"),
        ("/auth/login", ""),
        ("/auth/login", "username=Nobody&password=x"),
        ("/auth/login", "username=Ann&password=tea+at+five"),
        ("/", ""),
        ("/create", ""),
        ("/create", "title=&body=nothing"),
        (
            "/create",
            "title=Tea+%3Cb%3Efirst&body=One+leaf%2C%0Atwo+leaves+%C3%A9+%F0%9F%8D%B5",
        ),
        ("/", ""),
        ("/1/update", ""),
        ("/1/update", "title=Tea+before+all&body=Three"),
        ("/", ""),
        ("/create", &long),
        ("/", ""),
        ("/2/update", ""),
        ("/9/update", ""),
        ("/1/delete", "really=yes"),
        ("/1/update", ""),
        ("/", ""),
        ("/auth/logout", "x=y"),
        ("/create", ""),
        ("/", ""),
    ];
    let visits = steps.iter().map(|(target, form)| Turn::visit(target, form));
    visits.collect()
}

const PAGES: [&str; 19] = [
    "/",
    "/?x=%20",
    "/hello",
    "/hello?x=1&y",
    "/%68ello",
    "/auth/login",
    "/auth/register",
    "/create",
    "/1/update",
    "/x/update",
    "/missing",
    "/hello/",
    "/%FF",
    "/static/style.css",
    "/static/icon.svg",
    "/static/missing.css",
    "/static/style.css?v=1",
    "/static/",
    "/static/..%2Fsrc/lib.rs",
];

const FIELDS: [&str; 14] = [
    "Range: bytes=0-9\r\n",
    "Range: bytes=10-\r\n",
    "Range: bytes=-5\r\n",
    "Range: bytes=9999999-\r\n",
    "Range: bytes=5-2\r\n",
    "Range: lines=1-2\r\n",
    "Range: bytes=0-1,4-5\r\n",
    "Range: bytes=0-9\r\nIf-Range: \"other\"\r\n",
    "If-None-Match: *\r\n",
    "If-None-Match: \"other\"\r\n",
    "If-Match: \"other\"\r\n",
    "If-Modified-Since: Fri, 31 Dec 2100 23:59:59 GMT\r\n",
    "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
    "Accept-Encoding: gzip\r\n",
];
