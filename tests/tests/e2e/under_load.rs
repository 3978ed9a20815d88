//! Workers come and go, applications are rebuilt, servers stop, all under load: and nothing is lost.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::{Client, get};
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::load::{Connections, Load, Plan};
use gateway_tests::until;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn load(server: &Gatewayd, target: &str, connections: Connections) -> Load {
    Load::start(&Plan {
        clients: 8,
        pace: Duration::from_millis(2),
        connections,
        ..Plan::new(&server.address, get(target))
    })
}

/// The probe as built with this PROBE_VERSION, copied to `folder`.
fn probe_version(version: &str, folder: &Path) -> PathBuf {
    let target = folder.join("target");
    let flags = ["-p", "probe", "--target-dir", target.to_str().unwrap()];
    let built = Artefacts::build(&flags, &[("PROBE_VERSION", version)]);
    let copy = folder.join(format!("probe-{version}.so"));
    fs::copy(built.module("probe"), &copy).unwrap();
    copy
}

/// Whether a process has ended; an orphan may wait for the system to reap it.
fn is_gone(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.map_or(true, |stat| {
        stat.rsplit(") ")
            .next()
            .is_some_and(|rest| rest.starts_with('Z'))
    })
}

/// The worker that answers on a new connection, and the connection.
fn connect(server: &Gatewayd) -> (Client, i32) {
    let mut client = server.connect();
    client.send(get("/pid"));
    let pid = client.response().text().parse().unwrap();
    (client, pid)
}

#[test]
fn eight_workers_serve_and_term_stops_them_all() {
    let server = Gatewayd::serve(Artefacts::built().module("probe"), &["--workers", "8"]);
    let pids = server.workers();
    assert_eq!(pids.len(), 8);
    let (_, pid) = connect(&server);
    assert!(pids.contains(&pid), "the master answers requests itself");
    let (code, said) = server.stop();
    assert_eq!(code, 0, "{said}");
    assert!(pids.into_iter().all(is_gone));
}

#[test]
fn killing_a_worker_loses_no_request_of_the_others() {
    let server = Gatewayd::serve(Artefacts::built().module("probe"), &["--workers", "2"]);
    let (mut first, victim) = connect(&server);
    // A worker that is busy leaves new connections to the other.
    first.send(get("/block/300"));
    let mut others: Vec<_> = (0..10).map(|_| connect(&server)).collect();
    others.retain(|(_, pid)| *pid != victim);
    assert!(!others.is_empty(), "every connection went to one worker");
    for (client, _) in &mut others {
        client.send(get("/sleep/200"));
    }
    kill(Pid::from_raw(victim), Signal::SIGKILL).unwrap();
    for (client, pid) in &mut others {
        assert_eq!(client.response().text(), "slept");
        client.send(get("/pid"));
        assert_eq!(client.response().text(), pid.to_string());
    }
    until("replacement", || {
        server.workers().len() == 2 && is_gone(victim)
    });
}

#[test]
fn killing_workers_under_load_fails_only_what_they_were_answering() {
    let server = Gatewayd::serve(Artefacts::built().module("probe"), &["--workers", "4"]);
    let running = load(&server, "/pid", Connections::Fresh);
    running.more(200);
    let victims = &server.workers()[..2];
    for pid in victims {
        kill(Pid::from_raw(*pid), Signal::SIGKILL).unwrap();
        running.more(200);
    }
    let tally = running.stop();
    // A connection that the killed worker had accepted is lost with it; there are 8 at most.
    let lost = tally.failures.len();
    assert!(
        lost <= 8 * victims.len(),
        "{lost} failures: {:?}",
        tally.failures
    );
}

#[test]
fn hup_under_load_switches_to_the_rebuilt_application_without_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (
        probe_version("one", folder.path()),
        probe_version("two", folder.path()),
    );
    let app = folder.path().join("app.so");
    for connections in [Connections::Kept, Connections::Fresh] {
        fs::copy(&one, &app).unwrap();
        let server = Gatewayd::serve(&app, &["--workers", "2"]);
        let running = load(&server, "/version", connections);
        running.more(200);
        for (module, version) in [(&two, "two"), (&one, "one"), (&two, "two")] {
            // As cargo does it: a new file in place of the old one.
            fs::copy(module, folder.path().join("new.so")).unwrap();
            fs::rename(folder.path().join("new.so"), &app).unwrap();
            server.process.signal(Signal::SIGHUP);
            until("new version", || server.get("/version").text() == version);
            // The old workers finish what they have; then all answers are new.
            running.more(400);
        }
        let tally = running.stop();
        tally.expect_no_failure();
        assert!(tally.of("one") > 0 && tally.of("two") > 0, "{tally:?}");
        let (code, said) = server.stop();
        assert_eq!(code, 0, "{said}");
    }
}

