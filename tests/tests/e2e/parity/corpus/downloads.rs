//! Files in whole and in parts, and the conditions under which they are sent.

use crate::parity::talk::{Talk, each, get, request};

pub(super) fn all() -> Vec<Talk> {
    let mut all = each("files", PLAIN.iter().map(|target| get(*target)));
    all.extend(each(
        "files",
        PLAIN.iter().map(|target| request("HEAD", *target)),
    ));
    let ranges = |target: &'static str| {
        let ranged = move |range: &&str| get(target).field("range", *range);
        each("ranges", RANGES.iter().map(ranged))
    };
    all.extend(ranges("/d/letters"));
    all.extend(ranges("/d/empty"));
    all.extend(each(
        "ranges",
        [
            get("/d/plain").field("range", "bytes=0-4"),
            get("/d/aged").field("range", "bytes=1-1"),
        ],
    ));
    for conditions in CONDITIONS {
        for (target, method) in [
            ("/d/letters", "GET"),
            ("/d/letters", "HEAD"),
            ("/d/plain", "GET"),
        ] {
            let asked = conditions
                .iter()
                .fold(request(method, target), |step, (name, value)| {
                    step.field(name, *value)
                });
            // The first answer brings the validators.
            all.push(Talk::new("conditions", [get(target), asked]));
        }
    }
    all
}

const PLAIN: &[&str] = &[
    "/d/letters",
    "/d/empty",
    "/d/attached",
    "/d/attached?name=a.csv",
    "/d/attached?name=a%20b.txt",
    "/d/attached?name=a%22b.txt",
    "/d/attached?name=%C3%BC.txt",
    "/d/attached?name=%D1%82.pdf",
    "/d/attached?name=a;b.html",
    "/d/aged",
    "/d/plain",
    "/d/kind",
    "/d/of/letters.txt",
    "/d/of/a%20b.png",
    "/d/of/unknown",
    "/d/of/inner/page.html",
    "/d/of/inner",
    "/d/of/inner/",
    "/d/of/inner/../letters.txt",
    "/d/of/missing.txt",
    "/d/of/..%2fapp.py",
    "/d/of/inner/..%2f..%2fapp.py",
    "/d/of/%2e%2e/app.py",
    "/d/of/%2fetc/passwd",
    "/d/of/letters.txt%00",
    "/d/of/letters.txt/x",
    "/d/of/.",
    "/d/of/..",
];

const RANGES: &[&str] = &[
    "bytes=0-4",
    "bytes=5-",
    "bytes=-3",
    "bytes=0-0",
    "bytes=25-25",
    "bytes=0-25",
    "bytes=20-100",
    "bytes=-100",
    "bytes=26-",
    "bytes=100-200",
    "bytes=5-2",
    "bytes=-0",
    "bytes=abc",
    "bytes=",
    "bytes",
    "bytes 0-4",
    "BYTES=0-4",
    "lines=0-4",
    "bytes=0-1,3-4",
    "bytes=0-4,",
    "bytes= 0-4",
    "bytes=0-4-5",
    "bytes=+1-4",
    "bytes=1-99999999999999999999",
];

const PAST: &str = "Thu, 01 Jan 1970 00:00:01 GMT";
const FUTURE: &str = "Fri, 01 Jan 2100 00:00:00 GMT";

const CONDITIONS: &[&[(&str, &str)]] = &[
    &[("if-none-match", "{etag}")],
    &[("if-none-match", "W/{etag}")],
    &[("if-none-match", "\"x\"")],
    &[("if-none-match", "\"x\", {etag}")],
    &[("if-none-match", "*")],
    &[("if-none-match", "x")],
    &[("if-match", "{etag}")],
    &[("if-match", "\"x\"")],
    &[("if-match", "\"x\", {etag}")],
    &[("if-match", "*")],
    &[("if-modified-since", "{modified}")],
    &[("if-modified-since", PAST)],
    &[("if-modified-since", FUTURE)],
    &[("if-modified-since", "yesterday")],
    &[("if-unmodified-since", "{modified}")],
    &[("if-unmodified-since", PAST)],
    &[("if-unmodified-since", FUTURE)],
    &[("if-none-match", "{etag}"), ("if-modified-since", PAST)],
    &[("if-none-match", "\"x\""), ("if-modified-since", FUTURE)],
    &[("if-match", "{etag}"), ("if-none-match", "{etag}")],
    &[("if-range", "{etag}"), ("range", "bytes=0-4")],
    &[("if-range", "\"x\""), ("range", "bytes=0-4")],
    &[("if-range", "{modified}"), ("range", "bytes=0-4")],
    &[("if-range", PAST), ("range", "bytes=0-4")],
    &[("if-none-match", "{etag}"), ("range", "bytes=0-4")],
    &[("if-match", "{etag}"), ("range", "bytes=0-4")],
    &[("if-match", "\"x\""), ("range", "bytes=0-4")],
];
