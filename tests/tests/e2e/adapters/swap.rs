//! The same files under every server, behind the same nginx, answer alike, and may be moved between them.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use gateway_tests::address::Address;
use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::{get, post};
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::hosts;
use gateway_tests::load::{Connections, Load, Plan};
use gateway_tests::matrix::places::Under;
use gateway_tests::matrix::swap;
use gateway_tests::nginx::Nginx;
use gateway_tests::python;

#[test]
fn every_server_behind_nginx_answers_as_gatewayd_but_for_documented_limits() {
    let folder = tempfile::tempdir().unwrap();
    for application in swap::applications(&folder) {
        let (name, count) = (application.name, application.requests());
        assert!(count >= 80, "{name}: {count} requests");
    }
    let (table, faults) = swap::table("");
    assert_eq!(faults, [""; 0], "{table}");
}

#[test]
fn an_application_moves_from_server_to_server_under_load_and_loses_nothing() {
    let probe = Artefacts::built().module("probe");
    let gatewayd = Gatewayd::serve(probe, &["--workers", "1"]);
    let fastcgi = ["--workers", "1", "--bind", "fastcgi://127.0.0.1:0"];
    let fastcgi = Gatewayd::serve(probe, &fastcgi);
    let axum = hosts::Kind::Axum.serve(probe, &[]);
    let gunicorn = python::Kind::GunicornThreads.serve(probe, &[]);
    let threads = Under::Python(python::Kind::GunicornThreads);
    // Where it listens, and which process answers there.
    let pid = |address: &Address| {
        gateway_tests::client::Client::get(address, "/pid")
            .text()
            .to_owned()
    };
    let stations = [
        (Under::Gatewayd, &gatewayd.address, pid(&gatewayd.address)),
        (
            Under::Front("fastcgi"),
            &fastcgi.addresses[1],
            pid(&fastcgi.address),
        ),
        (
            Under::Rust(hosts::Kind::Axum),
            &axum.address,
            pid(&axum.address),
        ),
        (threads, &gunicorn.address, pid(&gunicorn.address)),
    ];

    let folder = tempfile::tempdir().unwrap();
    // nginx's workers are another user's.
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let [(first, address, _), ..] = &stations;
    let nginx = Nginx::serve(&first.site(address), folder.path());
    // nginx does not send a POST again by itself.
    let loads = [get("/pid").into_bytes(), post("/pid", b"x")].map(|request| {
        Load::start(&Plan {
            clients: 4,
            pace: Duration::from_millis(2),
            // A reload ends connections that clients keep, whoever is behind.
            connections: Connections::Fresh,
            ..Plan::new(&nginx.address, request)
        })
    });
    for station in [0, 1, 2, 3, 2, 1, 0] {
        let (under, address, pid) = &stations[station];
        nginx.go_by(&under.site(address));
        for load in &loads {
            let goal = load.tally().of(pid) + 150;
            load.until(&format!("answers of {under:?}"), |tally| {
                tally.of(pid) >= goal
            });
        }
    }
    let tallies = loads.map(Load::stop);
    for tally in &tallies {
        tally.expect_no_failure();
        let all: u64 = stations.iter().map(|(_, _, pid)| tally.of(pid)).sum();
        assert_eq!(tally.total(), all, "{tally:?}");
    }
    let said = nginx.said();
    let is_complaint = |line: &&str| line.contains("[error]") || line.contains("[crit]");
    assert_eq!(said.lines().find(is_complaint), None, "{said}");
}
