//! One application under the servers of the Rust world: each answers as gatewayd does.

mod axum_app;
mod hosting;
mod lambda;
mod swap;
mod tower;

use std::path::Path;

use gateway_tests::artefacts::{Artefacts, compile};
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::hosts::{Host, Kind};
use gateway_tests::matrix::manners::Manners;
use gateway_tests::matrix::traffic::{self, Turn};
use gateway_tests::matrix::{Answer, last, whole};
use gateway_tests::response::Broken;

/// The tests that every server passes, in a module of its name.
macro_rules! under {
    ($name:ident, $kind:expr) => {
        mod $name {
            use super::*;

            #[test]
            fn requests_are_told_as_by_gatewayd() {
                super::requests_are_told($kind);
            }

            #[test]
            fn answers_are_as_gatewayds() {
                super::answers_are_as_gatewayds($kind);
            }

            #[test]
            fn every_rule_is_kept_under_the_lint() {
                super::every_rule_is_kept($kind);
            }

            #[test]
            fn calls_end_as_their_clients_do() {
                hosting::calls_end_as_their_clients_do($kind);
            }

            #[test]
            fn bodies_wait_for_their_readers() {
                hosting::bodies_wait_for_their_readers($kind);
            }

            #[test]
            fn a_stop_drains_and_waits() {
                hosting::a_stop_drains_and_waits($kind);
            }
        }
    };
}

under!(hyper, Kind::Hyper);
under!(axum, Kind::Axum);
under!(actix, Kind::Actix);

fn requests_are_told(kind: Kind) {
    let echo = Artefacts::built().module("echo");
    let (gatewayd, host) = (gatewayd(echo), Host::serve(kind, echo, &[]));
    let manners = Manners::MAPPED;
    for turn in traffic::for_echo() {
        let wanted = whole(&gatewayd.address, &turn);
        let found = whole(&host.address, &turn);
        assert_eq!(wanted.status, 200, "{}", turn.name);
        assert_eq!(found.status, 200, "{}: {found:?}", turn.name);
        if turn.is_head() {
            continue;
        }
        let wanted = manners.sorted(&manners.of_echo(&wanted.json()));
        assert_eq!(manners.sorted(&found.json()), wanted, "{}", turn.name);
    }
    for turn in traffic::refused() {
        match last(&host.address, &turn) {
            Err(Broken::Closed) => {}
            Ok(refusal) if (400..500).contains(&refusal.status) => {}
            refusal => panic!("{}: {refusal:?}", turn.name),
        }
    }
}

fn answers_are_as_gatewayds(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let mut small = vec![Turn::get("/"), Turn::get("/missing"), Turn::get("/?x=1")];
    small.push(Turn::new("HEAD", "/", "", b""));
    small.push(Turn::sized("POST", "/", b"not read"));
    let mut streamed = traffic::bodies("/");
    streamed.push(Turn::get("/"));
    streamed.push(Turn::new("HEAD", "/", "", b""));
    let hello_c = compile(&["examples/hello-c/hello.c"], &[], folder.path());
    let stream_cpp = compile(&["examples/stream-cpp/stream.cpp"], &[], folder.path());
    for (module, turns) in [
        (hello_c.as_path(), small),
        (&stream_cpp, streamed),
        (Artefacts::built().module("probe"), traffic::for_probe()),
    ] {
        let (gatewayd, host) = (gatewayd(module), Host::serve(kind, module, &[]));
        for turn in turns {
            let wanted = Answer::of(&whole(&gatewayd.address, &turn));
            let found = Answer::of(&whole(&host.address, &turn));
            let what = format!("{} of {}", turn.name, module.display());
            found.assert_is(&wanted, &Manners::MAPPED, &what);
        }
    }
}

fn every_rule_is_kept(kind: Kind) {
    let (echo, probe) = (
        Artefacts::built().module("echo"),
        Artefacts::built().module("probe"),
    );
    // An application that panics while it is dropped leaks what it held, as it should.
    let is_tame = |turn: &Turn| !turn.name.contains("panic-in-drop");
    for (module, turns) in [(echo, traffic::for_echo()), (probe, traffic::for_probe())] {
        let host = Host::serve(kind, module, &["--lint"]);
        for turn in turns.into_iter().filter(is_tame) {
            let response = whole(&host.address, &turn);
            assert!(response.status > 100, "{}", turn.name);
        }
        let (code, said) = host.stop();
        assert_eq!(code, 0, "{said}");
        // How long a poll takes is the machine's affair here.
        let is_breach =
            |line: &&str| line.contains("ERROR gateway: [") && !line.contains("[CALL-05]");
        let breaches: Vec<&str> = said.lines().filter(is_breach).collect();
        assert_eq!(breaches, [""; 0], "{}", module.display());
    }
}

fn gatewayd(module: &Path) -> Gatewayd {
    Gatewayd::serve(module, &["--workers", "1"])
}
