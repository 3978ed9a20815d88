//! Behind nginx with kept upstream connections every application gives right answers.

use std::time::Duration;

use gateway_tests::artefacts::{Artefacts, compile};
use gateway_tests::client::{Client, chunked, get, post};
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::load::{Load, Plan};
use gateway_tests::nginx::Nginx;
use nix::sys::signal::Signal;

#[test]
fn echo_sees_what_the_client_sent() {
    let folder = tempfile::tempdir().unwrap();
    let server = Gatewayd::serve(Artefacts::built().module("echo"), &["--workers", "2"]);
    let nginx = Nginx::start(&server.address, folder.path());
    let mut client = Client::connect(&nginx.address);
    for number in 0..50 {
        let target = format!("/a%2Fb/{number}?q=%20{number}");
        client.send(post(&target, &vec![b'b'; number * 1000]));
        let answer = client.response().json();
        assert_eq!(answer["target"], target);
        assert_eq!(answer["version"], "HTTP/1.1");
        assert_eq!(answer["body_len"], number * 1000);
    }
    client.send("POST /c HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send(chunked(&[b"one", b"two", &[b'3'; 100_000]]));
    assert_eq!(client.response().json()["body_len"], 100_006);
    expect_no_complaint(&nginx);
}

#[test]
fn c_and_cpp_applications_answer() {
    let folder = tempfile::tempdir().unwrap();
    let hello = compile(&["examples/hello-c/hello.c"], &[], folder.path());
    let stream = compile(&["examples/stream-cpp/stream.cpp"], &[], folder.path());
    let server = Gatewayd::serve(&hello, &["--workers", "2"]);
    let nginx = Nginx::start(&server.address, folder.path());
    let mut client = Client::connect(&nginx.address);
    for _ in 0..50 {
        client.send(get("/"));
        assert_eq!(client.response().text(), "Hello, World!");
    }
    expect_no_complaint(&nginx);
    drop(nginx);
    let other = tempfile::tempdir().unwrap();
    let server = Gatewayd::serve(&stream, &["--workers", "2"]);
    let nginx = Nginx::start(&server.address, other.path());
    let body: Vec<u8> = (0..1_000_000u32).flat_map(|n| n.to_le_bytes()).collect();
    assert!(
        Client::fetch(&nginx.address, post("/", &body)).body == body,
        "the bytes differ"
    );
    expect_no_complaint(&nginx);
}

#[test]
fn reloads_under_load_give_no_bad_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let server = Gatewayd::serve(Artefacts::built().module("echo"), &["--workers", "2"]);
    let nginx = Nginx::start(&server.address, folder.path());
    let load = Load::start(&Plan {
        clients: 8,
        pace: Duration::from_millis(2),
        // POST, which nginx does not send again by itself.
        ..Plan::new(&nginx.address, post("/", b"x"))
    });
    load.more(200);
    for _ in 0..3 {
        server.process.signal(Signal::SIGHUP);
        load.more(600);
    }
    load.stop().expect_no_failure();
    expect_no_complaint(&nginx);
}

fn expect_no_complaint(nginx: &Nginx) {
    let said = nginx.said();
    let complaint = said
        .lines()
        .find(|line| line.contains("[error]") || line.contains("[crit]"));
    assert_eq!(complaint, None, "{said}");
}
