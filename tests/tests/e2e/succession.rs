//! A master that is killed leaves nothing behind that keeps the next one from starting, and its
//! workers finish what they have.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use gateway_tests::address::Address;
use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::{Client, get};
use gateway_tests::gatewayd::{Gatewayd, program};
use gateway_tests::load::{Connections, Load, Plan};
use gateway_tests::process::Process;
use nix::sys::signal::Signal;

/// A server of one TCP port, a unix path and a pid file.
fn server(folder: &Path, tcp: &str, workers: &str) -> Command {
    let mut command = program();
    command
        .args(["--workers", workers, "--bind", tcp, "--bind"])
        .arg(format!("unix:{}", folder.join("s").display()))
        .arg("--pid")
        .arg(folder.join("pid"))
        .arg(Artefacts::built().module("probe"));
    command
}

fn pid_in(folder: &Path) -> i32 {
    let text = fs::read_to_string(folder.join("pid")).unwrap();
    text.trim_end().parse().unwrap()
}

#[test]
fn after_a_killed_master_the_next_starts_at_once_and_what_has_begun_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Gatewayd::start(&mut server(folder.path(), "127.0.0.1:0", "2"));
    assert_eq!(pid_in(folder.path()), first.process.pid());
    let unix = Address::Unix(folder.path().join("s"));
    let load = Load::start(&Plan {
        clients: 4,
        pace: Duration::from_millis(2),
        connections: Connections::Fresh,
        ..Plan::new(&first.address, get("/version"))
    });
    load.more(100);
    let mut slow = [&first.address, &unix].map(|address| {
        let mut client = Client::connect(address);
        client.send([get("/pid"), get("/sleep/6000")].concat());
        assert_eq!(client.response().status, 200);
        client
    });
    first.process.signal(Signal::SIGKILL);
    let tcp = first.address.to_string();
    let second = Gatewayd::start(&mut server(folder.path(), &tcp, "2"));
    // Old workers still have requests while the new ones answer.
    assert_eq!(pid_in(folder.path()), second.process.pid());
    assert_eq!(Client::get(&unix, "/version").status, 200);
    load.more(100);
    for client in &mut slow {
        assert_eq!(client.response().text(), "slept");
    }
    let tally = load.stop();
    let broken: Vec<_> = tally
        .failures
        .iter()
        .filter(|failure| !failure.starts_with("connect"))
        .collect();
    assert!(broken.is_empty(), "{} broken: {broken:?}", broken.len());
    assert!(!first.process.wait().success());
    assert_eq!(second.stop().0, 0);
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_living_master_keeps_its_pid_file_and_its_path_and_gives_them_back_in_time() {
    let folder = tempfile::tempdir().unwrap();
    for workers in ["1", "0"] {
        let first = Gatewayd::start(&mut server(folder.path(), "127.0.0.1:0", workers));
        let pid = first.process.pid();
        let refused = Process::start(&mut server(folder.path(), "127.0.0.1:0", workers));
        let by_path = Process::start(
            server(folder.path(), "127.0.0.1:0", workers)
                .arg("--pid")
                .arg(folder.path().join("other")),
        );
        let (code, said) = refused.end();
        assert!(
            code == 1 && said.contains(&format!("pid: it is held by process {pid}")),
            "{code}: {said}"
        );
        let (code, said) = by_path.end();
        assert!(
            code == 1 && said.contains("the address is in use"),
            "{said}"
        );
        assert_eq!(Client::get(&first.address, "/version").status, 200);

        let waits = Process::start(&mut server(folder.path(), "127.0.0.1:0", workers));
        waits.line_with("trying again for 5 s", 0);
        assert_eq!(first.stop().0, 0);
        waits.line_with("ready in ", 0);
        assert_eq!(pid_in(folder.path()), waits.pid());
        waits.signal(Signal::SIGTERM);
        assert_eq!(waits.end().0, 0);
    }
}
