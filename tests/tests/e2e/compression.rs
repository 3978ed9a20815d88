//! What applications answer is compressed for clients that take it, in every version, and nothing else is.

use std::io::Write as _;

use flate2::write::GzDecoder;
use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::get;
use gateway_tests::curl::curl;
use gateway_tests::gatewayd::{Gatewayd, run};
use gateway_tests::response::{Framing, Response};

const WRONG: i32 = 2;
const TEXT: &str = "content-type=text/plain";

fn probe(arguments: &[&str]) -> Gatewayd {
    let common = ["--workers", "1", "--compress", "zstd,br,gzip"];
    Gatewayd::serve(
        Artefacts::built().module("probe"),
        &[&common, arguments].concat(),
    )
}

fn ask(server: &Gatewayd, method: &str, target: &str, fields: &str) -> Response {
    let request = format!("{method} {target} HTTP/1.1\r\nHost: test\r\n{fields}\r\n");
    let mut client = server.connect();
    client.send(request);
    match method {
        "HEAD" => client.response_to_head(),
        _ => client.response(),
    }
}

fn gzip(server: &Gatewayd, target: &str) -> Response {
    ask(server, "GET", target, "Accept-Encoding: gzip\r\n")
}

fn lines(count: usize) -> String {
    (0..count).map(|number| format!("{number:<99}\n")).collect()
}

#[test]
fn curl_reads_every_coding_in_every_version() {
    let server = probe(&[]);
    for version in ["--http1.0", "--http1.1", "--http2-prior-knowledge"] {
        for coding in ["gzip", "br", "zstd"] {
            for (path, count) in [
                ("lines/100", 100),
                ("lines/5000", 5000),
                ("lines-streamed/300", 300),
            ] {
                let url = server.url(&format!("/{path}?{TEXT}"));
                let accepts = format!("Accept-Encoding: {coding}");
                let words = [
                    "--compressed",
                    "--include",
                    version,
                    "--header",
                    &accepts,
                    &url,
                ];
                let outcome = curl(&words);
                let (head, body) = outcome.stdout.split_once("\r\n\r\n").unwrap();
                let (head, expected) = (head.to_lowercase(), lines(count));
                assert!(
                    body == expected,
                    "{version} {coding} {path}: {head} {}",
                    outcome.stderr
                );
                for field in [
                    &*format!("content-encoding: {coding}"),
                    "vary: accept-encoding",
                ] {
                    assert!(head.contains(field), "{field} in {head}");
                }
            }
        }
    }
}

#[test]
fn the_head_says_what_is_true_of_what_is_sent() {
    let server = probe(&[]);
    let target = format!("/lines/100?{TEXT}&etag=\"a\"&accept-ranges=bytes");
    let packed = gzip(&server, &target);
    assert_eq!(packed.framing, Framing::Length);
    assert!(packed.body.len() < 2000, "{}", packed.body.len());
    assert_eq!(packed.field("content-encoding"), Some("gzip"));
    assert_eq!(packed.field("etag"), Some("W/\"a\""));
    assert_eq!(packed.field("accept-ranges"), None);
    assert_eq!(packed.field("vary"), Some("accept-encoding"));
    let head = ask(&server, "HEAD", &target, "Accept-Encoding: gzip\r\n");
    let of = |response: &Response, name: &str| response.field(name).map(str::to_owned);
    for name in [
        "content-encoding",
        "etag",
        "vary",
        "content-type",
        "accept-ranges",
    ] {
        assert_eq!(of(&head, name), of(&packed, name), "{name}");
    }
    let plain = ask(&server, "GET", &target, "");
    assert_eq!(plain.text(), lines(100));
    assert_eq!(
        (plain.field("content-encoding"), plain.field("etag")),
        (None, Some("\"a\""))
    );
    assert_eq!(plain.field("vary"), Some("accept-encoding"));
    // What is large comes as it is compressed.
    let large = gzip(&server, &format!("/lines/5000?{TEXT}"));
    assert_eq!(
        (large.framing, large.field("content-length")),
        (Framing::Chunked, None)
    );
    let mut decoder = GzDecoder::new(Vec::new());
    decoder.write_all(&large.body).unwrap();
    assert!(decoder.finish().unwrap() == lines(5000).as_bytes());
}

