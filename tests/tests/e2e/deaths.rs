//! Workers hang, are stopped, run out of memory or die: the log says of what and what they held, and
//! nobody dies because a machine stood still.

use std::fs;
use std::time::{Duration, Instant};

use gateway_tests::artefacts::{self, Artefacts};
use gateway_tests::client::{Client, get, post};
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::until;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

fn probe(arguments: &[&str]) -> Gatewayd {
    Gatewayd::serve(Artefacts::built().module("probe"), arguments)
}

fn send(server: &Gatewayd, target: &str) -> Client {
    let mut client = server.connect();
    client.send(get(target));
    client
}

#[test]
fn a_hang_names_the_request_those_beside_it_and_the_place() {
    let server = probe(&["--workers", "1", "--worker-timeout", "500ms"]);
    let _waits = send(&server, "/sleep/60001?secret=1");
    // Read, since a later one has been answered.
    until("an answer", || server.get("/version").status == 200);
    let _hangs = send(&server, "/block/60002?secret=2");
    server.process.line_with("worker 1 is stuck", 0);
    server.process.line_with("worker 1 was ended by SIGABRT", 0);
    let said = server.process.said();
    for expected in [
        "worker 1 held GET /sleep/60001 (id ",
        "worker 1 was at GET /block/60002 (id ",
        "), whose call did not return",
        "worker 1 was here, innermost first",
        "probe.so(+0x",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(!said.contains("secret"), "{said}");
    assert_eq!(server.get("/version").status, 200);
    assert_eq!(server.stop().0, 0);
}

/// What stands in the log between these two.
fn between<'a>(said: &'a str, before: &str, after: char) -> &'a str {
    let rest = said.split_once(before);
    let (_, rest) = rest.unwrap_or_else(|| panic!("no {before:?}: {said}"));
    rest.split(after).next().unwrap()
}

