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
    assert_eq!(server.fetch("\r\nnonsense \"\x01\r\n\r\n").status, 400);
    let logged = || fs::read_to_string(&log).unwrap_or_default();
    until("three lines", || logged().lines().count() == 3);
    let text = logged();
    for expected in [
        r#""GET /bad?q HTTP/1.1" 400 0"#,
        r#""GET /late HTTP/1.1" 408 0"#,
        r#""nonsense \"\x01" 400 0"#,
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn why_a_head_was_refused_is_in_the_access_log_that_asks() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    let module = Artefacts::built().module("probe");
    let arguments = |format: &'static str| {
        let fixed = ["--workers", "1", "--head-timeout", "300ms"];
        let to_log = [
            "--access-log",
            log.to_str().unwrap(),
            "--access-log-format",
            format,
        ];
        [&fixed[..], &to_log].concat()
    };
    let server = Gatewayd::serve(module, &arguments("json"));
    let nameless = "GET /bad?q HTTP/1.1\r\nHost: test\r\n: field\r\n\r\n";
    assert_eq!(server.fetch(nameless).status, 400);
    assert_eq!(server.fetch("GET /late HTTP/1.1\r\nHost: ").status, 408);
    assert_eq!(server.get("/version").status, 200);
    let logged = || fs::read_to_string(&log).unwrap_or_default();
    until("three lines", || logged().lines().count() == 3);
    let text = logged();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let lines: Vec<serde_json::Value> = lines.collect();
    let why = "expected a field name before the colon, found none";
    assert_eq!(
        (&lines[0]["target"], &lines[0]["refused"]),
        (&"/bad?q".into(), &why.into())
    );
    assert_eq!(lines[0]["client"], "127.0.0.1");
    assert_eq!(lines[1]["refused"], "the head did not come in time");
    assert!(lines[2].get("refused").is_none(), "{text}");
    assert_eq!(server.stop().0, 0);
    fs::remove_file(&log).unwrap();
    let server = Gatewayd::serve(module, &arguments("%s %E"));
    assert_eq!(server.fetch(nameless).status, 400);
    assert_eq!(server.get("/version").status, 200);
    until("two lines", || logged().lines().count() == 2);
    assert_eq!(logged(), format!("400 {why}\n200 -\n"));
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
