//! Nobody holds a connection by being slow: each phase has its deadline, and says so.

use std::fs;
use std::time::{Duration, Instant};

use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::get;
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::until;

fn lab(arguments: &[&str]) -> Gatewayd {
    let module = Artefacts::built().module("lab");
    Gatewayd::serve(module, &[&["--workers", "1"], arguments].concat())
}

#[test]
fn a_head_that_does_not_end_in_time_is_408() {
    let server = lab(&["--head-timeout", "200ms"]);
    let mut client = server.connect();
    let start = Instant::now();
    client.send("GET / HTTP/1.1\r\nHost: ");
    let response = client.response();
    assert_eq!(response.status, 408);
    client.expect_end();
    assert!(
        start.elapsed() >= Duration::from_millis(200),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn a_connection_that_never_speaks_ends_without_a_word() {
    let server = lab(&["--head-timeout", "200ms"]);
    server.connect().expect_end();
}

#[test]
fn an_idle_connection_ends_without_a_word() {
    let server = lab(&["--keep-alive", "200ms"]);
    let mut client = server.connect();
    client.send(get("/"));
    assert_eq!(client.response().status, 200);
    client.expect_end();
}

#[test]
fn without_keep_alive_every_answer_closes() {
    let module = Artefacts::built().module("probe");
    let server = Gatewayd::serve(module, &["--workers", "1", "--keep-alive", "0"]);
    // At once, later, and the server's own.
    for target in ["/version", "/sleep/1", "/panic"] {
        let mut client = server.connect();
        client.send(get(target));
        assert!(client.response().closes(), "{target}");
        client.expect_end();
    }
}

#[test]
fn a_body_that_pauses_too_long_ends_the_request() {
    let server = lab(&["--body-timeout", "200ms"]);
    let mut client = server.connect();
    client.send("POST /upload HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhalf");
    assert_eq!(client.response().status, 408);
    client.expect_end();
}

#[test]
fn waiting_for_a_body_takes_no_processor_time() {
    let server = lab(&["--body-timeout", "1s"]);
    let mut client = server.connect();
    let spent = || {
        let stat = fs::read_to_string(format!("/proc/{}/schedstat", server.workers()[0])).unwrap();
        Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
    };
    client.send("POST /upload HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhalf");
    let before = spent();
    assert_eq!(client.response().status, 408);
    let waited = spent() - before;
    assert!(
        waited < Duration::from_millis(200),
        "a second of waiting took {waited:?}"
    );
}

#[test]
fn a_body_that_keeps_coming_is_not_bound_by_the_pause() {
    let server = lab(&["--body-timeout", "3s"]);
    let mut client = server.connect();
    client.send("POST /upload HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
    let start = Instant::now();
    let mut other = server.connect();
    let mut pieces = 0;
    while start.elapsed() < Duration::from_millis(4_500) {
        client.send("1\r\nx\r\n");
        pieces += 1;
        // One exchange between pieces gives the pace.
        other.send(get("/"));
        assert_eq!(other.response().status, 200);
    }
    client.send("0\r\n\r\n");
    assert_eq!(client.response().text(), pieces.to_string());
}

#[test]
fn a_client_that_takes_nothing_is_given_up() {
    let server = lab(&["--write-timeout", "300ms"]);
    let mut client = server.connect();
    client.send(get("/download/16m"));
    let first = client.some();
    assert!(!first.is_empty());
    // Wait for the log or the reset: nothing more is taken until the server has given up.
    let start = Instant::now();
    let mut other = server.connect();
    while start.elapsed() < Duration::from_millis(2_500) {
        other.send(get("/"));
        assert_eq!(other.response().status, 200);
    }
    let rest = client.rest();
    assert!(first.len() + rest.len() < 16 << 20, "the whole answer came");
}

fn probe(arguments: &[&str]) -> Gatewayd {
    let module = Artefacts::built().module("probe");
    Gatewayd::serve(module, &[&["--workers", "1"], arguments].concat())
}

#[test]
fn a_request_past_its_deadline_is_504_and_nobody_elses_is() {
    let server = probe(&["--request-timeout", "3s"]);
    let (mut client, mut neighbour) = (server.connect(), server.connect());
    client.send(get("/cancelled?token=secret"));
    neighbour.send(get("/sleep/100"));
    assert_eq!(neighbour.response().text(), "slept");
    assert_eq!(client.response().status, 504);
    // The call has ended, the connection has not.
    client.send(get("/count"));
    assert_eq!(client.response().text(), "1");
    let line = server.process.line_with("no answer within", 0);
    assert!(line.contains("GET /cancelled (id "), "{line}");
    assert!(!server.process.said().contains("secret"));
}

#[test]
fn a_call_that_wants_to_be_finished_hears_of_the_deadline() {
    let server = probe(&["--request-timeout", "300ms"]);
    assert_eq!(server.get("/finished").status, 504);
    until("the end of the call", || server.get("/count").text() == "1");
}

#[test]
fn an_answer_that_has_begun_is_broken_off_at_its_deadline() {
    let server = probe(&["--request-timeout", "300ms"]);
    let mut client = server.connect();
    client.send(get("/chunks/100000000"));
    let came = client.rest();
    assert!(came.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert!(!came.ends_with(b"0\r\n\r\n"), "the whole answer came");
    let line = server.process.line_with("still being answered", 0);
    assert!(line.contains("GET /chunks/100000000 (id "), "{line}");
}

#[test]
fn another_protocol_is_not_bound_by_the_deadline_of_its_request() {
    let server = probe(&["--request-timeout", "300ms"]);
    let mut client = server.connect();
    let fields = "Host: test\r\nConnection: upgrade\r\nUpgrade: mirror\r\n";
    client.send(format!("GET /upgrade HTTP/1.1\r\n{fields}\r\n"));
    assert_eq!(client.response().status, 101);
    let mut other = server.connect();
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(1_200) {
        other.send(get("/version"));
        assert_eq!(other.response().status, 200);
    }
    client.send("still here");
    assert_eq!(client.some(), b"still here");
}

#[test]
fn a_body_slower_than_its_rate_is_given_up_although_it_never_pauses() {
    let server = lab(&["--body-timeout", "1s", "--min-body-rate", "10MiB"]);
    let mut client = server.connect();
    client.send("POST /upload HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
    let mut other = server.connect();
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(3) && client.try_send("1\r\nx\r\n").is_ok() {
        // One exchange between pieces gives the pace.
        other.send(get("/"));
        assert_eq!(other.response().status, 200);
    }
    assert_eq!(client.response().status, 408);
}

#[test]
fn a_client_that_takes_less_than_its_rate_is_given_up_although_it_never_pauses() {
    for (rate, whole) in [("0", true), ("1GiB", false)] {
        let server = lab(&["--write-timeout", "1s", "--min-write-rate", rate]);
        let mut client = server.connect();
        client.send("GET /download/16m HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        let mut other = server.connect();
        let (start, time) = (Instant::now(), Duration::from_millis(2_500));
        let mut came = 0;
        while let elapsed = start.elapsed()
            && elapsed < time
        {
            // As much as is due by now: evenly, at whatever pace the exchanges go.
            let due = (16 << 20) * elapsed.as_millis() as usize / time.as_millis() as usize;
            let most = due.saturating_sub(came).min(64 * 1024);
            came += client.few(most).map_or(0, |bytes| bytes.len());
            other.send(get("/"));
            assert_eq!(other.response().status, 200);
        }
        came += client.rest().len();
        assert_eq!(came > 16 << 20, whole, "{came} bytes at {rate}");
    }
}
