//! What a connection in HTTP/1 is held to and given, a stream of HTTP/2 is as well: one layer has both.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gateway_tests::artefacts::Artefacts;
use gateway_tests::certificates::Certificates;
use gateway_tests::frames::{
    CANCEL, DATA, END_STREAM, Http2Client, INITIAL_WINDOW_SIZE, RST_STREAM, WINDOW_UPDATE, field,
    frame, headers, request,
};
use gateway_tests::gatewayd::{Gatewayd, program};
use gateway_tests::until;

fn probe(arguments: &[&str]) -> Gatewayd {
    let module = Artefacts::built().module("probe");
    Gatewayd::serve(module, &[&["--workers", "1"], arguments].concat())
}

/// What a stream brings to its end.
fn content(client: &mut Http2Client, stream: u32) -> String {
    let mut all = Vec::new();
    loop {
        let data = client.frame_of(DATA).expect("the rest of an answer");
        if data.stream == stream {
            all.extend(data.payload);
            if data.flags & END_STREAM != 0 {
                return String::from_utf8(all).expect("a text");
            }
        }
    }
}

#[test]
fn a_trusted_proxy_is_believed_and_the_log_names_its_client() {
    let forged = [
        field("x-forwarded-for", "6.6.6.6, 192.0.2.7"),
        field("x-forwarded-proto", "https"),
    ];
    let asked = [request("GET", "/facts?a=b"), forged.concat()].concat();
    for (trusted, client, scheme) in [
        ("127.0.0.0/8", "192.0.2.7", "https"),
        ("10.0.0.0/8", "127.0.0.1", "http"),
    ] {
        let server = probe(&["--trusted-proxies", trusted, "--access-log", "-"]);
        let mut peer = Http2Client::connect(&server.address, &[]);
        peer.send(&headers(1, END_STREAM, &asked));
        let facts = content(&mut peer, 1);
        for told in [format!("client: {client}:"), format!("scheme: {scheme}\n")] {
            assert!(facts.contains(&told), "{told} in\n{facts}");
        }
        let line = server
            .process
            .line_with("\"GET /facts?a=b HTTP/2.0\" 200", 0);
        assert!(line.contains(&format!("{client} - - [")), "{line}");
    }
}

#[test]
fn a_scheme_that_a_client_writes_is_not_believed() {
    let server = probe(&[]);
    let mut peer = Http2Client::connect(&server.address, &[]);
    let asked = [
        (":method", "GET"),
        (":scheme", "https"),
        (":path", "/facts"),
        (":authority", "test"),
    ];
    let asked = asked.map(|(name, value)| field(name, value)).concat();
    peer.send(&headers(1, END_STREAM, &asked));
    let facts = content(&mut peer, 1);
    assert!(facts.contains("scheme: http\n"), "{facts}");
}

#[test]
fn a_client_that_takes_a_request_back_or_leaves_ends_its_calls_at_once() {
    let server = probe(&[]);
    let told = |what: &str| server.get(what).text().to_owned();
    let mut peer = Http2Client::connect(&server.address, &[]);
    for stream in [1, 3, 5] {
        peer.get(stream, "/cancelled");
    }
    // With a body that has not come whole.
    peer.send(&headers(7, 0, &request("POST", "/cancelled")));
    until("begin of the calls", || told("/begun") == "4");
    assert_eq!(told("/count"), "0");
    peer.send(&frame(RST_STREAM, 0, 3, &CANCEL.to_be_bytes()));
    until("end of one call", || told("/count") == "1");
    drop(peer);
    until("end of the others", || told("/count") == "4");
}

#[test]
fn a_body_that_pauses_too_long_ends_for_the_application() {
    let server = probe(&["--body-timeout", "300ms"]);
    let mut peer = Http2Client::connect(&server.address, &[]);
    peer.send(&headers(1, 0, &request("POST", "/spawned")));
    peer.send(&frame(DATA, 0, 1, b"half"));
    assert!(content(&mut peer, 1).contains("Timeout"));
    // The connection and others on it go on.
    peer.get(3, "/version");
    assert_eq!(content(&mut peer, 3), "unset");
}

