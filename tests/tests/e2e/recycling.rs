//! Workers are replaced at their limits under load, a few at a time, and nobody notices.

use std::time::Duration;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::{get, post};
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::load::{Connections, Load, Plan};
use nix::sys::signal::Signal;

fn probe(arguments: &[&str]) -> Gatewayd {
    Gatewayd::serve(Artefacts::built().module("probe"), arguments)
}

fn load(server: &Gatewayd, request: Vec<u8>, connections: Connections) -> Load {
    Load::start(&Plan {
        clients: 4,
        pace: Duration::from_millis(8),
        connections,
        ..Plan::new(&server.address, request)
    })
}

#[test]
fn recycling_every_200_requests_under_load_loses_no_request() {
    let server = probe(&["--workers", "2", "--max-requests", "200"]);
    let before = server.workers();
    let loads = [
        load(&server, get("/version").into_bytes(), Connections::Kept),
        load(&server, post("/mirror", b"body"), Connections::Fresh),
    ];
    // Twice around, and once more during a reload.
    server.process.line_with("worker 5 has answered", 0);
    server.process.signal(Signal::SIGHUP);
    server.process.line_with("all workers run generation 2", 0);
    for load in loads {
        load.more(500);
        load.stop().expect_no_failure();
    }
    assert!(server.workers().iter().all(|pid| !before.contains(pid)));
    let (code, said) = server.stop();
    assert!(code == 0 && !said.contains("WARN"), "{said}");
}

#[test]
fn an_old_worker_is_replaced_and_serves_until_then() {
    let server = probe(&["--workers", "1", "--max-age", "1s", "--log-level", "debug"]);
    let load = load(&server, get("/version").into_bytes(), Connections::Kept);
    server.process.line_with("s old and will be replaced", 0);
    server.process.line_with("worker 2 is ready", 0);
    server.process.line_with("worker 1 is done", 0);
    load.stop().expect_no_failure();
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_worker_that_holds_too_much_memory_is_replaced_and_its_hunger_told() {
    let server = probe(&["--workers", "1", "--max-rss", "1MiB"]);
    server.process.line_with("MiB and will be replaced", 0);
    server
        .process
        .line_with("came to --max-rss right after its start", 0);
    assert_eq!(server.get("/version").status, 200);
    assert_eq!(server.stop().0, 0);
}
