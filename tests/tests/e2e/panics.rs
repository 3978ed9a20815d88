//! A panic of the application costs one answer: never the connection's neighbours, never the worker.

use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::get;
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::response::{Broken, To};

fn probe() -> Gatewayd {
    Gatewayd::serve(Artefacts::built().module("probe"), &["--workers", "1"])
}

#[test]
fn a_panic_in_the_call_is_500_and_logged() {
    let server = probe();
    let pid = server.get("/pid").text().to_owned();
    for target in ["/panic", "/panic-later"] {
        let from = server.process.lines_so_far();
        let response = server.get(target);
        assert_eq!(response.status, 500);
        assert!(
            !response.text().contains("probe"),
            "the message leaks: {response:?}"
        );
        server.process.line_with("probe: panic", from);
    }
    assert_eq!(server.get("/pid").text(), pid);
}

#[test]
fn a_panic_after_the_head_breaks_the_response_off() {
    let server = probe();
    let pid = server.get("/pid").text().to_owned();
    let mut client = server.connect();
    client.send(get("/panic-in-body"));
    let broken = client.read(To::Other);
    assert!(
        matches!(broken, Err(Broken::Truncated(_) | Broken::Io(_))),
        "{broken:?}"
    );
    assert_eq!(server.get("/pid").text(), pid);
}

#[test]
fn a_panic_in_a_drop_costs_nothing() {
    let server = probe();
    let pid = server.get("/pid").text().to_owned();
    assert_eq!(server.get("/panic-in-drop").text(), "hello");
    assert_eq!(server.get("/pid").text(), pid);
}

#[test]
fn a_panic_leaves_pipelined_neighbours_alone() {
    let server = probe();
    let mut client = server.connect();
    client.send([get("/version"), get("/panic"), get("/version")].concat());
    assert_eq!(client.response().status, 200);
    let second = client.response();
    assert_eq!(second.status, 500);
    if !second.closes() {
        assert_eq!(client.response().status, 200);
    }
}