#[test]
fn the_id_that_an_application_logs_is_the_one_that_is_named() {
    let server = probe(&["--workers", "1", "--worker-timeout", "500ms"]);
    let mut client = send(&server, "/id");
    let first = client.response().text().to_owned();
    client.send(get("/id"));
    let second = client.response().text().to_owned();
    assert_ne!(first, second);
    assert_eq!(first.split('-').next(), second.split('-').next());
    assert_eq!(server.get("/id/1").text(), "true");
    let from = server.process.lines_so_far();
    let _waits = send(&server, "/id/60000");
    server.process.line_with("answering ", from);
    let _hangs = send(&server, "/block-named/60000");
    server.process.line_with("worker 1 was ended by SIGABRT", 0);
    let said = server.process.said();
    let lines: Vec<&str> = said.lines().collect();
    let logged = between(&lines[from..].join("\n"), "answering ", '\n').to_owned();
    assert_eq!(between(&said, "held GET /id/60000 (id ", ')'), logged);
    let logged = between(&said, "blocking the loop for ", '\n');
    assert_eq!(
        between(&said, "was at GET /block-named/60000 (id ", ')'),
        logged
    );
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_call_that_hangs_after_it_has_waited_is_named() {
    let server = probe(&["--workers", "1", "--worker-timeout", "500ms"]);
    let mut hangs = server.connect();
    let request = post("/block-later/60000", b"x");
    let (head, body) = request.split_at(request.len() - 1);
    hangs.send(head);
    // It waits for its body, since a later one has been answered.
    until("an answer", || server.get("/version").status == 200);
    hangs.send(body);
    server
        .process
        .line_with("worker 1 was at POST /block-later/60000 (id ", 0);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_stopped_worker_is_killed_and_what_it_held_is_told() {
    let server = probe(&["--workers", "2", "--worker-timeout", "500ms"]);
    let victim: i32 = server.get("/pid").text().parse().unwrap();
    let mut client = server.connect();
    let _waits = loop {
        client.send(get("/pid"));
        if client.response().text() == victim.to_string() {
            client.send(get("/sleep/60000"));
            break client;
        }
        client = server.connect();
    };
    until("the request to be read", || {
        server.get("/pid").text() == victim.to_string()
    });
    kill(Pid::from_raw(victim), Signal::SIGSTOP).unwrap();
    let line = server.process.line_with(" was ended by SIGKILL", 0);
    assert!(!line.contains("not by this server"), "{line}");
    let said = server.process.said();
    assert!(said.contains(" held GET /sleep/60000 (id "), "{said}");
    assert_eq!(server.get("/version").status, 200);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_crash_names_the_request_and_the_place() {
    let server = probe(&["--workers", "1"]);
    let _aborts = send(&server, "/abort?secret=1");
    server.process.line_with("worker 1 was ended by SIGABRT", 0);
    server
        .process
        .line_with("worker 1 was at GET /abort, whose call", 0);
    assert!(!server.process.said().contains("secret"));

    // An application in C that writes where nothing is.
    let source = fs::read_to_string(artefacts::root().join("examples/hello-c/hello.c")).unwrap();
    let begins = "  gw_ctx *ctx = request->ctx;\n";
    assert!(source.contains(begins));
    let crash =
        "  if (equals(path, \"/crash\")) *(volatile int *)(uintptr_t)request->method_id = 1;\n";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("crash.c");
    fs::write(&file, source.replace(begins, &format!("{begins}{crash}"))).unwrap();
    let app = artefacts::compile(&[file.to_str().unwrap()], &[], folder.path());
    let server = Gatewayd::serve(&app, &["--workers", "1"]);
    let _crashes = send(&server, "/crash");
    server.process.line_with("worker 1 was ended by SIGSEGV", 0);
    let said = server.process.said();
    for expected in ["worker 1 was at GET /crash, whose call", "crash.so(+0x"] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert_eq!(server.get("/").status, 200);
}

#[test]
fn a_kill_from_outside_is_told_with_memory_and_suspicion() {
    let server = probe(&["--workers", "1"]);
    let worker = server.workers()[0];
    kill(Pid::from_raw(worker), Signal::SIGKILL).unwrap();
    let line = server.process.line_with("worker 1 was ended by SIGKILL", 0);
    assert!(
        line.contains("(it held up to ") && line.contains(" MiB; not by this server: possibly"),
        "{line}"
    );
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_server_that_was_stopped_and_continued_kills_no_worker() {
    let server = probe(&["--workers", "2", "--worker-timeout", "2s"]);
    let workers = server.workers();
    let group = Pid::from_raw(server.process.pid());
    killpg(group, Signal::SIGSTOP).unwrap();
    let stopped = Instant::now();
    let mut waits = send(&server, "/version");
    // Longer than the timeout and what follows it.
    until("the pause", || stopped.elapsed() > Duration::from_secs(6));
    killpg(group, Signal::SIGCONT).unwrap();
    assert_eq!(waits.response().status, 200);
    server.process.line_with("the server was held up for", 0);
    let continued = Instant::now();
    until("the time in which a worker would be killed", || {
        assert_eq!(server.get("/version").status, 200);
        continued.elapsed() > Duration::from_secs(5)
    });
    assert_eq!(server.workers(), workers);
    let (code, said) = server.stop();
    assert!(code == 0 && !said.contains("stuck"), "{said}");
}

#[test]
fn what_the_graceful_timeout_drops_is_named_and_idle_connections_are_not_called_requests() {
    let server = probe(&["--workers", "1", "--graceful-timeout", "500ms"]);
    let _waits = send(&server, "/sleep/60000?secret");
    until("an answer", || server.get("/version").status == 200);
    server.process.signal(Signal::SIGTERM);
    let (code, said) = server.process.end();
    assert_eq!(code, 0, "{said}");
    for expected in [
        "worker 1 held GET /sleep/60000 (id ",
        "has not finished its requests",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }

    let server = probe(&["--workers", "1", "--graceful-timeout", "500ms"]);
    let mut idle = send(&server, "/version");
    assert_eq!(idle.response().status, 200);
    server.process.signal(Signal::SIGTERM);
    let (code, said) = server.process.end();
    assert!(code == 0 && !said.contains("WARN"), "{said}");
}
