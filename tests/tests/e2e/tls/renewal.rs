//! Certificates are renewed while the server runs, by a signal or because their files have changed, and
//! what is wrong with new ones leaves the old in force.

use std::fs;

use gateway_tests::gatewayd::{Gatewayd, program};
use gateway_tests::until;
use nix::sys::signal::Signal;

use super::{ask, probe, s_client, site};

/// The number of the certificate that a new connection is given.
fn serial(server: &Gatewayd) -> String {
    let said = s_client(server, "/pid", &["-showcerts"]);
    let begin = said
        .find("-----BEGIN CERTIFICATE-----")
        .expect("a certificate");
    let end = said[begin..].find("-----END").unwrap();
    said[begin..begin + end].to_owned()
}

#[test]
fn a_renewal_reaches_workers_that_serve_and_a_bad_one_changes_nothing() {
    let (certificates, words) = site();
    let server = Gatewayd::start(
        program()
            .args(["--workers", "2", "--bind", "https://127.0.0.1:0"])
            .args(&words)
            .arg(probe()),
    );
    let before = serial(&server);
    let workers = server.workers();
    let mut kept = server.process.lines_so_far();
    // A key of another certificate.
    certificates.issue("other", &["site.test"]);
    fs::copy(
        certificates.path("other.key"),
        certificates.path("site.key"),
    )
    .unwrap();
    let line = server
        .process
        .line_with("the certificates stay as they were", kept);
    assert!(
        line.contains("site.key: expected the key of the certificate in"),
        "{line}"
    );
    assert_eq!(serial(&server), before);
    kept = server.process.lines_so_far();
    server.process.signal(Signal::SIGHUP);
    let line = server.process.line_with("site.key: expected the key", kept);
    assert!(line.contains("ERROR"), "{line}");
    assert_eq!(serial(&server), before);
    // The certificate that belongs to it.
    kept = server.process.lines_so_far();
    fs::copy(
        certificates.path("other.crt"),
        certificates.path("site.crt"),
    )
    .unwrap();
    server
        .process
        .line_with("certificates were read anew", kept);
    until("connection with the new certificate", || {
        serial(&server) != before
    });
    // Nobody was replaced for it.
    assert_eq!(server.workers(), workers);
    let (code, said) = ask(&certificates, &server, "site.test", &[]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_reload_reads_certificates_anew() {
    let (certificates, words) = site();
    let server = Gatewayd::start(
        program()
            .args(["--workers", "1", "--bind", "https://127.0.0.1:0"])
            .args(&words)
            .arg(probe()),
    );
    let before = serial(&server);
    certificates.issue("site", &["site.test"]);
    let from = server.process.lines_so_far();
    server.process.signal(Signal::SIGHUP);
    server.process.line_with("all workers run generation", from);
    assert_ne!(serial(&server), before);
}
