//! A WebSocket keeps to RFC 6455 whatever the client sends, and whatever carries it.

mod broken;
pub(crate) mod carrier;
mod case;
mod ends;
pub(crate) mod http2;
mod messages;
mod text;
mod tls;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::certificates::Certificates;
use gateway_tests::gatewayd::{Gatewayd, program};
use gateway_tests::hosts::Kind;
use gateway_tests::nginx::Nginx;
use gateway_tests::websocket::{Frame, Sent, opcode};

use carrier::{Carrier, Wire};
use case::{Case, Expected, Step};

fn cases() -> Vec<Case> {
    [
        messages::cases(),
        text::cases(),
        broken::cases(),
        ends::cases(),
    ]
    .concat()
}

fn echo() -> Gatewayd {
    super::echo(&["--workers", "1"])
}

#[test]
fn there_are_more_than_two_hundred_cases_of_different_names() {
    let cases = cases();
    let mut names = BTreeSet::new();
    for case in &cases {
        assert!(
            names.insert(&case.name),
            "two cases are named {}",
            case.name
        );
    }
    assert!(cases.len() > 200, "{} cases", cases.len());
}

#[test]
fn every_case_over_http_1() {
    let server = echo();
    all(&Carrier::http1(&server.address));
    assert_eq!(server.stop().0, 0);
}

#[test]
fn every_case_byte_by_byte() {
    let server = echo();
    all(&Carrier::dribbling(&server.address));
}

#[test]
fn every_case_over_tls() {
    let certificates = Certificates::new();
    certificates.issue("site", &["site.test"]);
    let mut command = program();
    command.args(["--workers", "1", "--bind", "https://127.0.0.1:0"]);
    command.args(certificates.arguments("site"));
    let server = Gatewayd::start(command.arg(Artefacts::built().module("websocket-echo")));
    all(&tls::carrier(&server.address, &certificates));
    assert_eq!(server.stop().0, 0);
}

#[test]
fn every_case_in_a_stream_of_http_2() {
    let server = echo();
    all(&http2::carrier(&server.address, "/echo"));
    assert_eq!(server.stop().0, 0);
}

#[test]
fn every_case_under_hyper_and_axum() {
    let echo = Artefacts::built().module("websocket-echo");
    for kind in [Kind::Hyper, Kind::Axum] {
        let host = kind.serve(echo, &[]);
        all(&Carrier::http1(&host.address));
        all(&http2::carrier(&host.address, "/echo"));
        let (code, said) = host.stop();
        assert_eq!(code, 0, "{said}");
    }
}

#[test]
fn every_case_through_nginx() {
    let folder = tempfile::tempdir().unwrap();
    let server = echo();
    let nginx = Nginx::start(&server.address, folder.path());
    all(&Carrier::proxy(&nginx.address));
}

/// Tells of all cases that fail, not of the first.
fn all(carrier: &Carrier) {
    let mut failures = String::new();
    let mut failed = 0;
    let cases = cases();
    for case in cases.iter().filter(|case| case.passes || !carrier.is_proxy) {
        if let Err(why) = run(case, carrier.open().as_mut()) {
            failed += 1;
            let _infallible = writeln!(failures, "{}: {why}", case.name);
        }
    }
    let told = carrier.name;
    assert_eq!(
        failed,
        0,
        "of {} cases over {told} failed:\n{failures}",
        cases.len()
    );
}

fn run(case: &Case, wire: &mut dyn Wire) -> Result<(), String> {
    for step in &case.steps {
        match step {
            Step::Send(bytes) => send(wire, bytes)?,
            Step::Finish => wire.finish(),
            Step::Expect(expected) => expect(wire, expected)?,
        }
    }
    if !case.is_over() {
        // The conversation goes on, and ends as it should.
        send(wire, &Sent::new(opcode::PING, "still there").bytes())?;
        expect(wire, &Expected::Pong(b"still there".to_vec()))?;
        send(wire, &Sent::close(1000, "").bytes())?;
        expect(wire, &Expected::Close(Some(1000)))?;
    }
    expect(wire, &Expected::End)
}

fn send(wire: &mut dyn Wire, bytes: &[u8]) -> Result<(), String> {
    wire.write_all(bytes)
        .map_err(|error| format!("cannot send: {error}"))
}

fn expect(wire: &mut dyn Wire, expected: &Expected) -> Result<(), String> {
    let read: &mut dyn std::io::Read = &mut *wire;
    let frame = Frame::read(read).map_err(|error| format!("no {}: {error}", brief(expected)))?;
    let found = Expected::of(frame)?;
    if found == *expected {
        return Ok(());
    }
    Err(format!(
        "expected {}, found {}",
        brief(expected),
        brief(&found)
    ))
}

/// Mebibytes do not help to see what is wrong.
fn brief(expected: &Expected) -> String {
    let mut text = format!("{expected:?}");
    if text.len() > 100 {
        text.truncate(100);
        text.push_str("...");
    }
    text
}
