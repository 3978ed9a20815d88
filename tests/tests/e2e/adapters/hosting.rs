//! What a host owes an application besides requests: word of its clients, backpressure, an end.

use std::io::Read as _;
use std::thread;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::{chunked, get, post};
use gateway_tests::hosts::{Host, Kind};
use gateway_tests::until;
use nix::sys::signal::Signal;

use crate::alike::hostile;

pub(super) fn probe(kind: Kind) -> Host {
    kind.serve(Artefacts::built().module("probe"), &[])
}

fn number(host: &Host, target: &str) -> u64 {
    host.get(target).text().parse().unwrap()
}

pub(super) fn calls_end_as_their_clients_do(kind: Kind) {
    let host = probe(kind);
    let count = || number(&host, "/count");
    let mut ended = 0;
    // actix-web looks at its clients again when it writes.
    if kind != Kind::Actix {
        // Dropped with its client.
        let mut client = host.connect();
        client.send(get("/cancelled"));
        // Ended by itself, behind its client.
        let mut other = host.connect();
        other.send(get("/finished"));
        until("both calls", || number(&host, "/begun") == 2);
        assert_eq!(count(), 0);
        drop(client);
        until("cancelled call", || count() == 1);
        drop(other);
        until("finished call", || count() == 2);
        ended = 2;
    }
    // Work behind the answer, which its client does not see the end of.
    assert_eq!(host.get("/after/20").text(), "answered");
    until("work behind the answer", || count() == ended + 1);
}

pub(super) fn a_success_alone_is_no_answer_to_connect(kind: Kind) {
    let (_folder, hostile) = hostile();
    let host = kind.serve(&hostile, &[]);
    let mut client = host.connect();
    client.send("CONNECT test:1 HTTP/1.1\r\nHost: test:1\r\n\r\n");
    assert_eq!(client.response_to_connect().status, 500);
    assert_eq!(host.get("/ok").text(), "ok");
}

pub(super) fn bodies_wait_for_their_readers(kind: Kind) {
    let host = probe(kind);
    // A gibibyte that nobody reads, and a file of as much: what is not read is not made.
    for target in ["/mebibytes/1024", "/hole/1024"] {
        let mut client = host.connect();
        client.send(get(target));
        let mut some = [0; 4096];
        client.read_exact(&mut some).unwrap();
        assert_eq!(&some[..12], b"HTTP/1.1 200");
        assert_eq!(host.get("/version").status, 200);
    }
    let peak = peak_memory(host.process.pid());
    assert!(peak < 300 << 10, "{peak} KiB of memory");
    // An upload that is read as it comes, and the answer while it comes.
    let mut client = host.connect();
    let mut sender = client.split();
    let body = vec![b'u'; 64 << 20];
    let request = post("/mirror", &body);
    let sending = thread::spawn(move || sender.send(request));
    let response = client.response();
    sending.join().unwrap();
    assert_eq!(response.body.len(), body.len());
    assert!(response.body == body);
    // One that breaks off is an error, not an end.
    let head = "POST /spawned HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    let whole = [head.as_bytes(), &chunked(&[b"abc"])].concat();
    assert_eq!(host.fetch(&whole).text(), "3");
    let cut = match kind {
        // It takes a chunked upload that is cut off for whole.
        Kind::Actix => post("/spawned", b"abc".repeat(9).as_slice())[..80].to_vec(),
        _ => whole[..whole.len() - 5].to_vec(),
    };
    let mut client = host.connect();
    client.send(cut);
    client.finish();
    match client.read(gateway_tests::response::To::Other) {
        Ok(response) => assert!(response.status >= 400, "{response:?}"),
        // Who has broken off need not be answered.
        Err(gateway_tests::response::Broken::Closed) => {}
        Err(broken) => panic!("{broken:?}"),
    }
}

/// The most memory that a process has had, in KiB.
fn peak_memory(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.unwrap().trim().trim_end_matches(" kB");
    number.parse().unwrap()
}

pub(super) fn a_stop_drains_and_waits(kind: Kind) {
    let host = probe(kind);
    let mut told = host.connect();
    told.send(get("/draining"));
    host.process.line_with("waiting for the drain", 0);
    // An upload whose beginning has come back.
    let mut slow = host.connect();
    slow.send("POST /mirror HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello");
    let mut answer = Vec::new();
    while !answer.ends_with(b"hello") {
        answer.extend(slow.some());
    }
    host.process.signal(Signal::SIGTERM);
    assert_eq!(told.response().text(), "draining");
    slow.send("again");
    while !answer.ends_with(b"again") && !answer.ends_with(b"again\r\n0\r\n\r\n") {
        let more = slow.some();
        assert!(!more.is_empty(), "{}", String::from_utf8_lossy(&answer));
        answer.extend(more);
    }
    drop(slow);
    let (code, said) = host.process.end();
    assert_eq!(code, 0, "{said}");
}
