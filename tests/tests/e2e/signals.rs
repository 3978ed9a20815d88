//! What an operator says by signals: logs are opened anew, workers rest and come back, and what means
//! nothing says so.

use std::fs;
use std::path::Path;
use std::time::Duration;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::get;
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::load::{Load, Plan};
use gateway_tests::until;
use nix::sys::signal::Signal;

fn probe(arguments: &[&str]) -> Gatewayd {
    Gatewayd::serve(Artefacts::built().module("probe"), arguments)
}

/// Lines of a log that name this target.
fn lines_with(log: &Path, target: &str) -> usize {
    let text = fs::read_to_string(log).unwrap_or_default();
    text.lines().filter(|line| line.contains(target)).count()
}

#[test]
fn usr1_and_hup_open_logs_anew_and_no_line_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    for (workers, signal) in [
        ("0", Signal::SIGUSR1),
        ("0", Signal::SIGHUP),
        ("2", Signal::SIGUSR1),
        ("2", Signal::SIGHUP),
    ] {
        let arguments = ["--workers", workers, "--access-log", log.to_str().unwrap()];
        let server = probe(&arguments);
        assert_eq!(server.get("/version?before").status, 200);
        let old = folder.path().join("old.log");
        fs::rename(&log, &old).unwrap();
        server.process.signal(signal);
        server.process.line_with("log files are opened anew", 0);
        assert!(log.exists());
        until("a line in the new file", || {
            assert_eq!(server.get("/version?after").status, 200);
            lines_with(&log, "?after") > 0
        });
        let (code, said) = server.stop();
        assert_eq!(code, 0, "{said}");
        assert_eq!(
            lines_with(&old, "?before"),
            1,
            "{signal}, {workers} workers"
        );
        assert_eq!(lines_with(&log, "?before"), 0);
        fs::remove_file(&log).unwrap();
    }
}

#[test]
fn rotating_a_log_under_load_loses_no_line() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    let arguments = ["--workers", "2", "--access-log", log.to_str().unwrap()];
    let server = probe(&arguments);
    let load = Load::start(&Plan {
        clients: 4,
        pace: Duration::from_millis(2),
        ..Plan::new(&server.address, get("/version"))
    });
    for round in 0..3 {
        load.more(100);
        fs::rename(&log, folder.path().join(round.to_string())).unwrap();
        let from = server.process.lines_so_far();
        server.process.signal(Signal::SIGUSR1);
        server.process.line_with("log files are opened anew", from);
    }
    load.more(100);
    let tally = load.stop();
    tally.expect_no_failure();
    assert_eq!(server.stop().0, 0);
    let files = ["0", "1", "2", "access.log"];
    let lines = files.map(|name| lines_with(&folder.path().join(name), "/version"));
    assert_eq!(
        lines.iter().sum::<usize>() as u64,
        tally.total(),
        "{lines:?}"
    );
}

#[test]
fn a_log_that_cannot_be_opened_is_told_and_the_old_one_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("logs");
    fs::create_dir(&inner).unwrap();
    let log = inner.join("access.log");
    let server = probe(&["--workers", "1", "--access-log", log.to_str().unwrap()]);
    let moved = folder.path().join("moved");
    fs::rename(&inner, &moved).unwrap();
    server.process.signal(Signal::SIGUSR1);
    let line = server.process.line_with("the log goes on where it was", 0);
    assert!(
        line.contains("access.log") && line.contains("No such file"),
        "{line}"
    );
    assert_eq!(server.get("/version?still").status, 200);
    assert_eq!(server.stop().0, 0);
    assert_eq!(lines_with(&moved.join("access.log"), "?still"), 1);

    let arguments = [
        "--bind",
        "127.0.0.1:0",
        "--access-log",
        log.to_str().unwrap(),
    ];
    let module = Artefacts::built().module("probe").to_str().unwrap();
    for workers in ["0", "1"] {
        let all = [&arguments[..], &["--workers", workers, module]].concat();
        let (code, said) = gateway_tests::gatewayd::run(&all);
        assert!(code == 1 && said.contains("--access-log"), "{code}: {said}");
    }
}

#[test]
fn winch_sends_workers_to_rest_unless_a_terminal_may_have_sent_it() {
    let server = probe(&["--workers", "2"]);
    server.process.signal(Signal::SIGWINCH);
    // A server of these tests has the terminal that they have.
    if fs::File::open("/dev/tty").is_ok() {
        server.process.line_with("SIGWINCH is ignored", 0);
        return;
    }
    server.process.line_with("0 workers from now on", 0);
    until("the last worker's end", || server.workers().is_empty());
    // Who connects waits.
    let mut client = server.connect();
    client.send(get("/version"));
    server.process.signal(Signal::SIGTTIN);
    server.process.line_with("1 worker from now on", 0);
    assert_eq!(client.response().status, 200);
    server.process.signal(Signal::SIGWINCH);
    until("the last worker's end", || server.workers().is_empty());
    let from = server.process.lines_so_far();
    server.process.signal(Signal::SIGHUP);
    server
        .process
        .line_with("all workers run generation 2", from);
    assert_eq!(server.get("/version").status, 200);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_signal_that_means_nothing_is_told_of_once() {
    let server = probe(&["--workers", "0"]);
    for signal in [Signal::SIGTTIN, Signal::SIGTTOU, Signal::SIGWINCH] {
        server.process.signal(signal);
        let words = format!("{signal} means nothing to a server of one process");
        server.process.line_with(&words, 0);
        server.process.signal(signal);
    }
    let (code, said) = server.stop();
    assert_eq!(code, 0, "{said}");
    assert_eq!(said.matches("means nothing").count(), 3, "{said}");
}
