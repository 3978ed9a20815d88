//! A connection that switches protocols is a stream both ways, and one that does not goes on as before.

use std::thread;

use gateway_tests::artefacts::{self, Artefacts};
use gateway_tests::client::{Client, get, post};
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::until;
use nix::sys::signal::Signal;

fn probe() -> Gatewayd {
    Gatewayd::serve(Artefacts::built().module("probe"), &["--workers", "1"])
}

/// The request that offers to switch.
fn offer(target: &str) -> String {
    let lines = "Host: test\r\nConnection: upgrade\r\nUpgrade: mirror\r\n";
    format!("GET {target} HTTP/1.1\r\n{lines}\r\n")
}

/// A connection that has switched.
fn open(server: &Gatewayd, target: &str) -> Client {
    let mut client = server.connect();
    client.send(offer(target));
    assert_eq!(client.response().status, 101);
    client
}

/// So many bytes, as they come.
fn read(client: &mut Client, count: usize) -> Vec<u8> {
    let mut came = Vec::new();
    while came.len() < count {
        let more = client.some();
        assert!(
            !more.is_empty(),
            "ended after {} bytes of {count}",
            came.len()
        );
        came.extend(more);
    }
    came
}

/// Bytes in which a place is known by what stands there.
fn pattern(count: u32) -> Vec<u8> {
    (0..count / 4).flat_map(u32::to_le_bytes).collect()
}

#[test]
fn connect_is_a_tunnel_too() {
    let server = probe();
    let mut client = server.connect();
    client.send("CONNECT mirror:1 HTTP/1.1\r\nHost: mirror:1\r\n\r\nahead ");
    let response = client.response_to_connect();
    assert_eq!((response.status, response.reason.as_str()), (200, "OK"));
    let framing = [
        "content-length",
        "transfer-encoding",
        "connection",
        "upgrade",
    ];
    let framing: Vec<_> = framing
        .iter()
        .filter_map(|name| response.field(name))
        .collect();
    assert_eq!(framing, [""; 0]);
    client.send("and after");
    assert_eq!(read(&mut client, 15), b"ahead and after");
    client.finish();
    client.expect_end();
}

#[test]
fn a_success_without_a_tunnel_is_500_to_connect_and_the_log_says_what_was_expected() {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let module = artefacts::hostile(&[], &[], folder.path());
    let server = Gatewayd::serve(&module, &["--workers", "1"]);
    for version in ["1.1", "1.0"] {
        let from = server.process.lines_so_far();
        let mut client = server.connect();
        client.send(format!(
            "CONNECT a.test:1 HTTP/{version}\r\nHost: a.test:1\r\n\r\n"
        ));
        assert_eq!(client.response_to_connect().status, 500);
        let said =
            "expected an upgrade or a status from 300 to 599 in answer to CONNECT, found 200 alone";
        let _line = server.process.line_with(said, from);
    }
}

#[test]
fn behind_a_tunnel_that_is_refused_the_next_request_is_read() {
    let server = probe();
    for request in [
        "CONNECT elsewhere:1 HTTP/1.1\r\nHost: elsewhere:1\r\n\r\n".to_owned(),
        offer("/status/403"),
        offer("/version"),
        // The answer comes later.
        offer("/sleep/100"),
        // The answer's body, too.
        offer("/chunks/10"),
        offer("/trailers"),
    ] {
        let mut client = server.connect();
        client.send(
            [
                request.as_bytes(),
                &post("/spawned", b"hello"),
                get("/pid").as_bytes(),
            ]
            .concat(),
        );
        let refused = client.response();
        assert!(
            refused.status != 101 && !refused.closes(),
            "{request}: {refused:?}"
        );
        assert_eq!(refused.field("upgrade"), None, "{request}");
        assert_eq!(client.response().text(), "5", "{request}");
        assert_eq!(client.response().status, 200, "{request}");
        client.send(offer("/upgrade"));
        assert_eq!(client.response().status, 101, "{request}");
        client.send("x");
        assert_eq!(read(&mut client, 1), b"x");
    }
}

