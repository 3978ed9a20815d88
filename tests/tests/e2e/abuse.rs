//! Clients that dawdle, and applications that lose interest, take nothing from anybody else.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::{get, post};
use gateway_tests::gatewayd::{Gatewayd, program};
use gateway_tests::until;

fn probe(arguments: &[&str]) -> Gatewayd {
    let module = Artefacts::built().module("probe");
    Gatewayd::serve(module, &[&["--workers", "1"], arguments].concat())
}

const UPGRADE: &str = "HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: mirror\r\n\r\n";

#[test]
fn a_head_that_trickles_in_is_given_no_more_time() {
    let server = probe(&["--head-timeout", "500ms"]);
    let mut client = server.connect();
    let mut other = server.connect();
    client.send("GET /version HTTP/1.1\r\nHost: test\r\nX-Slow: ");
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(2_000) {
        client.send("x");
        // One exchange between bytes gives the pace.
        other.send(get("/version"));
        assert_eq!(other.response().status, 200);
    }
    let _late = client.try_send("\r\n\r\n");
    assert_eq!(client.response().status, 408);
    client.expect_end();
}

#[test]
fn a_body_that_is_given_up_while_it_is_waited_for_blocks_nobody() {
    let server = probe(&[]);
    let mut client = server.connect();
    client.send("POST /impatient HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n");
    assert_eq!(client.response().text(), "given up");
    client.send(["hello", &get("/version")].concat());
    assert_eq!(client.response().text(), "unset");
}

#[test]
fn work_that_outlives_its_connection_gives_its_room_back() {
    let server = probe(&["--max-connections", "1"]);
    let mut first = server.connect();
    first.send(get("/after/1000"));
    assert_eq!(first.response().text(), "answered");
    drop(first);
    // This one comes while there is no room and nothing but that work could make some.
    assert_eq!(server.get("/count").text(), "1");
}

#[test]
fn what_was_read_ahead_may_exceed_the_longest_head() {
    let server = probe(&["--limit-request-head", "1KiB"]);
    let mut client = server.connect();
    client.send("POST /spawned HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n\r\n");
    // The body is waited for once the server has answered another.
    assert_eq!(server.get("/version").status, 200);
    let count = 3_000;
    let mut writer = client.split();
    let sending = thread::spawn(move || {
        writer.send(["x", &get("/version").repeat(count)].concat());
    });
    assert_eq!(client.response().text(), "1");
    for _ in 0..count {
        assert_eq!(client.response().text(), "unset");
    }
    sending.join().unwrap();
}

#[test]
fn a_flood_of_requests_leaves_others_their_turn() {
    let server = probe(&[]);
    let mut client = server.connect();
    let mut writer = client.split();
    let batch = get("/version").repeat(1_000);
    let sending = thread::spawn(move || while writer.try_send(&batch).is_ok() {});
    let mut reader = client.split();
    let reading = thread::spawn(move || while !reader.some().is_empty() {});
    for _ in 0..20 {
        assert_eq!(server.get("/version").text(), "unset");
    }
    client.finish();
    sending.join().unwrap();
    reading.join().unwrap();
}

#[test]
fn the_last_words_of_an_upgraded_connection_are_sent() {
    let server = probe(&[]);
    let mut client = server.connect();
    client.send(format!("GET /farewell {UPGRADE}"));
    assert_eq!(client.response().status, 101);
    let mut came = Vec::new();
    while came.len() < 7 {
        let more = client.some();
        assert!(!more.is_empty(), "ended after {came:?}");
        came.extend_from_slice(&more);
    }
    assert_eq!(came, b"goodbye");
    client.expect_end();
}

#[test]
fn an_upgraded_client_that_takes_nothing_is_given_up() {
    let server = probe(&["--write-timeout", "300ms"]);
    let mut client = server.connect();
    client.send(format!("GET /flood {UPGRADE}"));
    assert_eq!(client.response().status, 101);
    let mut other = server.connect();
    until("end of the flood", || {
        other.send(get("/count"));
        other.response().text() == "1"
    });
}

#[test]
fn a_lost_client_is_noticed_although_its_body_is_not_read() {
    let server = probe(&[]);
    let mut client = server.connect();
    client.send(get("/version"));
    client.send("POST /cancelled HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhalf");
    let mut other = server.connect();
    other.send(get("/count"));
    assert_eq!(other.response().text(), "0");
    // With an answer in it that was not read, the connection is reset.
    drop(client);
    until("trace of the disconnect", || {
        other.send(get("/count"));
        other.response().text() == "1"
    });
}

#[test]
fn idle_connections_hold_no_memory() {
    let module = Artefacts::built().module("probe");
    let server = Gatewayd::serve(module, &["--workers", "0"]);
    let resident = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.process.pid()));
        let status = status.unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
        kilobytes.unwrap().parse::<u64>().unwrap()
    };
    let upload = |count: usize| -> Vec<_> {
        let clients = (0..count).map(|_| {
            let mut client = server.connect();
            client.send(post("/spawned", &[b'u'; 300_000]));
            assert_eq!(client.response().text(), "300000");
            client
        });
        clients.collect()
    };
    let _warm = upload(10);
    let before = resident();
    let _clients = upload(200);
    let grown = resident().saturating_sub(before);
    assert!(grown < 200 * 16, "200 idle connections hold {grown} KiB");
}

#[test]
fn too_few_descriptors_delay_clients_and_lose_none() {
    let gatewayd = program();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "ulimit -n 40; exec \"$0\" \"$@\""])
        .arg(gatewayd.get_program())
        .args(["--bind", "127.0.0.1:0", "--workers", "0"])
        .args(["--max-connections", "1000"])
        .arg(Artefacts::built().module("probe"))
        .env_remove("RUST_LOG")
        .env("NO_COLOR", "1");
    let server = Gatewayd::start(&mut shell);
    for _ in 0..2 {
        let mut clients: Vec<_> = (0..60).map(|_| server.connect()).collect();
        for client in &mut clients {
            client.send("GET /version HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        }
        for client in &mut clients {
            assert_eq!(client.response().text(), "unset");
        }
    }
}
