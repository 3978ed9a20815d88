//! Bodies of any size cost a worker little memory, and those of files pass it by.

use std::fs;
use std::thread;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::certificates::Certificates;
use gateway_tests::client::Client;
use gateway_tests::curl::curl;
use gateway_tests::gatewayd::{Gatewayd, program};

fn probe() -> Gatewayd {
    Gatewayd::serve(
        Artefacts::built().module("probe"),
        &["--workers", "1", "--max-body", "2GiB"],
    )
}

#[test]
fn a_gibibyte_up_and_one_down_cost_a_worker_little_memory() {
    let server = probe();
    let worker = server.workers()[0];
    assert_eq!(server.get("/version").status, 200);
    let before = memory(worker, "VmRSS");
    let length = GIBIBYTE;
    let mut client = server.connect();
    client.send(format!(
        "POST /spawned HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n\r\n"
    ));
    send(&mut client, length);
    assert_eq!(client.response().text(), length.to_string());
    // The same again while it comes back.
    client.send(format!(
        "POST /mirror HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n\r\n"
    ));
    let mut writer = client.split();
    let writing = thread::spawn(move || send(&mut writer, length));
    expect_body(&mut client, length);
    writing.join().unwrap();
    // An answer before so much of its body has come ends the connection.
    let mut client = server.connect();
    client.send("GET /mebibytes/1024 HTTP/1.1\r\nHost: test\r\n\r\n");
    expect_body(&mut client, length);
    let grown = memory(worker, "VmHWM").saturating_sub(before);
    assert!(grown < 32 * 1024, "the worker has grown by {grown} KiB");
}

#[test]
fn a_file_passes_the_worker_by() {
    let server = probe();
    let worker = server.workers()[0];
    let mut client = server.connect();
    let length = 64 << 20;
    let before = written(worker);
    client.send("GET /mebibytes/64 HTTP/1.1\r\nHost: test\r\n\r\n");
    expect_body(&mut client, length);
    let between = written(worker);
    client.send("GET /hole/64 HTTP/1.1\r\nHost: test\r\n\r\n");
    expect_body(&mut client, length);
    // The kernel counts what it moves from file to socket by itself, and not what is sent from memory.
    assert!(
        between - before < MEBIBYTE,
        "{before} bytes, then {between}"
    );
    assert!(
        written(worker) - between >= length,
        "the file was not sent by the kernel"
    );
}

#[test]
fn over_tls_a_file_is_encrypted_with_its_head() {
    let certificates = Certificates::new();
    certificates.issue("site", &["site.test"]);
    let mut command = program();
    command.args(["--workers", "1", "--bind", "https://127.0.0.1:0"]);
    command.args(certificates.arguments("site"));
    let server = Gatewayd::start(command.arg(Artefacts::built().module("probe")));
    let port = server.address.port();
    let (ca, place) = (
        certificates.text("ca.crt"),
        format!("site.test:{port}:127.0.0.1"),
    );
    let known = [
        "--cacert",
        &ca,
        "--resolve",
        &place,
        "--output",
        "/dev/null",
    ];
    for (target, length) in [("/hole/3", 3 << 20), ("/file", 5_000)] {
        let url = format!("https://site.test:{port}{target}");
        let told = ["--write-out", "%{http_code} %{size_download}", &url];
        let outcome = curl(&[&known[..], &told[..]].concat());
        assert_eq!(outcome.stdout, format!("200 {length}"), "{outcome:?}");
    }
}

fn send(client: &mut Client, length: u64) {
    let piece = vec![b'u'; 1 << 20];
    for _ in 0..length / MEBIBYTE {
        client.send(&piece);
    }
}

/// Reads a response's head and so many bytes of body, without keeping them.
fn expect_body(client: &mut Client, length: u64) {
    let first = client.some();
    let head = first.windows(4).position(|end| end == b"\r\n\r\n");
    let begin = || String::from_utf8_lossy(&first[..first.len().min(200)]);
    let head = head.unwrap_or_else(|| panic!("no head in {:?}", begin())) + 4;
    let said = String::from_utf8_lossy(&first[..head]).to_lowercase();
    assert!(
        said.contains(&format!("content-length: {length}\r\n")),
        "{said}"
    );
    let mut left = length - (first.len() - head) as u64;
    while left > 0 {
        let more = client.some();
        assert!(!more.is_empty(), "ended {left} bytes early");
        left -= more.len() as u64;
    }
}

/// Kibibytes that a process has in memory, `VmRSS`, or had at most, `VmHWM`.
fn memory(pid: i32, which: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    number(&status, which)
}

/// Bytes that a process has written to files, or has let the kernel send from them.
fn written(pid: i32) -> u64 {
    let counted = fs::read_to_string(format!("/proc/{pid}/io")).unwrap();
    number(&counted, "wchar")
}

fn number(text: &str, name: &str) -> u64 {
    let mut lines = text.lines();
    let line = lines.find(|line| line.starts_with(name));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number
        .unwrap_or_else(|| panic!("no {name} in {text}"))
        .parse()
        .unwrap()
}

const MEBIBYTE: u64 = 1 << 20;
const GIBIBYTE: u64 = 1 << 30;
