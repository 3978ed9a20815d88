//! What is asked of the tour in C.

use super::traffic::{self, Turn};

/// What it is told, ranges and conditions, bodies of many sizes both ways, statuses, errors.
#[must_use]
pub fn for_tour() -> Vec<Turn> {
    let mut turns: Vec<Turn> = GETS.iter().map(|target| Turn::get(target)).collect();
    for target in [
        "/seen",
        "/bytes/100000",
        "/pieces/3",
        "/status/404",
        "/sum",
        "/missing",
    ] {
        turns.push(Turn::new("HEAD", target, "", b""));
    }
    for method in ["DELETE", "PATCH", "OPTIONS", "PROPFIND"] {
        turns.push(Turn::new(method, "/seen/m", "", b""));
    }
    for fields in FIELDS {
        turns.push(Turn::new("GET", "/seen/f", fields, b""));
    }
    for fields in PARTS {
        turns.push(Turn::new("GET", "/bytes/200000", fields, b""));
    }
    turns.push(Turn::new(
        "HEAD",
        "/bytes/200000",
        "Range: bytes=1-2\r\n",
        b"",
    ));
    for method in ["PUT", "DELETE", "PATCH"] {
        turns.push(Turn::new(method, "/bytes/5", "", b""));
    }
    turns.extend(traffic::bodies("/sum"));
    // nginx sends no more of a body once its answer has begun: what fits into buffers goes through.
    for length in [0, 1, 1000, 65_537] {
        turns.push(Turn::sized("POST", "/mirror", &vec![b'm'; length]));
    }
    turns.push(Turn::chunked("POST", "/mirror", &[]));
    turns.push(Turn::chunked(
        "PUT",
        "/mirror",
        &[b"a", &[b'm'; 20_000], b"bcd"],
    ));
    turns
}

const GETS: [&str; 34] = [
    "/seen",
    "/seen/a%2Fb",
    "/seen/%41",
    "/seen/a%20b",
    "/seen/%C3%A9/%FF",
    "/seen/a//b",
    "/seen/a/../b",
    "/seen/~u/-._!$&'()*,=:@",
    "/seen?",
    "/seen?x=1&y=%20+%2B",
    "/seen?a=/b/../c",
    "/bytes/0",
    "/bytes/1",
    "/bytes/65536",
    "/bytes/65537",
    "/bytes/3000000",
    "/pieces/0",
    "/pieces/1",
    "/pieces/500",
    "/cookies",
    "/status/200",
    "/status/201",
    "/status/204",
    "/status/205",
    "/status/304",
    "/status/404",
    "/status/418",
    "/status/503",
    "/fail/6",
    "/fail/8",
    "/fail/10",
    "/fail/11",
    "/status/1000",
    "/missing",
];

const FIELDS: [&str; 10] = [
    "X-A: 1\r\nX-B: 2\r\nX-A: 3\r\n",
    "Cookie: a=1\r\nCookie: b=2\r\n",
    "X-Empty:\r\n",
    "X-Spaces:   a b  \r\n",
    "X-Quoted: \"a, b\"\r\n",
    "X_Under: 1\r\n",
    "Proxy: http://evil\r\n",
    "Authorization: Basic eDp5\r\n",
    "Accept: text/html, */*;q=0.1\r\nAccept-Language: de\r\n",
    "X-Forwarded-For: 6.6.6.6\r\nX-Script-Name: /p\r\n",
];

const PARTS: [&str; 11] = [
    "Range: bytes=0-0\r\n",
    "Range: bytes=0-99999\r\n",
    "Range: bytes=199999-\r\n",
    "Range: bytes=-1\r\n",
    "Range: bytes=-999999\r\n",
    "Range: bytes=200000-\r\n",
    "Range: bytes=-0\r\n",
    "Range: bytes=9-1\r\n",
    "If-None-Match: \"200000\"\r\n",
    "If-None-Match: *\r\n",
    "If-None-Match: \"1\"\r\n",
];
