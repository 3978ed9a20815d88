//! Requests and responses over one connection follow RFC 9112.

use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::{get, post};
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::response::{Framing, Response};
use gateway_tests::until;

fn hello() -> Gatewayd {
    Gatewayd::serve(Artefacts::built().module("hello"), &["--workers", "1"])
}

fn echo() -> Gatewayd {
    Gatewayd::serve(Artefacts::built().module("echo"), &["--workers", "1"])
}

fn probe() -> Gatewayd {
    Gatewayd::serve(Artefacts::built().module("probe"), &["--workers", "1"])
}

fn expect_hello(response: &Response) {
    assert_eq!((response.status, response.reason.as_str()), (200, "OK"));
    assert_eq!(response.text(), "Hello, World!");
    assert_eq!(response.field("content-length"), Some("13"));
    assert_eq!(
        response.field("content-type"),
        Some("text/plain; charset=utf-8")
    );
    let date = response.field("date").expect("a Date");
    assert!(date.ends_with(" GMT") && date.len() == 29, "{date}");
}

#[test]
fn a_response_may_go_without_a_date() {
    let response = probe().get("/dateless");
    assert_eq!(response.text(), "dateless");
    assert_eq!(response.field("date"), None);
}

#[test]
fn a_connection_serves_many_requests() {
    let server = hello();
    let mut client = server.connect();
    for _ in 0..100 {
        client.send(get("/"));
        let response = client.response();
        expect_hello(&response);
        assert!(!response.closes());
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = echo();
    let mut client = server.connect();
    let mut batch = Vec::new();
    for number in 0..50 {
        batch.extend_from_slice(&post(
            &format!("/{number}"),
            format!("body {number}").as_bytes(),
        ));
    }
    client.send(&batch);
    for number in 0..50 {
        let answer = client.response().json();
        assert_eq!(answer["path"], format!("/{number}"));
        assert_eq!(answer["body_len"], format!("body {number}").len());
    }
}

#[test]
fn requests_pipelined_behind_a_slow_one_wait_for_it() {
    let server = probe();
    let mut client = server.connect();
    client.send([get("/sleep/100"), get("/version"), get("/sleep/1")].concat());
    let answers = [(); 3].map(|()| client.response().text().to_owned());
    assert_eq!(answers, ["slept", "unset", "slept"]);
}

#[test]
fn an_unread_body_does_not_become_the_next_request() {
    let server = probe();
    let mut client = server.connect();
    let smuggled = get("/panic");
    client.send([post("/unread", smuggled.as_bytes()), get("/version").into()].concat());
    assert_eq!(client.response().text(), "not read");
    assert_eq!(client.response().text(), "unset");
}

#[test]
fn head_has_the_fields_of_get_and_no_content() {
    let server = hello();
    let mut client = server.connect();
    client.send("HEAD / HTTP/1.1\r\nHost: test\r\n\r\n");
    let head = client.response_to_head();
    assert_eq!(
        (head.status, head.field("content-length")),
        (200, Some("13"))
    );
    client.send(get("/"));
    expect_hello(&client.response());
}

#[test]
fn no_content_and_not_modified_have_no_body_and_keep_the_connection() {
    let server = probe();
    let mut client = server.connect();
    for status in [204, 304, 204, 200] {
        client.send(get(&format!("/status/{status}")));
        let response = client.response();
        assert_eq!(response.status, status);
        assert_eq!(response.body, b"");
    }
}

#[test]
fn every_fact_of_the_head_arrives_as_sent() {
    let server = echo();
    let mut client = server.connect();
    client.send(
        b"PURGE /a%2Fb/../c;d=1?x=%20&y=\xe4? HTTP/1.1\r\nHost: Example:1\r\nX-A: one\r\nx-b:\t two  \r\n\
          X-A: three\r\nX-Bytes: \xc3\xa4\xff\r\nX-Empty:\r\n\r\n",
    );
    let response = client.response();
    if response.status == 400 {
        panic!("a target with a byte beyond ASCII: {response:?}");
    }
    let answer = response.json();
    assert_eq!(answer["method"], "PURGE");
    assert_eq!(answer["version"], "HTTP/1.1");
    assert_eq!(answer["path"], "/a%2Fb/../c;d=1");
    let expected = serde_json::json!([
        ["host", "Example:1"],
        ["x-a", "one"],
        ["x-b", "two"],
        ["x-a", "three"],
        ["x-bytes", "\u{c3}\u{a4}\u{ff}"],
        ["x-empty", ""]
    ]);
    assert_eq!(answer["headers"], expected);
}

#[test]
fn connection_close_is_answered_and_followed_by_the_end() {
    let server = hello();
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    let response = client.response();
    expect_hello(&response);
    assert_eq!(response.field("connection"), Some("close"));
    client.expect_end();
}

#[test]
fn http_1_0_closes_unless_asked_to_keep_alive() {
    let server = echo();
    let mut client = server.connect();
    client.send("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let response = client.response();
    assert_eq!(response.json()["version"], "HTTP/1.0");
    assert_eq!(response.json()["headers"], serde_json::json!([]));
    assert_eq!(response.field("connection"), Some("keep-alive"));
    client.send("GET /old HTTP/1.0\r\n\r\n");
    assert!(client.response().closes());
    client.expect_end();
}

#[test]
fn http_1_0_gets_no_chunks() {
    let server = probe();
    let mut client = server.connect();
    client.send("GET /chunks/3 HTTP/1.0\r\n\r\n");
    let response = client.response();
    assert_eq!(
        (response.framing, response.body.len()),
        (Framing::UntilClose, 3000)
    );
}

#[test]
fn a_client_that_ends_its_half_is_still_answered() {
    let server = probe();
    let mut client = server.connect();
    client.send([get("/sleep/50"), get("/version")].concat());
    client.finish();
    assert_eq!(client.response().text(), "slept");
    assert_eq!(client.response().text(), "unset");
    client.expect_end();
}

#[test]
fn expect_continue_is_released_by_the_first_look_at_the_body() {
    let server = echo();
    let mut client = server.connect();
    client
        .send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(client.response().status, 100);
    client.send("hello");
    assert_eq!(client.response().json()["body_len"], 5);
    client.send(get("/"));
    assert_eq!(client.response().status, 200);
}

#[test]
fn expect_continue_of_an_unread_body_is_answered_at_once() {
    let server = probe();
    let mut client = server.connect();
    client.send(UNSENT_BODY);
    let response = client.response();
    assert_eq!((response.status, response.text()), (200, "not read"));
    // Whether the client sends the body now cannot be known: the connection ends.
    client.expect_end();
}

#[test]
fn an_answer_behind_which_the_connection_is_useless_says_so() {
    let server = probe();
    let malformed =
        "POST /spawned HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
    let panicking = UNSENT_BODY.replace("/unread", "/panic");
    for request in [UNSENT_BODY, &panicking, malformed] {
        assert!(server.fetch(request).closes(), "{request:?}");
    }
}

const UNSENT_BODY: &str =
    "POST /unread HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";

#[test]
fn early_hints_come_before_the_answer_and_not_to_http_1_0() {
    let server = probe();
    let mut client = server.connect();
    client.send(get("/hints"));
    let hint = client.response();
    assert_eq!(
        (hint.status, hint.field("link")),
        (103, Some("</a.css>; rel=preload"))
    );
    assert_eq!(client.response().text(), "hinted");
    let mut old = server.connect();
    old.send("GET /hints HTTP/1.0\r\n\r\n");
    assert_eq!(old.response().text(), "hinted");
}

#[test]
fn work_behind_the_answer_delays_neither_answer_nor_next_request() {
    let server = probe();
    let mut client = server.connect();
    client.send([get("/after/60000"), get("/count")].concat());
    assert_eq!(client.response().text(), "answered");
    assert_eq!(client.response().text(), "0");
    client.send(get("/after/1"));
    assert_eq!(client.response().text(), "answered");
    until("work behind the answer", || {
        client.send(get("/count"));
        client.response().text() == "1"
    });
}

#[test]
fn a_disconnect_cancels_the_call_unless_the_application_asked_to_finish() {
    let server = probe();
    for target in ["/cancelled", "/finished"] {
        let before: u64 = server.get("/count").text().parse().unwrap();
        let mut client = server.connect();
        client.send(get(target));
        // The same loop has read that request once it answers this one.
        assert_eq!(server.get("/count").text(), before.to_string());
        drop(client);
        let mut watcher = server.connect();
        until("trace of the disconnect", || {
            watcher.send(get("/count"));
            watcher.response().text() != before.to_string()
        });
    }
}

#[test]
fn an_upgrade_yields_a_stream_both_ways() {
    let server = probe();
    let mut client = server.connect();
    client.send(
        "GET /upgrade HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: mirror\r\n\r\nahead ",
    );
    let response = client.response();
    assert_eq!(
        (response.status, response.field("upgrade")),
        (101, Some("mirror"))
    );
    let mut came = Vec::new();
    client.send("and after");
    while came.len() < 15 {
        came.extend_from_slice(&client.some());
    }
    assert_eq!(came, b"ahead and after");
    client.finish();
    client.expect_end();
}

#[test]
fn an_upgrade_that_nobody_asked_for_is_a_server_error() {
    let server = probe();
    assert_eq!(server.get("/upgrade").status, 500);
}
