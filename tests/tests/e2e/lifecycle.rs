//! An application's start, reload and end under a server: exit codes, words, and no request lost.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::{Client, get};
use gateway_tests::gatewayd::{Gatewayd, run};
use gateway_tests::load::{Connections, Load, Plan};
use gateway_tests::{END, artefacts};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The application that does what tests ask of it.
fn probe() -> &'static Path {
    Artefacts::built().module("probe")
}

/// A copy of it that may come to harm.
fn copy_of_probe(folder: &Path) -> PathBuf {
    let copy = folder.join("app.so");
    fs::copy(probe(), &copy).unwrap();
    copy
}

fn load(server: &Gatewayd, connections: Connections) -> Load {
    Load::start(&Plan {
        clients: 2,
        pace: Duration::from_millis(2),
        connections,
        ..Plan::new(&server.address, get("/version"))
    })
}

#[test]
fn a_start_up_that_fails_or_panics_ends_with_code_3_and_its_words_once() {
    let app = probe().to_str().unwrap();
    for (argument, words) in [
        ("fail", "probe: no database at db.example:5432"),
        ("panic", "probe: panic in start-up"),
    ] {
        for workers in ["0", "2"] {
            let arguments = [
                "--workers",
                workers,
                "--bind",
                "127.0.0.1:0",
                app,
                "--",
                argument,
            ];
            let (code, said) = run(&arguments);
            assert_eq!(code, 3, "{argument}, {workers} workers: {said}");
            assert!(said.contains(words), "{said}");
            assert_eq!(
                said.matches("start-up failed").count(),
                1,
                "told once: {said}"
            );
        }
    }
}

#[test]
fn what_is_no_application_ends_with_code_4_and_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.so");
    fs::write(&text, "not an ELF file").unwrap();
    let source = folder.path().join("none.c");
    fs::write(&source, "int nothing;").unwrap();
    let foreign = artefacts::compile(&[source.to_str().unwrap()], &[], folder.path());
    for path in [text, foreign] {
        for workers in ["0", "2"] {
            let path = path.to_str().unwrap();
            let (code, said) = run(&["--workers", workers, "--bind", "127.0.0.1:0", path]);
            assert_eq!(code, 4, "{path}, {workers} workers: {said}");
            assert!(said.contains(path), "{said}");
            assert_eq!(said.matches(" ERROR ").count(), 1, "told once: {said}");
        }
    }
}

#[test]
fn reloads_under_load_lose_no_request() {
    let folder = tempfile::tempdir().unwrap();
    let app = copy_of_probe(folder.path());
    let server = Gatewayd::serve(&app, &["--workers", "2"]);
    for connections in [Connections::Kept, Connections::Fresh] {
        let load = load(&server, connections);
        load.more(50);
        for _ in 0..3 {
            let from = server.process.lines_so_far();
            server.process.signal(Signal::SIGHUP);
            server.process.line_with("all workers run generation", from);
            load.more(50);
        }
        load.stop().expect_no_failure();
    }
    assert_eq!(server.stop().0, 0);
}