#[test]
fn truncating_overwriting_and_deleting_the_file_under_load_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let app = folder.path().join("app.so");
    fs::copy(Artefacts::built().module("probe"), &app).unwrap();
    let server = Gatewayd::serve(&app, &["--workers", "2"]);
    let pids = server.workers();
    let running = load(&server, "/version", Connections::Kept);
    running.more(100);
    let file = fs::OpenOptions::new().write(true).open(&app).unwrap();
    file.set_len(0).unwrap();
    running.more(100);
    fs::write(&app, vec![0xCC; 1 << 20]).unwrap();
    running.more(100);
    fs::remove_file(&app).unwrap();
    running.more(100);
    running.stop().expect_no_failure();
    assert_eq!(server.workers(), pids);
    // A worker that has to be replaced runs the same bytes.
    kill(Pid::from_raw(pids[0]), Signal::SIGKILL).unwrap();
    until("replacement", || {
        server.workers().len() == 2 && is_gone(pids[0])
    });
    kill(Pid::from_raw(pids[1]), Signal::SIGKILL).unwrap();
    assert_eq!(server.get("/version").text(), "unset");
}

#[test]
fn term_answers_what_has_begun_and_what_waits() {
    for workers in ["2", "0"] {
        let server = Gatewayd::serve(Artefacts::built().module("probe"), &["--workers", workers]);
        let mut busy = server.connect();
        busy.send(get("/sleep/300"));
        let mut streaming = server.connect();
        streaming.send(get("/draining"));
        // Both have been read once the server has answered a third.
        until("an idle answer", || server.get("/version").status == 200);
        let mut idle = server.connect();
        idle.send(get("/version"));
        assert_eq!(idle.response().text(), "unset");
        server.process.signal(Signal::SIGTERM);
        assert_eq!(streaming.response().text(), "draining");
        let slept = busy.response();
        assert_eq!(slept.text(), "slept");
        busy.expect_end();
        let (code, said) = server.process.end();
        assert_eq!(code, 0, "{said}");
    }
}

#[test]
fn term_under_load_refuses_but_breaks_nothing() {
    let server = Gatewayd::serve(Artefacts::built().module("probe"), &["--workers", "2"]);
    let running = load(&server, "/version", Connections::Kept);
    running.more(200);
    server.process.signal(Signal::SIGTERM);
    let (code, said) = server.process.end();
    assert_eq!(code, 0, "{said}");
    let tally = running.stop();
    // Once nobody listens, connecting fails; so may a connection that came at that very moment.
    let broken: Vec<_> = tally
        .failures
        .iter()
        .filter(|failure| failure.contains("on a kept connection"))
        .collect();
    assert!(
        broken.is_empty(),
        "{} broken, the first: {:?}",
        broken.len(),
        broken[0]
    );
}

#[test]
fn ttin_and_ttou_change_the_number_of_workers() {
    let server = Gatewayd::serve(Artefacts::built().module("probe"), &["--workers", "1"]);
    let first = server.workers();
    server.process.signal(Signal::SIGTTIN);
    until("second worker", || server.workers().len() == 2);
    assert!(server.workers().contains(&first[0]));
    server.process.signal(Signal::SIGTTOU);
    until("end of one worker", || server.workers().len() == 1);
    assert_eq!(server.get("/version").status, 200);
}

#[test]
fn workers_end_when_their_master_is_killed() {
    let server = Gatewayd::serve(Artefacts::built().module("probe"), &["--workers", "2"]);
    let pids = server.workers();
    server.process.signal(Signal::SIGKILL);
    until("end of the workers", || {
        pids.iter().all(|pid| is_gone(*pid))
    });
}
