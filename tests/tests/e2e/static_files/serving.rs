//! What is sent, by every way there is.

use std::fs;
use std::io::Write as _;

use gateway_tests::certificates::Certificates;
use gateway_tests::client::{Client, get, post};
use gateway_tests::curl::curl;
use gateway_tests::gatewayd::{Gatewayd, program};
use gateway_tests::response::Framing;

use super::{CHANGED, Site, age, probe};
use gateway_tests::artefacts::Artefacts;

/// So many bytes, no two mebibytes of which are alike.
fn content(length: usize) -> Vec<u8> {
    let mut state: u32 = 1;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[test]
fn files_are_sent_by_the_server_and_everything_else_by_the_application() {
    let site = Site::new(&[("a.css", b"body {}"), ("sub/index.html", b"<p>")]);
    let server = site.serve(&["--access-log", "-"]);
    let mut client = server.connect();
    client
        .send(get("/assets/a.css") + &get("/version") + &get("/assets/sub/") + &get("/assets/no"));
    let file = client.response();
    assert_eq!(
        (file.status, file.text(), file.framing),
        (200, "body {}", Framing::Length)
    );
    assert_eq!(file.field("content-type"), Some("text/css; charset=utf-8"));
    assert_eq!(file.field("x-content-type-options"), Some("nosniff"));
    assert_eq!(file.field("cache-control"), Some("no-cache"));
    assert_eq!(
        file.field("last-modified"),
        Some("Tue, 14 Nov 2023 22:13:20 GMT")
    );
    assert!(file.field("date").is_some());
    assert_eq!(client.response().status, 200);
    assert_eq!(client.response().text(), "<p>");
    let missing = client.response();
    assert_eq!((missing.status, missing.text()), (404, "Not Found\n"));
    assert!(!missing.closes());
    client.send("HEAD /assets/a.css HTTP/1.1\r\nHost: test\r\n\r\n");
    let head = client.response_to_head();
    assert_eq!(
        (head.status, head.field("content-length")),
        (200, Some("7"))
    );
    for (line, status) in [
        ("/assets/a.css HTTP/1.1\" 200 7", 0),
        ("/assets/no HTTP/1.1\" 404", 0),
    ] {
        server.process.line_with(line, status);
    }
}

#[test]
fn a_folder_without_its_slash_is_sent_on_and_curl_goes_there() {
    let site = Site::new(&[("sub/index.html", b"here")]);
    let server = site.serve(&[]);
    let told = server.get("/assets/sub?a=b");
    assert_eq!(
        (told.status, told.field("location")),
        (308, Some("/assets/sub/?a=b"))
    );
    let followed = curl(&["--location", &server.url("/assets/sub")]);
    assert_eq!(followed.stdout, "here");
    // A proxy that takes a prefix off the path is believed where it is trusted.
    let fields = [
        "--trusted-proxies",
        "127.0.0.1",
        "--proxy-fields",
        "x-forwarded-prefix",
    ];
    let proxied = site.serve(&fields);
    let request = "GET /assets/sub HTTP/1.1\r\nHost: test\r\nX-Forwarded-Prefix: /app\r\n\r\n";
    let told = proxied.fetch(request);
    assert_eq!(told.field("location"), Some("/app/assets/sub/"));
}

#[test]
fn other_methods_are_told_which_there_are() {
    let site = Site::new(&[("a", b"a")]);
    let server = site.serve(&[]);
    let refused = server.fetch(post("/assets/a", b"content"));
    assert_eq!(
        (refused.status, refused.field("allow")),
        (405, Some("GET, HEAD, OPTIONS"))
    );
    assert!(refused.closes(), "its body is not waited for");
    let asked = server.fetch("OPTIONS /assets/a HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(
        (asked.status, asked.field("allow")),
        (204, Some("GET, HEAD, OPTIONS"))
    );
}

#[test]
fn at_the_root_the_application_has_what_is_no_file() {
    let site = Site::new(&[("index.html", b"home"), ("version", b"a file")]);
    let mount = site.mount("/");
    let server = probe(&["--workers", "1", &mount]);
    assert_eq!(server.get("/").text(), "home");
    assert_eq!(server.get("/version").text(), "a file");
    let facts = server.get("/facts?a=b");
    assert!(facts.text().contains("target: /facts?a=b"), "{facts:?}");
    assert_eq!(
        server.fetch(post("/upload", b"abc")).status,
        server.get("/nothing").status
    );
}

#[test]
fn sixteen_mebibytes_arrive_byte_for_byte_by_every_way() {
    let whole = content(16 << 20);
    let site = Site::new(&[("large", &whole)]);
    let certificates = Certificates::new();
    certificates.issue("site", &["site.test"]);
    let mut command = program();
    command.args([
        "--workers",
        "1",
        "--bind",
        "https://127.0.0.1:0",
        "--bind",
        "127.0.0.1:0",
    ]);
    command.args(certificates.arguments("site"));
    command.arg(site.mount("/assets"));
    let server = Gatewayd::start(command.arg(Artefacts::built().module("probe")));
    let [secured, plain] = [0, 1].map(|at| server.addresses[at].port());
    let ca = certificates.text("ca.crt");
    let place = format!("site.test:{secured}:127.0.0.1");
    let file = site.folder.path().join("received");
    let output = file.to_str().unwrap();
    let tls = format!("https://site.test:{secured}/assets/large");
    let clear = format!("http://127.0.0.1:{plain}/assets/large");
    for (version, url) in [
        ("--http1.1", &clear),
        ("--http1.0", &clear),
        ("--http2-prior-knowledge", &clear),
        ("--http1.1", &tls),
        ("--http2", &tls),
    ] {
        let known = ["--cacert", &ca, "--resolve", &place, "--output", output];
        let outcome = curl(&[&known[..], &[version, "--write-out", "%{http_code}", url]].concat());
        assert_eq!(outcome.stdout, "200", "{version} {outcome:?}");
        assert!(fs::read(&file).unwrap() == whole, "{version} {url} differs");
        fs::remove_file(&file).unwrap();
    }
}

#[test]
fn a_download_that_was_broken_off_goes_on_where_it_was() {
    let whole = content(1 << 20);
    let site = Site::new(&[("large", &whole)]);
    let server = site.serve(&[]);
    let file = site.folder.path().join("received");
    fs::write(&file, &whole[..300_000]).unwrap();
    let output = file.to_str().unwrap();
    let url = server.url("/assets/large");
    let outcome = curl(&[
        "--continue-at",
        "-",
        "--output",
        output,
        "--write-out",
        "%{http_code}",
        &url,
    ]);
    assert_eq!(outcome.stdout, "206", "{outcome:?}");
    assert!(fs::read(&file).unwrap() == whole);
    // The same over HTTP/2, from the middle.
    let range = [
        "--http2-prior-knowledge",
        "--range",
        "100-99999",
        "--output",
        output,
    ];
    let outcome = curl(&[&range[..], &["--write-out", "%{http_code}", &url]].concat());
    assert_eq!(outcome.stdout, "206", "{outcome:?}");
    assert!(fs::read(&file).unwrap() == whole[100..100_000]);
}

#[test]
fn many_files_are_asked_for_at_once_and_come_in_order() {
    let (large, small) = (content(200_000), content(100));
    let site = Site::new(&[("large", &large), ("small", &small), ("empty", b"")]);
    let server = site.serve(&[]);
    let mut client = server.connect();
    let names = ["large", "small", "empty", "large", "large", "small"];
    let asked: String = names
        .iter()
        .map(|name| get(&format!("/assets/{name}")))
        .collect();
    client.send(asked);
    for name in names {
        let expected = match name {
            "large" => &large[..],
            "small" => &small[..],
            _ => b"",
        };
        assert!(client.response().body == expected, "{name}");
    }
}

#[test]
fn a_file_that_becomes_shorter_while_it_is_sent_does_not_pass_for_whole() {
    let site = Site::new(&[("large", &content(64 << 20))]);
    let server = site.serve(&[]);
    let mut client = server.connect();
    client.send(get("/assets/large"));
    let mut received = client.some().len();
    let file = fs::File::options()
        .write(true)
        .open(site.public().join("large"))
        .unwrap();
    file.set_len(1000).unwrap();
    loop {
        match client.few(1 << 20) {
            Ok(some) if some.is_empty() => break,
            Ok(some) => received += some.len(),
            Err(_) => break,
        }
    }
    assert!(received < 64 << 20);
    assert_eq!(server.get("/version").status, 200);
}

#[test]
fn a_client_that_takes_brotli_gets_what_was_compressed_ahead_with_a_tag_of_its_own() {
    let text = "var a = 1;\n".repeat(1000);
    let site = Site::new(&[("a.js", text.as_bytes())]);
    let mut gzip = std::process::Command::new("gzip")
        .args(["--keep", "--stdout"])
        .arg(site.public().join("a.js"))
        .output()
        .unwrap();
    site.write("a.js.gz", &std::mem::take(&mut gzip.stdout));
    let server = site.serve(&[]);
    let url = server.url("/assets/a.js");
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        let outcome = curl(&["--compressed", "--include", version, &url]);
        let (head, body) = outcome.stdout.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, text, "{head}");
        for field in [
            "content-encoding: gzip",
            "vary: accept-encoding",
            "text/javascript",
        ] {
            assert!(head.contains(field), "{field} in {head}");
        }
    }
    let tag = |fields: &str| {
        let request = format!("GET /assets/a.js HTTP/1.1\r\nHost: test\r\n{fields}\r\n");
        server.fetch(request).field("etag").unwrap().to_owned()
    };
    assert_ne!(tag(""), tag("Accept-Encoding: gzip\r\n"));
    // A newer original makes it worthless.
    age(&site.public().join("a.js"), CHANGED + 1);
    let request = "GET /assets/a.js HTTP/1.1\r\nHost: test\r\nAccept-Encoding: gzip\r\n\r\n";
    let plain = server.fetch(request);
    assert_eq!(
        (plain.field("content-encoding"), plain.text()),
        (None, &*text)
    );
}

