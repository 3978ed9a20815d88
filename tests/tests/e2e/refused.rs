//! Whatever is refused, broken off or failed is in the logs, by its method and path.

use std::fs;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::get;
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::until;

#[test]
fn a_refused_head_is_in_the_access_log_as_far_as_it_could_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    let module = Artefacts::built().module("probe");
    let arguments = ["--workers", "1", "--head-timeout", "300ms"];
    let to_log = ["--access-log", log.to_str().unwrap()];
    let server = Gatewayd::serve(module, &[&arguments[..], &to_log].concat());
    let bad_field = "GET /bad?q HTTP/1.1\r\nHost: test\r\nbad field\r\n\r\n";
    assert_eq!(server.fetch(bad_field).status, 400);
    assert_eq!(server.fetch("GET /late HTTP/1.1\r\nHost: ").status, 408);
    assert_eq!(server.fetch("nonsense\r\n\r\n").status, 400);
    let logged = || fs::read_to_string(&log).unwrap_or_default();
    until("three lines", || logged().lines().count() == 3);
    let text = logged();
    for expected in [
        r#""GET /bad?q HTTP/1.1" 400 0"#,
        r#""GET /late HTTP/1.1" 408 0"#,
        r#""- - -" 400 0"#,
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn a_call_that_fails_is_named() {
    let module = Artefacts::built().module("probe");
    let server = Gatewayd::serve(module, &["--workers", "1"]);
    for (target, words) in [
        ("/panic", "the call ended without a response"),
        ("/status/700", "the response was refused"),
    ] {
        assert_eq!(server.get(target).status, 500);
        let line = server.process.line_with(words, 0);
        assert!(line.contains(&format!("GET {target} (id ")), "{line}");
    }
    let mut client = server.connect();
    client.send(get("/panic-in-body?token=secret"));
    client.rest();
    let line = server.process.line_with("the response was broken off", 0);
    assert!(line.contains("GET /panic-in-body (id "), "{line}");
    assert!(!server.process.said().contains("secret"));
}
