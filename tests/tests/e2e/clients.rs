//! The clients that people use get right answers from Rust, C and C++ applications.

use std::process::Command;

use gateway_tests::artefacts::{Artefacts, compile};
use gateway_tests::browser::Page;
use gateway_tests::curl::curl;
use gateway_tests::gatewayd::Gatewayd;

#[test]
fn curl_gets_hello_from_rust_and_c() {
    let folder = tempfile::tempdir().unwrap();
    let c = compile(&["examples/hello-c/hello.c"], &[], folder.path());
    for module in [Artefacts::built().module("hello"), &c] {
        let server = Gatewayd::serve(module, &["--workers", "2"]);
        let url = server.url("/");
        // Twice over one connection, then HEAD, then HTTP/1.0.
        let twice = curl(&[&url, &url]);
        assert_eq!(
            (twice.code, twice.stdout.as_str()),
            (0, "Hello, World!Hello, World!")
        );
        let head = curl(&["--head", &url]);
        assert!(head.stdout.starts_with("HTTP/1.1 200 OK\r\n"), "{head:?}");
        let old = curl(&["--http1.0", &url]);
        assert_eq!((old.code, old.stdout.as_str()), (0, "Hello, World!"));
        let missing = curl(&[
            "--write-out",
            "%{http_code}",
            "--output",
            "/dev/null",
            &server.url("/no"),
        ]);
        assert_eq!(missing.stdout, "404");
    }
}

#[test]
fn curl_uploads_to_echo_in_every_way_it_knows() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("upload");
    std::fs::write(&file, vec![b'x'; 2_000_000]).unwrap();
    let data = format!("@{}", file.display());
    let digest = Command::new("sha256sum")
        .arg(&file)
        .output()
        .unwrap()
        .stdout;
    let digest = String::from_utf8(digest).unwrap();
    let server = Gatewayd::serve(Artefacts::built().module("echo"), &["--workers", "2"]);
    let url = server.url("/up?x=%2F&y");
    for extra in [
        &[][..],
        &["-H", "Transfer-Encoding: chunked"],
        &["-H", "Expect: 100-continue"],
    ] {
        let outcome = curl(&[&["--data-binary", &data, &url], extra].concat());
        assert_eq!(outcome.code, 0, "{outcome:?}");
        let answer: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
        assert_eq!(answer["body_len"], 2_000_000);
        assert_eq!(answer["method"], "POST");
        assert_eq!(answer["target"], "/up?x=%2F&y");
        assert_eq!(answer["query"], "x=%2F&y");
        assert_eq!(answer["body_sha256"], digest.split(' ').next().unwrap());
    }
}

#[test]
fn curl_uses_a_unix_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.sock");
    let bind = format!("unix:{}", path.display());
    let module = Artefacts::built().module("hello").to_str().unwrap();
    let mut command = gateway_tests::gatewayd::program();
    let _server = Gatewayd::start(command.args(["--workers", "1", "--bind", &bind, module]));
    let outcome = curl(&["--unix-socket", path.to_str().unwrap(), "http://any/"]);
    assert_eq!(
        (outcome.code, outcome.stdout.as_str()),
        (0, "Hello, World!")
    );
}

#[test]
fn a_browser_shows_the_greeting() {
    let folder = tempfile::tempdir().unwrap();
    let server = Gatewayd::serve(Artefacts::built().module("hello"), &["--workers", "2"]);
    let page = Page::open(&server.url("/"), folder.path());
    assert!(page.dom.contains("Hello, World!"), "{}", page.dom);
    assert_eq!(page.size(), (800, 600));
    // A blank page of that size takes less than half of this.
    assert!(
        page.png.len() > 3_000,
        "{} bytes of picture",
        page.png.len()
    );
}
