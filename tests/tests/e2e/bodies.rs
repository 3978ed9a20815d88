//! Content goes both ways in full, in either framing, at the pace of its reader.

use std::thread;

use gateway_tests::artefacts::{Artefacts, compile};
use gateway_tests::client::{chunked, get, post};
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::response::Framing;

fn probe() -> Gatewayd {
    Gatewayd::serve(Artefacts::built().module("probe"), &["--workers", "1"])
}

fn lab() -> Gatewayd {
    Gatewayd::serve(Artefacts::built().module("lab"), &["--workers", "1"])
}

const CHUNKED: &str = "POST /upload HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn uploads_arrive_in_full_in_either_framing() {
    let server = lab();
    let mut client = server.connect();
    let body = vec![b'u'; 3 << 20];
    client.send(post("/upload", &body));
    assert_eq!(client.response().text(), "3145728");
    client.send(CHUNKED);
    client.send(chunked(&[&body, b"x", &body[..1000]]));
    assert_eq!(client.response().text(), "3146729");
}

#[test]
fn chunks_may_come_byte_by_byte_with_extensions_and_trailers() {
    let server = lab();
    let mut client = server.connect();
    let bytes = b"5;name=value\r\nhello\r\n00a\r\n0123456789\r\n0\r\nX-Sum: 15\r\n\r\n";
    client.send(CHUNKED);
    for byte in bytes {
        client.send([*byte]);
    }
    assert_eq!(client.response().text(), "15");
    client.send(get("/"));
    assert_eq!(client.response().status, 200);
}

#[test]
fn downloads_come_in_full_with_their_length() {
    let server = lab();
    for (target, length) in [("/download/64k", 64 << 10), ("/download/16m", 16 << 20)] {
        let response = server.get(target);
        assert_eq!(response.framing, Framing::Length);
        assert_eq!(response.body.len(), length);
        assert!(response.body.iter().all(|&byte| byte == b'x'));
    }
}

#[test]
fn a_body_of_unknown_length_comes_in_chunks_and_keeps_the_connection() {
    let server = probe();
    let mut client = server.connect();
    for _ in 0..2 {
        client.send(get("/chunks/500"));
        let response = client.response();
        assert_eq!(
            (response.framing, response.body.len()),
            (Framing::Chunked, 500_000)
        );
        assert!(!response.closes());
    }
}

#[test]
fn trailers_come_to_clients_that_said_te_trailers() {
    let server = probe();
    let mut client = server.connect();
    client.send("GET /trailers HTTP/1.1\r\nHost: test\r\nTE: trailers\r\nConnection: TE\r\n\r\n");
    let response = client.response();
    assert_eq!(
        (response.text(), response.framing),
        ("hello", Framing::Chunked)
    );
    assert_eq!(response.trailers, [("x-sum".to_owned(), "5".to_owned())]);
}

#[test]
fn a_region_of_a_file_is_sent() {
    let server = probe();
    let mut client = server.connect();
    for _ in 0..3 {
        client.send(get("/file"));
        let response = client.response();
        assert_eq!(
            (response.framing, response.body),
            (Framing::Length, vec![b'f'; 5_000])
        );
    }
}

#[test]
fn a_body_is_read_from_a_spawned_task() {
    let server = probe();
    let mut client = server.connect();
    client.send(post("/spawned", &vec![b's'; 1 << 20]));
    assert_eq!(client.response().text(), "1048576");
}

#[test]
fn who_sends_a_large_body_before_reading_reads_the_answer_that_did_not_wait_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let unix = format!("unix:{}", folder.path().join("socket").display());
    let module = Artefacts::built().module("probe");
    for bind in ["127.0.0.1:0", &unix] {
        let server = Gatewayd::start(
            gateway_tests::gatewayd::program()
                .args(["--bind", bind, "--workers", "1"])
                .arg(module),
        );
        let mut client = server.connect();
        client.send(post("/unread", &vec![b'x'; 16 << 20]));
        let answer = client.response();
        assert_eq!(answer.status, 200, "{bind}");
        assert!(answer.closes(), "{bind}");
        assert_eq!(server.stop().0, 0);
    }
}

#[test]
fn a_request_streams_back_while_it_is_still_being_sent() {
    let server = probe();
    stream_back(&server, "/mirror");
}

#[test]
fn a_cpp_application_streams_back_too() {
    let folder = tempfile::tempdir().unwrap();
    let module = compile(&["examples/stream-cpp/stream.cpp"], &[], folder.path());
    let server = Gatewayd::serve(&module, &["--workers", "1"]);
    stream_back(&server, "/");
}

/// Sends piece after piece and reads each back before the next.
fn stream_back(server: &Gatewayd, path: &str) {
    let mut client = server.connect();
    client.send(format!(
        "POST {path} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
    ));
    let mut came = Vec::new();
    for piece in ["first", "second"] {
        client.send(format!("{:x}\r\n{piece}\r\n", piece.len()));
        while !came
            .windows(piece.len())
            .any(|window| window == piece.as_bytes())
        {
            let more = client.some();
            assert!(
                !more.is_empty(),
                "ended after {:?}",
                String::from_utf8_lossy(&came)
            );
            came.extend_from_slice(&more);
        }
    }
    client.send("0\r\n\r\n");
    while !came.ends_with(b"0\r\n\r\n") {
        let more = client.some();
        assert!(
            !more.is_empty(),
            "ended after {:?}",
            String::from_utf8_lossy(&came)
        );
        came.extend_from_slice(&more);
    }
}

#[test]
fn sixteen_megabytes_stream_back_to_a_client_that_writes_and_reads_at_once() {
    let server = probe();
    let mut client = server.connect();
    let body = vec![b'm'; 16 << 20];
    let head = format!(
        "POST /mirror HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    client.send(head);
    let mut writer = client.split();
    let sent = body.clone();
    let writing = thread::spawn(move || writer.send(&sent));
    let response = client.response();
    writing.join().unwrap();
    assert_eq!(response.body.len(), body.len());
    assert!(response.body == body, "the bytes differ");
}

#[test]
fn a_client_that_does_not_read_does_not_grow_the_server() {
    let server = Gatewayd::serve(Artefacts::built().module("lab"), &["--workers", "0"]);
    let resident = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.process.pid()));
        let status = status.unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    assert_eq!(server.get("/").status, 200);
    let before = resident();
    let mut clients: Vec<_> = (0..20).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send(get("/download/16m"));
    }
    // Each has had its turn once the last has its head.
    for client in &mut clients {
        assert!(!client.some().is_empty());
    }
    assert_eq!(server.get("/").status, 200);
    let grown = resident().saturating_sub(before);
    assert!(
        grown < 20 * 1024,
        "20 unread answers of 16 MiB cost {grown} KiB"
    );
}