#[test]
fn nothing_behind_an_offer_is_taken_for_a_body() {
    let server = probe();
    let mut client = server.connect();
    // The application reads the body: it is empty, whatever follows.
    client.send([offer("/spawned").as_bytes(), get("/version").as_bytes()].concat());
    assert_eq!(client.response().text(), "0");
    assert_eq!(client.response().text(), "unset");
}

#[test]
fn an_offer_with_a_body_is_an_ordinary_request() {
    let server = probe();
    let lines = "Host: test\r\nConnection: upgrade\r\nUpgrade: mirror\r\n";
    for (target, status) in [("/spawned", 200), ("/upgrade", 500)] {
        let mut client = server.connect();
        client.send(format!(
            "POST {target} HTTP/1.1\r\n{lines}Content-Length: 5\r\n\r\nhello"
        ));
        assert_eq!(client.response().status, status, "{target}");
        client.send(get("/version"));
        assert_eq!(client.response().text(), "unset");
    }
}

#[test]
fn what_is_sent_before_the_switch_comes_first_and_whole() {
    let server = probe();
    let mut client = server.connect();
    client.send(offer("/upgrade/200"));
    let sent = pattern(2 << 20);
    let mut writer = client.split();
    let ahead = sent.clone();
    // More than is read before the answer: it waits in the kernel's buffers and in this thread.
    let writing = thread::spawn(move || writer.send(ahead));
    assert_eq!(client.response().status, 101);
    assert!(read(&mut client, sent.len()) == sent, "the bytes differ");
    writing.join().unwrap();
    client.finish();
    client.expect_end();
}

#[test]
fn a_client_that_has_ended_its_half_is_answered_in_full() {
    let server = probe();
    let mut client = open(&server, "/answer-late");
    client.send(pattern(1 << 20));
    client.finish();
    let all = client.rest();
    let told = b"1048576\n";
    assert_eq!(&all[..told.len()], told);
    assert_eq!(all.len(), told.len() + 1_000_000);
}

#[test]
fn an_application_that_has_ended_its_half_hears_the_client_to_the_end() {
    let server = probe();
    let mut client = open(&server, "/listen");
    client.expect_end();
    client.send(pattern(1 << 20));
    assert_eq!(server.get("/count").text(), "0");
    client.finish();
    until("bytes counted", || server.get("/count").text() == "1048576");
}

#[test]
fn an_application_is_told_of_a_drain_in_its_tunnel() {
    let server = probe();
    let mut client = open(&server, "/part");
    server.process.signal(Signal::SIGTERM);
    assert_eq!(read(&mut client, 8), b"draining");
    client.expect_end();
    assert_eq!(server.process.end().0, 0);
}

#[test]
fn tunnels_move_much_both_ways_at_once() {
    let server = probe();
    let sent = pattern(16 << 20);
    let mut client = open(&server, "/upgrade");
    let mut writer = client.split();
    let out = sent.clone();
    let writing = thread::spawn(move || {
        writer.send(out);
        writer.finish();
    });
    let came = client.rest();
    writing.join().unwrap();
    assert!(came == sent, "{} bytes came, or others", came.len());
}

#[test]
fn events_are_sent_as_they_are_told_and_a_lost_client_ends_their_stream() {
    let server = probe();
    let mut client = server.connect();
    client.send(get("/events"));
    let head = client.some();
    let text = String::from_utf8_lossy(&head);
    assert!(
        text.contains("text/event-stream") && text.ends_with("\r\n\r\n"),
        "{text}"
    );
    for event in ["one", "two", "three"] {
        assert_eq!(server.get(&format!("/tell/{event}")).text(), "1");
        let data = format!("data: {event}\n\n");
        let chunk = format!("{:x}\r\n{data}\r\n", data.len());
        assert_eq!(String::from_utf8_lossy(&client.some()), chunk);
    }
    assert_eq!(server.get("/count").text(), "0");
    client.reset();
    // Nobody has told anything since: the loss itself is noticed.
    until("end of the stream", || server.get("/count").text() == "1");
    assert_eq!(server.get("/tell/late").text(), "0");
}
