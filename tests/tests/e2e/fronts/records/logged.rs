//! What the log says of fronts' requests.

use std::fs;
use std::time::{Duration, Instant};

use gateway_tests::fronts::fastcgi;
use gateway_tests::until;
use nix::sys::signal::Signal;

use super::{PROTOCOLS, connect, last, next, request, serve, with};

#[test]
fn the_log_says_what_the_front_said() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    let server = serve("hello", &["--access-log", log.to_str().unwrap()]);
    for protocol in PROTOCOLS {
        let mut client = connect(&server, protocol);
        let pairs = [
            ("REQUEST_URI", "/?q"),
            ("SERVER_PROTOCOL", "HTTP/3.0"),
            ("REMOTE_ADDR", "192.0.2.7"),
            ("HTTP_USER_AGENT", "me"),
        ];
        client.send(request(protocol, &with(&pairs), b""));
        assert!(!client.some().is_empty());
    }
    assert_eq!(server.stop().0, 0);
    let log = fs::read_to_string(log).unwrap();
    assert_eq!(log.lines().count(), 3, "{log}");
    for line in log.lines() {
        assert!(line.starts_with("192.0.2.7 "), "{line}");
        assert!(line.contains("\"GET /?q HTTP/3.0\" 200 13"), "{line}");
    }
}

#[test]
fn the_log_says_why_a_request_of_a_fronts_is_refused_and_whose_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    let format = ["--access-log-format", "%h \"%r\" %s %S %E"];
    let to_log = ["--access-log", log.to_str().unwrap()];
    let server = serve("hello", &[&to_log[..], &format].concat());
    let client = [
        ("REMOTE_ADDR", "192.0.2.7"),
        ("SERVER_PROTOCOL", "HTTP/2.0"),
        ("HTTPS", "on"),
    ];
    let named = "expected `host[:port]` as Host";
    for (pairs, expected) in [
        // Of which no head can be made.
        (
            ("REQUEST_METHOD", ""),
            "127.0.0.1 \"- - -\" 400 http expected a method in REQUEST_METHOD",
        ),
        // Of which one is made that HTTP would not accept either.
        (
            ("REQUEST_METHOD", "G{T"),
            "192.0.2.7 \"G{T / HTTP/1.1\" 400 https expected a method (a token)",
        ),
        (
            ("HTTP_HOST", "a b"),
            &format!("192.0.2.7 \"GET / HTTP/2.0\" 400 https {named}"),
        ),
    ] {
        for protocol in PROTOCOLS {
            let mut client_end = connect(&server, protocol);
            let said = [&client[..], &[pairs]].concat();
            client_end.send(request(protocol, &with(&said), b""));
            assert!(last(client_end, protocol).contains(" 400 Bad Request"));
            let lines = || fs::read_to_string(&log).unwrap_or_default();
            until("a line", || !lines().is_empty());
            let line = lines();
            assert!(line.starts_with(expected), "{protocol}: {line}");
            fs::write(&log, "").unwrap();
        }
    }
    assert_eq!(server.stop().0, 0);
}

#[test]
fn who_is_let_in_at_the_end_has_waited_since_then() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    let to_log = ["--access-log", log.to_str().unwrap()];
    let format = ["--access-log-format", "%U %M", "--max-connections", "1"];
    let server = serve("probe", &[&to_log[..], &format].concat());
    let version = fastcgi(&with(&[("REQUEST_URI", "/version")]), b"");
    let mut holds = connect(&server, "fastcgi");
    holds.send(&version);
    next(&mut holds);
    // Who finds no room shuts the doors, before which the next one comes much later.
    let mut first = connect(&server, "uwsgi");
    first.send(request("uwsgi", &with(&[("REQUEST_URI", "/id")]), b""));
    let came = Instant::now();
    until("a pause", || came.elapsed() > Duration::from_secs(3));
    let mut second = connect(&server, "uwsgi");
    let asked = Instant::now();
    second.send(request("uwsgi", &with(&[("REQUEST_URI", "/version")]), b""));
    server.process.signal(Signal::SIGTERM);
    assert!(last(second, "uwsgi").contains(" 200 OK"));
    let waited = asked.elapsed();
    assert!(last(first, "uwsgi").contains(" 200 OK"));
    holds.expect_end();
    assert_eq!(server.process.end().0, 0);
    let log = fs::read_to_string(log).unwrap();
    let took = log
        .lines()
        .filter_map(|line| line.strip_prefix("/version "));
    let took: Vec<u128> = took.map(|millis| millis.parse().unwrap()).collect();
    assert!(
        took.len() == 2 && took[1] <= waited.as_millis() + 1,
        "{log}"
    );
}
