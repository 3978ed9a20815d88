//! The C ABI is for any language: hosts in Python answer as gatewayd does, under every server.

mod hostile;
mod life;
mod manners;
mod traffic;

use std::path::Path;

use gateway_tests::address::Address;
use gateway_tests::artefacts::{Artefacts, compile};
use gateway_tests::client::Client;
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::process::Process;
use gateway_tests::python::{Kind, PythonServer, program};
use gateway_tests::response::{Broken, Response, To};

use manners::Manners;
use traffic::Turn;

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
                kind,
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

/// An answer without what is the server's own.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn of(response: &Response) -> Self {
        let fields = response.fields.iter();
        let fields = fields.map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
        let mut fields: Vec<_> = fields
            .filter(|(name, _)| !OF_THE_SERVER.contains(&name.as_str()))
            .collect();
        // Content-Length is the server's to place.
        fields.sort_by_key(|(name, _)| name == "content-length");
        Self {
            status: response.status,
            fields,
            body: response.body.clone(),
        }
    }

    fn assert_is(mut self, wanted: &Self, kind: Kind, what: &str) {
        let has_length =
            |fields: &[(String, String)]| fields.iter().any(|(name, _)| name == "content-length");
        if !has_length(&wanted.fields) {
            // A length where the application gave none is a way of framing, and it is right:
            // otherwise the response would not have been read.
            self.fields.retain(|(name, _)| name != "content-length");
        }
        let mut fields = wanted.fields.clone();
        if Manners::of(kind).groups_fields {
            for fields in [&mut fields, &mut self.fields] {
                fields.sort_by(|one, other| one.0.cmp(&other.0));
            }
        }
        assert_eq!(
            (self.status, &self.fields),
            (wanted.status, &fields),
            "{what}"
        );
        assert!(
            self.body == wanted.body,
            "{what}: {} and {} bytes",
            self.body.len(),
            wanted.body.len()
        );
    }
}

/// The final response to a request.
fn whole(address: &Address, turn: &Turn) -> Response {
    last(address, turn).unwrap_or_else(|broken| panic!("{}: {broken:?}", turn.name))
}

/// The final response to a request, or how it was broken off.
fn last(address: &Address, turn: &Turn) -> Result<Response, Broken> {
    let mut client = Client::connect(address);
    let mut sender = client.split();
    std::thread::scope(|scope| {
        // Who refuses a request need not read all of it; who streams answers while it reads.
        let _sends = scope.spawn(move || sender.try_send(&turn.bytes));
        loop {
            let to = if turn.is_head() { To::Head } else { To::Other };
            let response = client.read(to)?;
            if response.status >= 200 {
                return Ok(response);
            }
        }
    })
}

fn gatewayd(module: &Path) -> Gatewayd {
    Gatewayd::serve(module, &["--workers", "1"])
}

const OF_THE_SERVER: [&str; 5] = [
    "date",
    "server",
    "connection",
    "keep-alive",
    "transfer-encoding",
];
