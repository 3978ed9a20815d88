//! What is larger than its limit is refused with its own status, and what is exactly as large is not.

use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::{get, post};
use gateway_tests::gatewayd::Gatewayd;

fn lab(arguments: &[&str]) -> Gatewayd {
    let module = Artefacts::built().module("lab");
    Gatewayd::serve(module, &[&["--workers", "1"], arguments].concat())
}

/// Sends a request and expects that it is refused with this status, readable to its end, and that
/// the connection ends.
fn expect_refusal(server: &Gatewayd, request: impl AsRef<[u8]>, status: u16) {
    let mut client = server.connect();
    // The server may stop reading before the end.
    let _sent = client.try_send(request);
    let response = client.response();
    assert_eq!(response.status, status);
    assert!(response.closes(), "{response:?}");
    client.expect_end();
}

#[test]
fn a_request_line_of_the_limit_passes_and_a_longer_one_is_414() {
    let server = lab(&["--limit-request-line", "100"]);
    let line = |length: usize| get(&format!("/{}", "x".repeat(length - "GET / HTTP/1.1".len())));
    assert_eq!(server.fetch(line(100)).status, 404);
    expect_refusal(&server, line(101), 414);
    expect_refusal(&server, line(100_000), 414);
}

#[test]
fn as_many_fields_as_the_limit_pass_and_one_more_is_431() {
    let server = lab(&["--limit-request-fields", "20"]);
    let fields = |count: usize| {
        let more = "x: y\r\n".repeat(count - 1);
        format!("GET / HTTP/1.1\r\nHost: test\r\n{more}\r\n")
    };
    assert_eq!(server.fetch(fields(20)).status, 200);
    expect_refusal(&server, fields(21), 431);
}

#[test]
fn a_field_of_the_limit_passes_and_a_longer_one_is_431() {
    let server = lab(&["--limit-request-field-size", "200"]);
    let field = |length: usize| {
        let value = "v".repeat(length - "x-a".len());
        format!("GET / HTTP/1.1\r\nHost: test\r\nx-a: {value}\r\n\r\n")
    };
    assert_eq!(server.fetch(field(150)).status, 200);
    expect_refusal(&server, field(250), 431);
}

#[test]
fn a_head_larger_than_its_limit_is_431_however_it_is_made_up() {
    let server = lab(&["--limit-request-head", "1KiB"]);
    let fields = "x-a: 0123456789\r\n".repeat(80);
    expect_refusal(
        &server,
        format!("GET / HTTP/1.1\r\nHost: test\r\n{fields}\r\n"),
        431,
    );
    // Without an end the limit still holds.
    expect_refusal(
        &server,
        format!("GET / HTTP/1.1\r\nHost: test\r\n{fields}"),
        431,
    );
}

#[test]
fn a_body_of_the_limit_passes_and_a_longer_one_is_413_in_either_framing() {
    let server = lab(&["--max-body", "1000"]);
    assert_eq!(server.fetch(post("/upload", &[b'x'; 1000])).text(), "1000");
    expect_refusal(&server, post("/upload", &[b'x'; 1001]), 413);
    let head = "POST /upload HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = |length: usize| format!("{head}{length:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(length));
    assert_eq!(server.fetch(chunk(1000)).text(), "1000");
    // The application answers this one, in the words of the error that it met.
    assert_eq!(server.fetch(chunk(1001)).status, 413);
}

#[test]
fn a_length_beyond_the_limit_is_refused_before_any_of_the_body_comes() {
    let server = lab(&["--max-body", "1000"]);
    let head = "POST /upload HTTP/1.1\r\nHost: test\r\nContent-Length: 1001\r\n\r\n";
    expect_refusal(&server, head, 413);
}

#[test]
fn connections_beyond_the_limit_wait_until_one_ends() {
    let server = lab(&["--max-connections", "2"]);
    let mut first = server.connect();
    let mut second = server.connect();
    for client in [&mut first, &mut second] {
        client.send(get("/"));
        assert_eq!(client.response().status, 200);
    }
    let mut third = server.connect();
    third.send(get("/"));
    first.send(get("/json"));
    assert_eq!(first.response().status, 200);
    drop(second);
    assert_eq!(third.response().status, 200);
}
