//! What every host of applications is held to, in Rust and in Python: requests, answers and rules are gatewayd's.

use std::path::{Path, PathBuf};

use gateway_tests::artefacts::{self, Artefacts, compile};
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::hosts::{self, Host};
use gateway_tests::matrix::manners::Manners;
use gateway_tests::matrix::tour::for_tour;
use gateway_tests::matrix::traffic::{self, Turn};
use gateway_tests::matrix::{Answer, last, whole};
use gateway_tests::python;
use gateway_tests::response::Broken;
use tempfile::TempDir;

/// A host of applications.
pub(super) trait Kind: Copy {
    /// Serves a module.
    fn serve(self, module: &Path, environment: &[(&str, &str)]) -> Host;

    /// What it loses of requests.
    fn manners(self) -> Manners;
}

impl Kind for hosts::Kind {
    fn serve(self, module: &Path, environment: &[(&str, &str)]) -> Host {
        self.serve(module, environment)
    }

    fn manners(self) -> Manners {
        Manners::MAPPED
    }
}

impl Kind for python::Kind {
    fn serve(self, module: &Path, environment: &[(&str, &str)]) -> Host {
        self.serve(module, environment)
    }

    fn manners(self) -> Manners {
        Manners::of(self)
    }
}

/// The tests that each of some kinds passes, in a module of its name.
macro_rules! each {
    ({ $($name:ident: $kind:expr,)+ } $tests:tt) => {
        $($crate::alike::each!($name, $kind, $tests);)+
    };
    ($name:ident, $kind:expr, { $($test:ident: $body:path,)+ }) => {
        mod $name {
            use super::*;

            $(#[test]
            fn $test() {
                $body($kind);
            })+
        }
    };
}
pub(super) use each;

pub(super) fn requests_are_told(kind: impl Kind) {
    let echo = Artefacts::built().module("echo");
    let (gatewayd, host) = (gatewayd(echo), kind.serve(echo, &[]));
    let manners = kind.manners();
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
            // A way to refuse a request line.
            Err(Broken::Closed) => {}
            Ok(refusal) if (400..500).contains(&refusal.status) => {}
            refusal => panic!("{}: {refusal:?}", turn.name),
        }
    }
}

pub(super) fn answers_are_as_gatewayds(kind: impl Kind) {
    let folder = tempfile::tempdir().unwrap();
    let small = || {
        let mut turns = vec![Turn::get("/"), Turn::get("/missing"), Turn::get("/?x=1")];
        turns.push(Turn::new("HEAD", "/", "", b""));
        turns.push(Turn::sized("POST", "/", b"not read"));
        turns
    };
    let mut streamed = traffic::bodies("/");
    streamed.push(Turn::get("/"));
    streamed.push(Turn::new("HEAD", "/", "", b""));
    let hello_c = compile(&["examples/hello-c/hello.c"], &[], folder.path());
    let stream_cpp = compile(&["examples/stream-cpp/stream.cpp"], &[], folder.path());
    let built = Artefacts::built();
    for (module, turns) in [
        (built.module("hello"), small()),
        (&hello_c, small()),
        (&stream_cpp, streamed),
        (built.module("probe"), traffic::for_probe()),
    ] {
        let (gatewayd, host) = (gatewayd(module), kind.serve(module, &[]));
        for turn in turns {
            let wanted = Answer::of(&whole(&gatewayd.address, &turn));
            let found = Answer::of(&whole(&host.address, &turn));
            let what = format!("{} of {}", turn.name, module.display());
            found.assert_is(&wanted, &kind.manners(), &what);
        }
    }
}

pub(super) fn every_rule_is_kept(kind: impl Kind) {
    let folder = tempfile::tempdir().unwrap();
    let tour = compile(&["examples/tour-c/tour.c"], &[], folder.path());
    let (echo, probe) = (
        Artefacts::built().module("echo"),
        Artefacts::built().module("probe"),
    );
    // An application that panics while it is dropped leaks what it held, as it should.
    let is_tame = |turn: &Turn| !turn.name.contains("panic-in-drop");
    for (module, turns) in [
        (echo, traffic::for_echo()),
        (probe, traffic::for_probe()),
        (&tour, for_tour()),
    ] {
        let host = watched(kind, module);
        for turn in turns.into_iter().filter(is_tame) {
            let response = whole(&host.address, &turn);
            assert!(response.status > 100, "{}", turn.name);
        }
        let said = host.words();
        assert_eq!(breaches(&said), [""; 0], "{}", module.display());
    }
    // Whoever breaks one is told of.
    let (_folder, hostile) = hostile();
    let host = watched(kind, &hostile);
    assert_eq!(host.get("/twice").text(), "first");
    let said = host.words();
    let breach = "[RES-02] a second response";
    assert!(
        breaches(&said).iter().any(|line| line.contains(breach)),
        "{said}"
    );
}

/// Serves an application behind the module that watches it and the host.
fn watched(kind: impl Kind, module: &Path) -> Host {
    let module = module.to_str().expect("a path that is text");
    let watch = Artefacts::built().module("watch");
    kind.serve(watch, &[("GATEWAY_WATCHED", module)])
}

/// The rules that were broken, but for one: how long a poll takes is the machine's affair here.
pub(super) fn breaches(said: &str) -> Vec<&str> {
    let is_breach = |line: &&str| line.contains("ERROR gateway: [") && !line.contains("[CALL-05]");
    said.lines().filter(is_breach).collect()
}

/// The application that breaks rules, built in a folder.
pub(super) fn hostile() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let module = artefacts::hostile(&[], &[], folder.path());
    (folder, module)
}

pub(super) fn gatewayd(module: &Path) -> Gatewayd {
    Gatewayd::serve(module, &["--workers", "1"])
}
