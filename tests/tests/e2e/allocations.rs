//! After a connection's first request the server takes no memory for the next ones.
//!
//! Counted by valgrind, which sees every allocation of the process; the application is the one in C,
//! which makes none, so that what is counted is the server's.

use std::process::Command;

use gateway_tests::artefacts::{Artefacts, compile};
use gateway_tests::client::get;
use gateway_tests::gatewayd::Gatewayd;

#[test]
fn requests_on_a_kept_connection_allocate_nothing() {
    let [few, many] = [100, 2_100].map(|count| {
        allocations(|client| {
            for _ in 0..count {
                client.send(get("/"));
                assert_eq!(client.response().text(), "Hello, World!");
            }
        })
    });
    expect_no_more(few, many);
}

#[test]
fn pipelined_requests_allocate_nothing() {
    let batch = get("/").repeat(10);
    let [few, many] = [10, 210].map(|count| {
        allocations(|client| {
            for _ in 0..count {
                client.send(&batch);
                for _ in 0..10 {
                    assert_eq!(client.response().text(), "Hello, World!");
                }
            }
        })
    });
    expect_no_more(few, many);
}

/// 2000 requests more cost no allocation more; a longer run may cost a few, for its clock and log.
fn expect_no_more(few: u64, many: u64) {
    assert!(
        many < few + 50,
        "{few} allocations with 100 requests, {many} with 2100"
    );
}

/// Allocations of a whole run in one process, from start to graceful stop. Memory errors fail it.
fn allocations(drive: impl FnOnce(&mut gateway_tests::client::Client)) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let module = compile(&["examples/hello-c/hello.c"], &[], folder.path());
    let mut command = Command::new("valgrind");
    command.args(["--leak-check=no", "--error-exitcode=99"]);
    command.arg(Artefacts::built().program("gatewayd"));
    command
        .args(["--workers", "0", "--bind", "127.0.0.1:0"])
        .arg(&module);
    let server = Gatewayd::start(&mut command);
    let mut client = server.connect();
    drive(&mut client);
    drop(client);
    let (code, said) = server.stop();
    assert_eq!(code, 0, "{said}");
    let (_, usage) = said
        .split_once("total heap usage: ")
        .expect("valgrind's summary");
    let count = usage.split(' ').next().unwrap().replace(',', "");
    count.parse().unwrap()
}
