//! Whoever wants more than there is waits, or is told so at once, and takes nothing from others.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::{Client, get};
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::process::limit;
use gateway_tests::response::{Broken, Framing, To};
use gateway_tests::until;

fn probe(arguments: &[&str]) -> Gatewayd {
    let module = Artefacts::built().module("probe");
    Gatewayd::serve(module, &[&["--workers", "1"], arguments].concat())
}

/// A connection that has had an answer: it has been accepted.
fn accepted(server: &Gatewayd) -> (Client, i32) {
    let mut client = server.connect();
    client.send(get("/pid"));
    let pid = client.response().text().parse().unwrap();
    (client, pid)
}

/// A request whose answer the test leaves unread, and another: with it the connection is reset when the
/// client is dropped, which is noticed at once.
fn unread_then(target: &str) -> String {
    [get("/version"), get(target)].concat()
}

#[test]
fn requests_beyond_those_in_flight_wait_and_those_beyond_the_queue_are_503() {
    let server = probe(&["--max-requests-in-flight", "1", "--queue", "1"]);
    let [mut busy, mut waiting, mut third] = [(); 3].map(|()| accepted(&server).0);
    busy.send(unread_then("/cancelled"));
    waiting.send(get("/version"));
    third.send(get("/version"));
    let refused = third.response();
    assert_eq!(refused.status, 503);
    assert_eq!(refused.field("retry-after"), Some("1"));
    assert!(!refused.closes());
    // Its place is free once the client has gone.
    drop(busy);
    assert_eq!(waiting.response().text(), "unset");
    third.send(get("/version"));
    assert_eq!(third.response().text(), "unset");
}

#[test]
fn the_time_in_the_queue_counts_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let server = probe(&[
        "--max-requests-in-flight",
        "1",
        "--request-timeout",
        "3s",
        "--access-log",
        log.to_str().unwrap(),
        "--access-log-format",
        "%U %s %Q",
    ]);
    let mut clients = [(); 4].map(|()| accepted(&server).0);
    for client in &mut clients {
        client.send(get("/cancelled"));
    }
    let statuses = clients.map(|mut client| client.response().status);
    assert_eq!(statuses[0], 504);
    // Never begun, or begun when its time was over.
    assert!(
        statuses[1..]
            .iter()
            .all(|status| [503, 504].contains(status))
    );
    assert_eq!(server.get("/version").status, 200);
    assert_eq!(server.stop().0, 0);
    let said = fs::read_to_string(log).unwrap();
    let late = said
        .lines()
        .filter_map(|line| line.strip_prefix("/cancelled 50"));
    let waited = late.map(|line| line.split_once(' ').unwrap().1 != "0.000000");
    let mut waited: Vec<bool> = waited.collect();
    waited.sort_unstable();
    assert_eq!(waited, [false, true, true, true], "{said}");
}

#[test]
fn who_has_waited_for_a_place_and_is_answered_by_somebody_else_gives_it_back() {
    let folder = tempfile::tempdir().unwrap();
    let mount = format!("--static=/={}", folder.path().display());
    fs::write(folder.path().join("here"), "another").unwrap();
    let server = probe(&["--max-requests-in-flight", "1", &mount]);
    let [mut busy, mut waiting, mut third] = [(); 3].map(|()| accepted(&server).0);
    busy.send(unread_then("/cancelled"));
    waiting.send(get("/later"));
    // It has been read when what comes behind it is.
    third.send(get("/here"));
    assert_eq!(third.response().text(), "another");
    fs::write(folder.path().join("later"), "a file").unwrap();
    drop(busy);
    assert_eq!(waiting.response().text(), "a file");
    third.send(get("/version"));
    assert_eq!(third.response().text(), "unset");
}

#[test]
fn a_worker_without_room_leaves_new_connections_to_others() {
    let module = Artefacts::built().module("probe");
    let limits = ["--max-requests-in-flight", "1", "--queue", "0"];
    let server = Gatewayd::serve(module, &[&["--workers", "2"], &limits[..]].concat());
    let (mut busy, full) = accepted(&server);
    let mut tries = (0..1000).map(|_| accepted(&server));
    let (mut other, _) = tries.find(|(_, pid)| *pid == full).unwrap();
    busy.send(unread_then("/cancelled"));
    until("refusal", || {
        other.send(get("/version"));
        other.response().status == 503
    });
    for _ in 0..20 {
        assert_ne!(accepted(&server).1, full);
    }
    drop(busy);
    until("room", || {
        other.send(get("/version"));
        other.response().status == 200
    });
    until("a new connection", || accepted(&server).1 == full);
}

