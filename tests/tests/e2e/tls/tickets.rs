//! A session that one worker has begun is resumed by any other, by workers of the next generation and
//! of the next program, until its key has been replaced.

use std::collections::BTreeSet;

use gateway_tests::gatewayd::{Gatewayd, program};
use gateway_tests::until;
use nix::sys::signal::Signal;

use super::{body, probe, s_client, site};

/// Asks with the session in the file; the worker's number if it was resumed.
fn resumed(server: &Gatewayd, version: &str, file: &str) -> Option<String> {
    let said = s_client(server, "/pid", &[version, "-sess_in", file]);
    let pid = body(&said);
    said.contains("Reused, ").then(|| pid.to_owned())
}

#[test]
fn a_session_is_resumed_by_any_worker_and_across_reloads_and_upgrades() {
    let (certificates, words) = site();
    let server = Gatewayd::start(
        program()
            .args(["--workers", "3", "--bind", "https://127.0.0.1:0"])
            .args(&words)
            .arg(probe()),
    );
    for version in ["-tls1_2", "-tls1_3"] {
        let file = certificates.text(version);
        let said = s_client(&server, "/pid", &[version, "-sess_out", &file]);
        assert!(said.contains("New, "), "{said}");
        let mut pids = BTreeSet::new();
        until("answers by two workers", || {
            pids.insert(resumed(&server, version, &file).expect("a resumed session"));
            pids.len() > 1
        });
    }
    for (signal, done) in [
        (Signal::SIGHUP, "all workers run generation"),
        (Signal::SIGUSR2, "all workers run generation"),
    ] {
        let from = server.process.lines_so_far();
        server.process.signal(signal);
        server.process.line_with(done, from);
        for version in ["-tls1_2", "-tls1_3"] {
            let file = certificates.text(version);
            assert!(resumed(&server, version, &file).is_some(), "{signal}");
        }
    }
}

#[test]
fn a_session_ends_with_its_key() {
    for workers in ["1", "0"] {
        let (certificates, words) = site();
        let server = Gatewayd::start(
            program()
                .args(["--workers", workers, "--bind", "https://127.0.0.1:0"])
                .args(["--tls-ticket-lifetime", "1s"])
                .args(&words)
                .arg(probe()),
        );
        let file = certificates.text("session");
        let _new = s_client(&server, "/pid", &["-tls1_3", "-sess_out", &file]);
        until("session that is not resumed", || {
            resumed(&server, "-tls1_3", &file).is_none()
        });
    }
}

#[test]
fn early_data_is_not_asked_for() {
    let (_certificates, words) = site();
    let server = super::start(&words.each_ref().map(String::as_str));
    let said = s_client(&server, "/pid", &["-tls1_3"]);
    assert!(said.contains("Max Early Data: 0"), "{said}");
}