#[test]
fn what_must_not_be_compressed_is_not() {
    let server = probe(&[]);
    let off = Gatewayd::serve(Artefacts::built().module("probe"), &["--workers", "1"]);
    let target = format!("/lines/100?{TEXT}");
    for (server, target, varies) in [
        (&off, &*target, false),
        (&server, "/lines/100", false),
        (&server, "/lines/100?content-type=image/png", false),
        (&server, &*format!("/lines/5?{TEXT}"), false),
        (
            &server,
            &*format!("/lines/100?{TEXT}&content-encoding=x"),
            false,
        ),
        (
            &server,
            &*format!("/lines/100?{TEXT}&cache-control=no-transform"),
            false,
        ),
        (
            &server,
            &*format!("/lines/100?{TEXT}&content-range=bytes 0-9999/20000"),
            false,
        ),
        (
            &server,
            "/lines-streamed/100?content-type=text/event-stream",
            false,
        ),
        (&server, "/status/204", false),
        (&server, "/status/304", false),
    ] {
        let target = target.replace(' ', "%20");
        let response = gzip(server, &target);
        assert_ne!(response.field("content-encoding"), Some("gzip"), "{target}");
        assert_eq!(response.field("vary").is_some(), varies, "{target}");
    }
    let refused = ask(
        &server,
        "GET",
        &target,
        "Accept-Encoding: gzip;q=0, deflate\r\n",
    );
    assert_eq!(
        (refused.text(), refused.field("vary")),
        (&*lines(100), Some("accept-encoding"))
    );
}

#[test]
fn what_the_application_gives_is_sent_at_once() {
    let server = probe(&[]);
    // Of a content type of its own: events are never compressed.
    let mut listener = server.connect();
    let target = "/told?content-type=text/plain";
    listener.send(format!(
        "GET {target} HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n"
    ));
    let mut begin = Vec::new();
    let head = loop {
        if let Some(at) = begin.windows(4).position(|end| end == b"\r\n\r\n") {
            break at + 4;
        }
        begin.extend(listener.some());
    };
    let said = String::from_utf8_lossy(&begin[..head]).to_lowercase();
    assert!(said.contains("content-encoding: gzip"), "{said}");
    let mut decoder = GzDecoder::new(Vec::new());
    decoder.write_all(&begin[head..]).unwrap();
    let mut expected = String::new();
    for word in ["one", "two", "three"] {
        assert_eq!(server.get(&format!("/tell/{word}")).text(), "1");
        expected += &format!("data: {word}\n\n");
        // Its deadline ends a read that nothing comes for.
        while decoder.get_ref().len() < expected.len() {
            decoder.write_all(&listener.some()).unwrap();
            decoder.flush().unwrap();
        }
        assert_eq!(decoder.get_ref(), expected.as_bytes());
    }
}

#[test]
fn answers_of_one_connection_are_each_their_own() {
    let server = probe(&[]);
    let mut client = server.connect();
    let target = format!("/lines/50?{TEXT}");
    let packed = get(&target).replace("\r\n\r\n", "\r\nAccept-Encoding: br\r\n\r\n");
    client.send(packed.clone() + &get(&target) + &packed + &get("/version"));
    let codings = [Some("br"), None, Some("br"), None];
    for coding in codings {
        assert_eq!(client.response().field("content-encoding"), coding);
    }
}

#[test]
fn settings_say_which_codings_and_what() {
    let module = Artefacts::built().module("probe");
    let words = [
        "--compress",
        "gzip",
        "--compress-min-size",
        "1",
        "--compress-types",
        "image/*",
    ];
    let server = Gatewayd::serve(module, &[&["--workers", "1"], &words[..]].concat());
    let target = "/lines/1?content-type=image/x";
    let packed = ask(
        &server,
        "GET",
        target,
        "Accept-Encoding: br, zstd, gzip\r\n",
    );
    assert_eq!(packed.field("content-encoding"), Some("gzip"));
    for (name, value) in [
        ("--compress", "deflate"),
        ("--compress", "gzip,gzip"),
        ("--compress-types", "text"),
        ("--compress-min-size", "0"),
    ] {
        let (code, said) = run(&["check-config", name, value, module.to_str().unwrap()]);
        assert_eq!(code, WRONG, "{said}");
        assert!(
            said.contains(&format!("{name} (command line): expected ")),
            "{said}"
        );
    }
}