#[test]
fn kept_connections_spread_evenly() {
    let module = Artefacts::built().module("probe");
    let server = Gatewayd::serve(module, &["--workers", "4"]);
    let mut clients = Vec::new();
    let mut counts = BTreeMap::<i32, usize>::new();
    // Whatever chance does at first, those with fewer catch up.
    let even = (0..1_000).any(|_| {
        let (client, pid) = accepted(&server);
        clients.push(client);
        *counts.entry(pid).or_default() += 1;
        let most = counts.values().max().copied().unwrap_or_default();
        clients.len() >= 80 && counts.len() == 4 && most * 4 * 2 <= clients.len() * 3
    });
    assert!(even, "{counts:?}");
}

#[test]
fn without_descriptors_accepting_rests_and_recovers() {
    let server = probe(&[]);
    let worker = server.workers()[0];
    let (mut kept, _) = accepted(&server);
    let leaving = accepted(&server).0;
    let held = fs::read_dir(format!("/proc/{worker}/fd")).unwrap().count();
    limit(worker, &format!("--nofile={held}:"));
    let mut waiting: Vec<_> = (0..10).map(|_| server.connect()).collect();
    for client in &mut waiting {
        client.send(get("/version"));
    }
    server.process.line_with("cannot accept connections", 0);
    // Who is there already is served, and the log is told once.
    for _ in 0..100 {
        kept.send(get("/version"));
        assert_eq!(kept.response().text(), "unset");
    }
    // One that leaves makes room for one.
    let mut next = waiting.remove(0);
    drop(leaving);
    assert_eq!(next.response().text(), "unset");
    let said = server.process.said();
    assert!(
        said.matches("cannot accept connections").count() <= 2,
        "{said}"
    );
    limit(worker, "--nofile=1000:");
    for client in &mut waiting {
        assert_eq!(client.response().text(), "unset");
    }
    server.process.line_with("can be accepted again", 0);
}

#[test]
fn accepting_that_rests_takes_no_processor_time() {
    let server = probe(&[]);
    let worker = server.workers()[0];
    let (mut kept, _) = accepted(&server);
    let held = fs::read_dir(format!("/proc/{worker}/fd")).unwrap().count();
    limit(worker, &format!("--nofile={held}:"));
    let _waiting = server.connect();
    server.process.line_with("cannot accept connections", 0);
    let spent = || {
        let stat = fs::read_to_string(format!("/proc/{worker}/schedstat")).unwrap();
        Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
    };
    let before = spent();
    kept.send(get("/sleep/1000"));
    assert_eq!(kept.response().text(), "slept");
    let rested = spent() - before;
    assert!(
        rested < Duration::from_millis(200),
        "a second took {rested:?}"
    );
}

/// Changes how many files a process may open: `SOFT:`.
#[test]
fn the_answer_to_the_last_request_of_a_connection_closes_it() {
    let server = probe(&["--keep-alive-requests", "3"]);
    let mut client = server.connect();
    client.send(get("/version").repeat(5));
    let closes = [(); 3].map(|()| client.response().closes());
    assert_eq!(closes, [false, false, true]);
    client.expect_end();
}

#[test]
fn work_left_behind_holds_up_its_own_connection_alone() {
    let server = probe(&[]);
    let mut client = server.connect();
    client.send(get("/after/500").repeat(17));
    for _ in 0..16 {
        assert_eq!(client.response().text(), "answered");
    }
    assert_eq!(server.get("/version").text(), "unset");
    assert_eq!(client.response().text(), "answered");
    // One of the sixteen has made room for it.
    assert_ne!(server.get("/count").text(), "0");
}

#[test]
fn an_answer_of_unknown_length_that_breaks_off_cannot_pass_for_the_whole() {
    let server = probe(&[]);
    let whole = server.fetch("GET /chunks/3 HTTP/1.0\r\n\r\n");
    assert_eq!(
        (whole.framing, whole.body.len()),
        (Framing::UntilClose, 3000)
    );
    let mut client = server.connect();
    client.send("GET /panic-in-body HTTP/1.0\r\n\r\n");
    match client.read(To::Other) {
        Err(Broken::Io(_)) => {}
        other => panic!("expected a reset, found {other:?}"),
    }
}
