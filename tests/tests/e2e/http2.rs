//! HTTP/2 brings what HTTP/1 brings, to the clients that people use.

use std::process::Command;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::curl::{Outcome, curl};
use gateway_tests::gatewayd::Gatewayd;
use nix::sys::signal::Signal;

fn probe(arguments: &[&str]) -> Gatewayd {
    Gatewayd::serve(Artefacts::built().module("probe"), arguments)
}

/// curl, which begins with HTTP/2 without asking.
fn curl2(arguments: &[&str]) -> Outcome {
    curl(&[&["--http2-prior-knowledge"], arguments].concat())
}

#[test]
fn curl_gets_the_same_answers_as_over_http1() {
    let server = probe(&["--workers", "2"]);
    for (path, status) in [
        ("/version", "200"),
        ("/chunks/50", "200"),
        ("/file", "200"),
        ("/sleep/5", "200"),
        ("/status/204", "204"),
        ("/nothing", "404"),
        ("/panic-later", "500"),
    ] {
        let url = server.url(path);
        let both = ["--http1.1", "--http2-prior-knowledge"].map(|version| {
            let told = ["--write-out", "\n%{http_code} %{http_version}"];
            let outcome = curl(&[&[version, &url], &told[..]].concat());
            assert_eq!(outcome.code, 0, "{outcome:?}");
            let (body, told) = outcome.stdout.rsplit_once('\n').unwrap();
            (body.to_owned(), told.to_owned())
        });
        assert_eq!(both[0].0, both[1].0, "{path}");
        assert_eq!(both[0].1, format!("{status} 1.1"));
        assert_eq!(both[1].1, format!("{status} 2"));
    }
}

#[test]
fn bodies_go_both_ways_with_hints_before_and_trailers_behind() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("upload");
    std::fs::write(&file, vec![b'x'; 3_000_000]).unwrap();
    let file = file.to_str().unwrap();
    let server = probe(&["--workers", "1"]);
    let counted = curl2(&["--upload-file", file, &server.url("/spawned")]);
    assert_eq!((counted.code, counted.stdout.as_str()), (0, "3000000"));
    let mirrored = curl2(&["--upload-file", file, &server.url("/mirror")]);
    assert_eq!((mirrored.code, mirrored.stdout.len()), (0, 3_000_000));
    let asked = ["--data", "abc", "--header", "Expect: 100-continue"];
    let continued = curl2(&[&asked, &["--include", &server.url("/spawned")][..]].concat());
    assert!(continued.stdout.starts_with("HTTP/2 100"), "{continued:?}");
    let hinted = curl2(&["--include", &server.url("/hints")]);
    assert!(hinted.stdout.starts_with("HTTP/2 103"), "{hinted:?}");
    let trailers = curl2(&["--include", &server.url("/trailers")]);
    assert!(trailers.stdout.contains("hellox-sum: 5"), "{trailers:?}");
}

#[test]
fn a_stop_under_load_answers_every_request_that_was_begun() {
    let server = probe(&["--workers", "2"]);
    let url = server.url("/sleep/2");
    let mut command = Command::new("h2load");
    command.args(["-D", "3", "-c", "4", "-m", "20", "-t", "1", &url]);
    let load = command
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // The load has begun once a request shows in a client of our own.
    assert_eq!(curl2(&[&server.url("/version")]).stdout, "unset");
    server.process.signal(Signal::SIGTERM);
    let (code, said) = server.process.end();
    assert_eq!(code, 0, "{said}");
    let output = load.wait_with_output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let line = told
        .lines()
        .find(|line| line.starts_with("requests:"))
        .unwrap();
    let counts: Vec<u64> = line
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|word| word.parse().ok())
        .collect();
    let [_, started, done, succeeded, failed, errored, ..] = counts[..] else {
        panic!("{line}");
    };
    assert_eq!(
        (started, done, failed, errored),
        (succeeded, succeeded, 0, 0),
        "{line}"
    );
}

#[test]
fn http2_that_is_turned_off_is_refused_as_http1() {
    let server = probe(&["--workers", "1", "--http1-only"]);
    let refused = curl2(&[&server.url("/version")]);
    assert_ne!(refused.code, 0);
    assert_eq!(server.get("/version").status, 200);
}