#[test]
fn an_application_that_is_broken_overwritten_or_gone_harms_no_request() {
    let folder = tempfile::tempdir().unwrap();
    let app = copy_of_probe(folder.path());
    let server = Gatewayd::serve(&app, &["--workers", "2"]);
    let load = load(&server, Connections::Kept);
    load.more(20);
    let harms: [fn(&Path); 3] = [
        |app| fs::write(app, "no longer an ELF file").unwrap(),
        |app| fs::File::create(app).unwrap().set_len(0).unwrap(),
        |app| fs::remove_file(app).unwrap(),
    ];
    for harm in harms {
        harm(&app);
        load.more(20);
        let from = server.process.lines_so_far();
        server.process.signal(Signal::SIGHUP);
        server
            .process
            .line_with("the reload is off, the running generation goes on", from);
        load.more(20);
    }
    load.stop().expect_no_failure();
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_graceful_stop_answers_what_has_begun_and_a_quick_one_does_not_wait_for_it() {
    for workers in ["0", "1"] {
        let server = Gatewayd::serve(probe(), &["--workers", workers]);
        let mut client = Client::connect(&server.address);
        // The second answer is begun once the first has come.
        client.send([get("/pid"), get("/sleep/300")].concat());
        assert_eq!(client.response().status, 200);
        server.process.signal(Signal::SIGTERM);
        assert_eq!(client.response().text(), "slept");
        assert_eq!(server.process.end().0, 0);

        let server = Gatewayd::serve(probe(), &["--workers", workers]);
        let mut client = Client::connect(&server.address);
        client.send([get("/pid"), get("/sleep/60000")].concat());
        assert_eq!(client.response().status, 200);
        let before = Instant::now();
        server.process.signal(Signal::SIGINT);
        let (code, said) = server.process.end();
        assert_eq!(code, 0, "{said}");
        assert!(before.elapsed() < END, "{said}");
    }
}

#[test]
fn the_graceful_timeout_drops_what_takes_longer() {
    for workers in ["0", "1"] {
        let arguments = ["--workers", workers, "--graceful-timeout", "200ms"];
        let server = Gatewayd::serve(probe(), &arguments);
        let mut client = Client::connect(&server.address);
        client.send([get("/pid"), get("/sleep/60000")].concat());
        assert_eq!(client.response().status, 200);
        let before = Instant::now();
        server.process.signal(Signal::SIGTERM);
        let (code, said) = server.process.end();
        assert_eq!(code, 0, "{said}");
        assert!(before.elapsed() < END && said.contains("dropped"), "{said}");
    }
}

#[test]
fn an_application_that_blocks_the_loop_cannot_keep_the_server_from_ending() {
    for workers in ["0", "1"] {
        let server = Gatewayd::serve(probe(), &["--workers", workers]);
        let mut client = Client::connect(&server.address);
        client.send(get("/pid"));
        assert_eq!(client.response().status, 200);
        client.send(get("/block/60000"));
        let before = Instant::now();
        server.process.signal(Signal::SIGINT);
        server.process.line_with("stopping", 0);
        server.process.signal(Signal::SIGINT);
        let (code, said) = server.process.end();
        assert_eq!(code, 0, "{said}");
        assert!(before.elapsed() < END, "{said}");
    }
}

#[test]
fn a_worker_that_an_application_blocks_is_replaced_and_named() {
    let server = Gatewayd::serve(probe(), &["--workers", "1", "--worker-timeout", "500ms"]);
    let mut client = Client::connect(&server.address);
    client.send(get("/block/60000"));
    server.process.line_with("worker 1 is stuck", 0);
    server.process.line_with("worker 1 was ended by SIGABRT", 0);
    assert_eq!(Client::get(&server.address, "/pid").status, 200);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_killed_worker_takes_only_the_requests_that_it_held_with_it() {
    let server = Gatewayd::serve(probe(), &["--workers", "2"]);
    let load = load(&server, Connections::Fresh);
    for _ in 0..3 {
        load.more(20);
        let worker = Client::get(&server.address, "/pid").text().parse().unwrap();
        let from = server.process.lines_so_far();
        kill(Pid::from_raw(worker), Signal::SIGKILL).unwrap();
        server.process.line_with("was ended by SIGKILL", from);
    }
    load.more(20);
    let tally = load.stop();
    // Two clients, each with one request at a time, and three deaths.
    assert!(tally.failures.len() <= 6, "{:?}", tally.failures);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_graceful_stop_answers_what_waits_in_the_backlog() {
    let server = Gatewayd::serve(probe(), &["--workers", "1"]);
    let worker: i32 = Client::get(&server.address, "/pid").text().parse().unwrap();
    kill(Pid::from_raw(worker), Signal::SIGSTOP).unwrap();
    let mut waiting: Vec<Client> = (0..20)
        .map(|_| {
            let mut client = Client::connect(&server.address);
            client.send(get("/pid"));
            client
        })
        .collect();
    server.process.signal(Signal::SIGTERM);
    server.process.line_with("finishing what has begun", 0);
    kill(Pid::from_raw(worker), Signal::SIGCONT).unwrap();
    for client in &mut waiting {
        assert_eq!(client.response().text(), worker.to_string());
    }
    assert_eq!(server.process.end().0, 0);
}
