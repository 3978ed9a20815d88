//! A server that is told to stop answers everybody who got in, says so beforehand if asked, and ends.

use std::time::{Duration, Instant};

use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::{Client, get};
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::load::{Connections, Load, Plan};
use gateway_tests::{END, until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn probe(arguments: &[&str]) -> Gatewayd {
    Gatewayd::serve(Artefacts::built().module("probe"), arguments)
}

fn fresh_load(server: &Gatewayd) -> Load {
    Load::start(&Plan {
        clients: 16,
        connections: Connections::Fresh,
        ..Plan::new(&server.address, get("/version"))
    })
}

#[test]
fn whoever_is_connected_when_term_comes_is_answered() {
    for workers in ["0", "2", "2", "2"] {
        let server = probe(&["--workers", workers]);
        let load = fresh_load(&server);
        load.more(100);
        // Connections pile up in the backlog while nobody accepts.
        let workers = server.workers();
        for pid in &workers {
            kill(Pid::from_raw(*pid), Signal::SIGSTOP).unwrap();
        }
        let mut waiting: Vec<Client> = (0..100).map(|_| server.connect()).collect();
        server.process.signal(Signal::SIGTERM);
        server.process.line_with("finishing what has begun", 0);
        for pid in &workers {
            kill(Pid::from_raw(*pid), Signal::SIGCONT).unwrap();
        }
        for client in &mut waiting {
            client.send(get("/version"));
            assert_eq!(client.response().status, 200);
        }
        let (code, said) = server.process.end();
        assert_eq!(code, 0, "{said}");
        let tally = load.stop();
        let broken: Vec<_> = tally
            .failures
            .iter()
            .filter(|failure| !failure.starts_with("connect"))
            .collect();
        assert!(broken.is_empty(), "{} broken: {:?}", broken.len(), broken);
    }
}

#[test]
fn during_the_drain_delay_everybody_is_served_and_the_application_knows() {
    for workers in ["0", "1"] {
        let server = probe(&["--workers", workers, "--drain-delay", "2s"]);
        let mut kept = server.connect();
        kept.send(get("/version"));
        kept.response();
        let mut early = server.connect();
        early.send(get("/draining"));
        let before = Instant::now();
        server.process.signal(Signal::SIGTERM);
        server
            .process
            .line_with("applications know that the end is near", 0);
        assert_eq!(early.response().text(), "draining");
        // A request that comes later knows as well, and connections are kept as before.
        for target in ["/draining", "/version"] {
            assert_eq!(server.get(target).status, 200);
            kept.send(get(target));
            let answer = kept.response();
            assert!(answer.status == 200 && !answer.closes());
        }
        server.process.line_with("finishing what has begun", 0);
        assert!(before.elapsed() >= Duration::from_secs(2));
        assert_eq!(server.process.end().0, 0);
    }
}

#[test]
fn a_second_signal_ends_the_delay_and_the_server() {
    for workers in ["0", "1"] {
        let server = probe(&["--workers", workers, "--drain-delay", "1h"]);
        server.process.signal(Signal::SIGTERM);
        server.process.line_with("serving for another 3600 s", 0);
        let before = Instant::now();
        server.process.signal(Signal::SIGTERM);
        let (code, said) = server.process.end();
        assert_eq!(code, 0, "{said}");
        assert!(before.elapsed() < END, "{said}");
    }
}

#[test]
fn a_graceful_timeout_of_zero_drops_what_runs_without_a_warning() {
    for workers in ["0", "1"] {
        let server = probe(&["--workers", workers, "--graceful-timeout", "0s"]);
        let mut client = server.connect();
        client.send(get("/sleep/60000"));
        until("an idle answer", || server.get("/version").status == 200);
        server.process.signal(Signal::SIGTERM);
        let (code, said) = server.process.end();
        assert_eq!(code, 0, "{said}");
        assert!(!said.contains("WARN"), "{said}");
    }
}