#[test]
fn a_file_that_was_just_written_has_a_weak_tag() {
    let site = Site::new(&[]);
    let server = site.serve(&[]);
    fs::File::create(site.public().join("new"))
        .unwrap()
        .write_all(b"new")
        .unwrap();
    let tag = server.get("/assets/new").field("etag").unwrap().to_owned();
    let request = format!("GET /assets/new HTTP/1.1\r\nHost: test\r\nIf-None-Match: {tag}\r\n\r\n");
    assert_eq!(server.fetch(request).status, 304);
    let strong = tag.trim_start_matches("W/");
    let request = format!("GET /assets/new HTTP/1.1\r\nHost: test\r\nIf-Match: {strong}\r\n\r\n");
    let settled = server.fetch(request).status;
    assert_eq!(settled, if tag == strong { 200 } else { 412 });
}

#[test]
fn an_address_that_redirects_sends_files_on_too() {
    let site = Site::new(&[("a", b"a")]);
    let certificates = Certificates::new();
    certificates.issue("site", &["site.test"]);
    let mut command = program();
    command.args([
        "--workers",
        "1",
        "--bind",
        "https://127.0.0.1:0",
        "--bind",
        "redirect://127.0.0.1:0",
    ]);
    command.args(certificates.arguments("site"));
    command.arg(site.mount("/"));
    let server = Gatewayd::start(command.arg(Artefacts::built().module("probe")));
    assert_eq!(Client::get(&server.addresses[1], "/a").status, 308);
}
