//! The C ABI is for any language: hosts in Python answer as gatewayd does, under every server.

mod hostile;
mod life;

use std::path::Path;

use gateway_tests::artefacts::{Artefacts, compile};
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::matrix::manners::Manners;
use gateway_tests::matrix::traffic::{self, Turn};
use gateway_tests::matrix::{Answer, last, whole};
use gateway_tests::process::Process;
use gateway_tests::python::{Kind, PythonServer, program};
use gateway_tests::response::Broken;

/// The tests that every server passes, in a module of its name.
macro_rules! under {
    ($name:ident, $kind:expr) => {
        mod $name {
            use super::*;

            #[test]
            fn answers_are_as_gatewayds() {
                super::answers_are_as_gatewayds($kind);
            }

            #[test]
            fn requests_are_told_as_by_gatewayd_but_for_documented_limits() {
                super::requests_are_told($kind);
            }

            #[test]
            fn a_hostile_application_is_kept_to_the_rules() {
                hostile::is_kept_to_the_rules($kind);
            }

            #[test]
            fn the_application_is_started_and_ended() {
                life::the_application_is_started_and_ended($kind);
            }
        }
    };
}

under!(gunicorn, Kind::Gunicorn);
under!(gunicorn_threads, Kind::GunicornThreads);
under!(uwsgi, Kind::Uwsgi);
under!(granian, Kind::Granian);
under!(granian_asgi, Kind::GranianAsgi);
under!(uvicorn, Kind::Uvicorn);

#[test]
fn the_packages_own_tests_pass() {
    let tests = gateway_tests::artefacts::root().join("adapters/python/tests");
    let tests = tests.display().to_string();
    let mut pytest = program(
        "python",
        &[&["-m", "pytest", "-q", "-p", "no:cacheprovider", &tests]],
    );
    let (_folder, hostile) = hostile::module();
    pytest
        .env("ECHO", Artefacts::built().module("echo"))
        .env("HOSTILE", hostile)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let (code, said) = Process::start(&mut pytest).end();
    assert_eq!(code, 0, "{said}");
}

fn requests_are_told(kind: Kind) {
    let echo = Artefacts::built().module("echo");
    let (gatewayd, server) = (gatewayd(echo), PythonServer::serve(kind, echo, &[]));
    let manners = Manners::of(kind);
    for turn in traffic::for_echo() {
        let wanted = whole(&gatewayd.address, &turn);
        let found = whole(&server.address, &turn);
        assert_eq!(wanted.status, 200, "{}", turn.name);
        assert_eq!(found.status, 200, "{}: {found:?}", turn.name);
        if turn.is_head() {
            continue;
        }
        let wanted = manners.sorted(&manners.of_echo(&wanted.json()));
        assert_eq!(manners.sorted(&found.json()), wanted, "{}", turn.name);
    }
    for turn in traffic::refused() {
        let refusal = last(&server.address, &turn);
        let refusal = match refusal {
            // uWSGI's way to refuse a request line.
            Err(Broken::Closed) => continue,
            refusal => refusal.unwrap_or_else(|broken| panic!("{}: {broken:?}", turn.name)),
        };
        assert!(
            (400..500).contains(&refusal.status),
            "{}: {refusal:?}",
            turn.name
        );
    }
}

fn answers_are_as_gatewayds(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let small = || {
        let mut turns = vec![Turn::get("/"), Turn::get("/missing"), Turn::get("/?x=1")];
        turns.push(Turn::new("HEAD", "/", "", b""));
        turns.push(Turn::sized("POST", "/", b"not read"));
        turns
    };
    for (module, turns) in [
        (Artefacts::built().module("hello").to_owned(), small()),
        (
            compile(&["examples/hello-c/hello.c"], &[], folder.path()),
            small(),
        ),
        (
            compile(&["examples/stream-cpp/stream.cpp"], &[], folder.path()),
            streamed(),
        ),
        (
            Artefacts::built().module("probe").to_owned(),
            traffic::for_probe(),
        ),
    ] {
        let (gatewayd, server) = (gatewayd(&module), PythonServer::serve(kind, &module, &[]));
        for turn in turns {
            let wanted = Answer::of(&whole(&gatewayd.address, &turn));
            let found = Answer::of(&whole(&server.address, &turn));
            found.assert_is(
                &wanted,
                &Manners::of(kind),
                &format!("{} of {}", turn.name, module.display()),
            );
        }
    }
}

fn streamed() -> Vec<Turn> {
    let mut turns = traffic::bodies("/");
    turns.push(Turn::get("/"));
    turns.push(Turn::new("HEAD", "/", "", b""));
    turns
}

fn gatewayd(module: &Path) -> Gatewayd {
    Gatewayd::serve(module, &["--workers", "1"])
}