#[test]
fn white_space_around_the_value_of_a_trailer_is_never_shown() {
    // HTTP/1 takes it for no part of the value; in HTTP/2 there must be none (RFC 9113, section 8.2.1).
    let server = probe(&["--lint"]);
    let mut peer = Http2Client::connect(&server.address, &[]);
    for (stream, value) in [(1, "\t"), (3, "1 "), (5, " 1")] {
        peer.send(&headers(stream, 0, &request("POST", "/spawned")));
        peer.send(&frame(DATA, 0, stream, b"whole"));
        peer.send(&headers(stream, END_STREAM, &field("x-sum", value)));
        assert!(content(&mut peer, stream).contains("Protocol"), "{value:?}");
    }
    let (code, said) = server.stop();
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("[BODY-06]"), "{said}");
}

#[test]
fn a_request_past_its_deadline_is_504_and_nobody_elses_is() {
    let server = probe(&["--request-timeout", "500ms"]);
    let mut peer = Http2Client::connect(&server.address, &[]);
    peer.get(1, "/cancelled");
    peer.get(3, "/sleep/100");
    assert_eq!(content(&mut peer, 3), "slept");
    assert_eq!(content(&mut peer, 1), "Gateway Timeout\n");
    peer.get(5, "/count");
    assert_eq!(content(&mut peer, 5), "1");
}

#[test]
fn a_stream_that_is_taken_slower_than_its_rate_is_reset_although_it_never_pauses() {
    for (rate, whole) in [("0", true), ("1GiB", false)] {
        let server = probe(&["--write-timeout", "1s", "--min-write-rate", rate]);
        let mut peer = Http2Client::connect(&server.address, &[(INITIAL_WINDOW_SIZE, 0)]);
        peer.get(1, "/mebibytes/16");
        let (start, mut is_reset) = (Instant::now(), false);
        let longest = if whole { 2_500 } else { 30_000 };
        while start.elapsed() < Duration::from_millis(longest) && !is_reset {
            // One piece after another: each is asked for once the one before is there.
            for stream in [0, 1] {
                peer.send(&frame(WINDOW_UPDATE, 0, stream, &64_u32.to_be_bytes()));
            }
            is_reset = loop {
                let next = peer.frame().expect("a piece or a reset");
                match (next.kind, next.stream) {
                    (DATA, 1) => break false,
                    (RST_STREAM, 1) => break true,
                    _ => {}
                }
            };
        }
        assert_eq!(!is_reset, whole, "at {rate}");
    }
}

#[test]
fn events_are_sent_as_they_are_told_on_a_stream_and_within_tls() {
    let certificates = Certificates::new();
    certificates.issue("site", &["site.test"]);
    let server = Gatewayd::start(
        program()
            .args(["--workers", "1", "--bind", "127.0.0.1:0"])
            .args(["--bind", "https://127.0.0.1:0"])
            .args(certificates.arguments("site"))
            .arg(Artefacts::built().module("probe")),
    );
    let place = format!("site.test:{}:127.0.0.1", server.addresses[1].port());
    let safe = format!("https://site.test:{}/events", server.addresses[1].port());
    let ca = certificates.text("ca.crt");
    for words in [
        vec!["--http2-prior-knowledge", &server.url("/events")],
        vec!["--http1.1", "--cacert", &ca, "--resolve", &place, &safe],
        vec!["--http2", "--cacert", &ca, "--resolve", &place, &safe],
    ] {
        let mut command = Command::new("curl");
        command.args(["--silent", "--no-buffer", "--max-time", "60"]);
        let mut listener = command
            .args(&words)
            .stdout(Stdio::piped())
            .spawn()
            .expect("curl to be installed");
        let mut heard = listener.stdout.take().expect("its output");
        until("somebody who listens", || {
            server.get("/tell/begin").text() == "1"
        });
        for event in ["begin", "one", "two"] {
            if event != "begin" {
                assert_eq!(server.get(&format!("/tell/{event}")).text(), "1");
            }
            let expected = format!("data: {event}\n\n");
            let mut found = vec![0; expected.len()];
            heard.read_exact(&mut found).expect("an event");
            assert_eq!(String::from_utf8_lossy(&found), expected, "{words:?}");
        }
        listener.kill().expect("curl to be there");
        let _killed = listener.wait().expect("curl to end");
        until("end of the stream", || {
            server.get("/tell/late").text() == "0"
        });
    }
}
