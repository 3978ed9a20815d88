//! Forms, files and documents that clients send.

use crate::parity::talk::{Step, Talk, each, get, post, request};

pub(super) fn all() -> Vec<Talk> {
    let mut all = each(
        "forms",
        FIELDS.iter().map(|body| post("/f/form", FORM, *body)),
    );
    all.extend(each(
        "forms",
        [
            get("/f/form"),
            request("PUT", "/f/form").body(FORM, "a=1"),
            post(
                "/f/form",
                "application/x-www-form-urlencoded; charset=utf-8",
                "a=1",
            ),
            post("/f/form", "APPLICATION/X-WWW-FORM-URLENCODED", "a=1"),
            post("/f/form", "text/plain", "a=1"),
            post("/f/form", "", "a=1"),
            post("/f/form", "application/json", "{}"),
            post("/f/field", FORM, "name=Ann&age=7"),
            post("/f/field", FORM, "name=Ann&age=x"),
            post("/f/field", FORM, "name=Ann&age="),
            post("/f/field", FORM, "name=Ann"),
            post("/f/field", FORM, "name="),
            post("/f/field", FORM, "age=7"),
            post("/f/small", FORM, format!("a={}", "x".repeat(50))),
            post("/f/small", FORM, format!("a={}", "x".repeat(500))),
            post("/f/body", "text/plain", "x".repeat(1000)),
            post("/f/body", FORM, "a=1"),
            post("/f/body", "", ""),
            multipart(
                "/f/file",
                &[r#"name="f"; filename="../a b.txt""#],
                "text/plain",
            ),
            multipart("/f/file", &[r#"name="g"; filename="x""#], "text/plain"),
        ],
    ));
    all.extend(each(
        "multipart",
        PARTS.iter().map(|parts| multipart("/f/form", parts, "")),
    ));
    all.extend(each(
        "multipart",
        PARTS
            .iter()
            .map(|parts| multipart("/f/form", parts, "text/plain; charset=utf-8")),
    ));
    for (name, bodies) in [("malformed", BROKEN), ("oddly written", ODD)] {
        all.extend(each(
            name,
            (bodies.iter()).map(|(kind, body)| post("/f/form", kind, *body)),
        ));
    }
    all.extend(documents());
    all
}

fn documents() -> Vec<Talk> {
    let mut all = each(
        "json",
        DOCUMENTS
            .iter()
            .map(|body| post("/j/echo", "application/json", *body)),
    );
    let kinds = [
        "application/json; charset=utf-8",
        "application/problem+json",
        "APPLICATION/JSON",
        "text/json",
        "text/plain",
        FORM,
        "application/jsonp",
        "",
    ];
    all.extend(each(
        "json",
        kinds.map(|kind| post("/j/echo", kind, "{\"a\":1}")),
    ));
    all.extend(each(
        "json",
        ["/j/document", "/j/status", "/j/list", "/j/date", "/j/echo"].map(get),
    ));
    all
}

/// A form whose parts have these dispositions, each with its number as content.
fn multipart(target: &str, parts: &[&str], kind: &str) -> Step {
    let mut body = String::new();
    for (number, disposition) in parts.iter().enumerate() {
        body += &format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n");
        if !kind.is_empty() {
            body += &format!("Content-Type: {kind}\r\n");
        }
        body += &format!("\r\ncontent {number}\r\n--not the boundary\r\n");
    }
    body += &format!("--{BOUNDARY}--\r\n");
    post(
        target,
        &format!("multipart/form-data; boundary={BOUNDARY}"),
        body,
    )
}

const FORM: &str = "application/x-www-form-urlencoded";
const BOUNDARY: &str = "----parity";

const FIELDS: &[&str] = &[
    "",
    "a=1",
    "a=1&b=2",
    "a=1&a=2",
    "a",
    "a=",
    "=1",
    "&&a=1&&",
    "a=b=c",
    "a=b+c",
    "a=b%20c",
    "a=%C3%BC",
    "a=%FF",
    "a=%zz",
    "a=%",
    "a;b=1",
    "a=1;b=2",
    "%61=1",
    "a[]=1&a[]=2",
    "a=%00",
    "a=%0D%0Ab",
];

const PARTS: &[&[&str]] = &[
    &[r#"name="a""#],
    &[r#"name="a""#, r#"name="a""#],
    &["name=a"],
    &[r#"name="""#],
    &[r#"name="a b""#],
    &[r#"name="ü""#],
    &[r#"name="f"; filename="x.txt""#],
    &[r#"name="f"; filename="a b ü.txt""#],
    &[r#"name="f"; filename="C:\dir\x.txt""#],
    &[r#"name="f"; filename="../../x""#],
    &[r#"name="f"; filename="a;b.txt""#],
    &[r#"name="f"; filename="a%22b.txt""#],
    &[r#"name="f"; filename*=UTF-8''%C3%BC.txt"#],
    &[
        r#"name="a""#,
        r#"name="f"; filename="x""#,
        r#"name="f"; filename="y""#,
    ],
    &[r#"filename="x"; name="f""#],
    &[r#"NAME="a""#],
    &[r#"name="a"; other="b""#],
];

/// Forms with parts that are none: Flask reads what it can of them.
const BROKEN: &[(&str, &str)] = &[
    (
        "multipart/form-data",
        "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--\r\n",
    ),
    ("multipart/form-data; boundary=", "--\r\n\r\n----\r\n"),
    ("multipart/form-data; boundary=x", ""),
    ("multipart/form-data; boundary=x", "nothing like it"),
    (
        "multipart/form-data; boundary=x",
        "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1",
    ),
    (
        "multipart/form-data; boundary=x",
        "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n",
    ),
    (
        "multipart/form-data; boundary=x",
        "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x",
    ),
    (
        "multipart/form-data; boundary=x",
        "--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n",
    ),
    (
        "multipart/form-data; boundary=x",
        "--x\r\nContent-Type: text/plain\r\n\r\n1\r\n--x--\r\n",
    ),
    (
        "multipart/form-data; boundary=x",
        "--x\r\n\r\n1\r\n--x--\r\n",
    ),
    (
        "multipart/form-data; boundary=x",
        "--x\r\nno colon\r\n\r\n1\r\n--x--\r\n",
    ),
    (
        "multipart/form-data; boundary=x",
        "--x\nContent-Disposition: form-data; name=\"a\"\n\n1\n--x--\n",
    ),
    (
        "multipart/form-data; boundary=x",
        "--y\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--y--\r\n",
    ),
];

/// Forms with parts that are written oddly.
const ODD: &[(&str, &str)] = &[
    ("multipart/form-data; boundary=x", "--x--\r\n"),
    (
        "multipart/form-data; boundary=x",
        "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--",
    ),
    (
        "multipart/form-data; boundary=x",
        "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--\r\nafter",
    ),
    (
        "multipart/form-data; boundary=x",
        "before\r\n--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--\r\n",
    ),
    (
        "multipart/form-data; boundary=\"x y\"",
        "--x y\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x y--\r\n",
    ),
    (
        "multipart/form-data; Boundary=x; charset=utf-8",
        "--x\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--\r\n",
    ),
    (
        "multipart/mixed; boundary=x",
        "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--\r\n",
    ),
];

const DOCUMENTS: &[&str] = &[
    "{}",
    "[]",
    "null",
    "true",
    "1",
    "-1.5",
    "1e3",
    "\"text\"",
    "{\"a\":{\"b\":[1,2,{\"c\":null}]}}",
    "{\"ü\":\"é\\u00e9\"}",
    " [1] ",
    "{\"a\":1,\"a\":2}",
    "",
    "{",
    "{a:1}",
    "[1,]",
    "nonsense",
    "{} {}",
];
