//! A worker that ends says so on every connection first, and closes none under a request.

use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::{Client, get, post};
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::until;
use nix::sys::signal::Signal;

fn serve(arguments: &[&str]) -> Gatewayd {
    let arguments = [&["--workers", "1"], arguments].concat();
    Gatewayd::serve(Artefacts::built().module("probe"), &arguments)
}

/// A connection that the worker has seen.
fn known(server: &Gatewayd) -> Client {
    let mut client = server.connect();
    client.send(get("/pid"));
    assert!(!client.response().closes());
    client
}

/// Replaces the worker; the old one drains once it says so on a connection of its own.
fn reload(server: &Gatewayd) {
    let mut witness = known(server);
    server.process.signal(Signal::SIGHUP);
    until("draining worker", || {
        witness.send(get("/pid"));
        witness.response().closes()
    });
}

#[test]
fn the_last_answer_announces_the_end_with_and_without_a_request_body() {
    let server = serve(&["--linger", "20s"]);
    let mut clients: Vec<Client> = (0..3).map(|_| known(&server)).collect();
    reload(&server);
    let requests = [
        get("/pid").into_bytes(),
        post("/mirror", b"whole"),
        [post("/mirror", b"one"), post("/mirror", b"two")].concat(),
    ];
    for (client, request) in clients.iter_mut().zip(&requests) {
        client.send(request);
    }
    assert!(clients[0].response().closes());
    assert!(clients[1].response().closes());
    let (one, two) = (clients[2].response(), clients[2].response());
    assert!(one.text() == "one" && !one.closes(), "{one:?}");
    assert!(two.text() == "two" && two.closes(), "{two:?}");
    clients.iter_mut().for_each(Client::expect_end);
}

#[test]
fn an_idle_connection_is_ended_cleanly_and_one_within_a_head_is_served() {
    let server = serve(&["--linger", "2s"]);
    let (mut idle, mut busy) = (known(&server), known(&server));
    let request = get("/version");
    let (first, rest) = request.split_at(10);
    busy.send(first);
    // Sent before, so read before.
    reload(&server);
    idle.expect_end();
    // Too late, but nothing is broken off: the client sees an end without an answer.
    idle.send(get("/version"));
    idle.expect_end();
    busy.send(rest);
    let answer = busy.response();
    assert!(answer.text() == "unset" && answer.closes(), "{answer:?}");
    busy.expect_end();
}

#[test]
fn an_idle_connection_ends_cleanly_at_its_timeout() {
    let server = serve(&["--keep-alive", "100ms"]);
    let mut client = known(&server);
    client.expect_end();
    client.send(get("/version"));
    client.expect_end();
}
