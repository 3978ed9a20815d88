//! `HUP` reads the configuration again: what changed takes effect without a failed request, what is
//! wrong changes nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway_tests::address::Address;
use gateway_tests::artefacts::{Artefacts, compile};
use gateway_tests::client::Client;
use gateway_tests::gatewayd::{Gatewayd, program};
use gateway_tests::load::{Connections, Load, Plan};
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use tempfile::TempDir;

/// A server that is configured by a file.
struct Site {
    folder: TempDir,
    server: Gatewayd,
}

impl Site {
    /// Serves the probe; `text` is the rest of the file, `arguments` are flags.
    fn serve(text: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), text);
        let mut command = program();
        command.arg("--config").arg(folder.path().join("g.toml"));
        command.args(arguments).args(["--log-level", "debug"]);
        let server = Gatewayd::start(&mut command);
        Self { folder, server }
    }

    /// Changes the file and reloads; waits for the line that tells of the end.
    fn reload(&self, text: &str, end: &str) {
        write(self.folder.path(), text);
        let before = self.server.process.lines_so_far();
        self.server.process.signal(Signal::SIGHUP);
        self.server.process.line_with(end, before);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn unix(&self, name: &str) -> Address {
        Address::Unix(self.path(name))
    }

    fn load(&self, address: Address, connections: Connections) -> Load {
        Load::start(&Plan {
            clients: 2,
            pace: Duration::from_millis(2),
            connections,
            ..Plan::new(&address, "GET /pid HTTP/1.1\r\nHost: a\r\n\r\n")
        })
    }
}

fn write(folder: &Path, text: &str) {
    let module = Artefacts::built().module("probe").display();
    let text = format!("app.path = '{module}'\nlinger = '2s'\n{text}");
    let fresh = folder.join("fresh");
    fs::write(&fresh, text).unwrap();
    fs::rename(fresh, folder.join("g.toml")).unwrap();
}

const TCP: &str = "'127.0.0.1:0'";

#[test]
fn workers_listeners_and_settings_change_under_load_without_a_failed_request() {
    let site = Site::serve(&format!("workers = 2\nbind = [{TCP}, 'unix:a']"), &[]);
    let tcp = site.server.address.clone();
    let kept = site.load(tcp.clone(), Connections::Kept);
    let fresh = site.load(tcp, Connections::Fresh);
    let (mut old, mut new) = ("a", "b");
    for workers in [3, 1, 2, 4] {
        let text = format!(
            "workers = {workers}\nkeep-alive = '{workers}s'\ngraceful-timeout = '{}s'\n\
             bind = ['unix:{new}', {TCP}]\napp.config.round = {workers}",
            20 + workers
        );
        let before = site.load(site.unix(old), Connections::Kept);
        before.more(10);
        // Whoever uses an address to the end knows that it will go.
        before.stop().expect_no_failure();
        site.reload(&text, "all workers run generation");
        assert_eq!(
            Client::get(&site.unix(new), "/startup").text(),
            format!("\nround={workers}")
        );
        assert!(!site.path(old).exists(), "{old} is left");
        kept.more(20);
        fresh.more(20);
        (old, new) = (new, old);
    }
    for load in [kept, fresh] {
        load.stop().expect_no_failure();
    }
    let (code, said) = site.server.stop();
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("changed: bind, workers, keep-alive, graceful-timeout, app.config"),
        "{said}"
    );
}

#[test]
fn what_waits_at_a_listener_that_goes_is_answered() {
    let site = Site::serve(&format!("workers = 2\nbind = ['unix:a', {TCP}]"), &[]);
    let mut waiting: Vec<Client> = (0..20).map(|_| Client::connect(&site.unix("a"))).collect();
    for client in &mut waiting {
        client.send(b"GET /pid HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    site.reload(
        &format!("workers = 2\nbind = {TCP}"),
        "all workers run generation 2",
    );
    for client in &mut waiting {
        assert_eq!(client.response().status, 200);
    }
    assert!(site.unix("a").connect().is_err());
}

#[test]
fn a_broken_file_changes_nothing_and_every_mistake_is_logged() {
    let text = format!("workers = 2\nbind = ['unix:a', {TCP}]\n");
    let site = Site::serve(&text, &[]);
    let before = site.server.workers();
    let load = site.load(site.server.address.clone(), Connections::Kept);
    site.reload(
        "wokers = 3\nkeep-alive = 75\n",
        "the running generation goes on",
    );
    let said = site.server.process.said();
    for words in [
        "g.toml:3: there is no setting `wokers`",
        "g.toml:4: keep-alive: expected a time",
    ] {
        assert!(said.contains(words), "no {words:?} in {said}");
    }
    // An address that cannot be had; the good one beside it is given back.
    fs::write(site.path("file"), "").unwrap();
    site.reload(
        "bind = ['unix:b', 'unix:file']",
        "found a file; the reload is off",
    );
    assert!(!site.path("b").exists());
    // A name that is not there twice, and an application that does not start.
    site.reload("app.path = 'nowhere.so'", "g.toml:3: duplicate key");
    site.reload(
        "app.arguments = ['fail']",
        "no database at db.example:5432; the reload is off",
    );
    assert_eq!(site.server.workers(), before);
    assert_eq!(Client::get(&site.unix("a"), "/pid").status, 200);
    load.more(10);
    load.stop().expect_no_failure();
    site.reload(&text, "all workers run generation");
    assert_eq!(site.server.stop().0, 0);
}

#[test]
fn flags_and_variables_of_the_start_still_win_and_signals_stand_until_workers_changes() {
    let text = format!("workers = 2\nbind = {TCP}\nkeep-alive = '5s'");
    let site = Site::serve(&text, &["--keep-alive", "7s"]);
    site.server.process.signal(Signal::SIGTTIN);
    site.server.process.line_with("worker 3 is ready", 0);
    let again = format!("workers = 2\nbind = {TCP}\nkeep-alive = '6s'\nmax-body = '1KiB'");
    site.reload(&again, "all workers run generation 2");
    site.server.process.line_with("changed: max-body", 0);
    for worker in ["1", "2", "3"] {
        site.server
            .process
            .line_with(&format!("worker {worker} is done"), 0);
    }
    assert_eq!(site.server.workers().len(), 3);
    site.reload(
        &format!("workers = 1\nbind = {TCP}"),
        "all workers run generation 3",
    );
    site.server.process.line_with("1 worker from now on", 0);
    site.reload(
        "workers = 0",
        "workers stays 1: only a restart can change it",
    );
}

#[test]
fn the_master_waits_for_no_file() {
    let site = Site::serve(
        &format!("workers = 1\nbind = {TCP}"),
        &["--boot-timeout", "1s"],
    );
    let file = site.path("g.toml");
    fs::remove_file(&file).unwrap();
    nix::unistd::mkfifo(&file, Mode::S_IRWXU).unwrap();
    site.server.process.signal(Signal::SIGHUP);
    // The reader hangs, the master does not.
    site.server.process.signal(Signal::SIGTTIN);
    site.server.process.line_with("worker 2 is ready", 0);
    let reason = "reading the configuration and the application took too long";
    site.server.process.line_with(reason, 0);
    assert_eq!(site.server.get("/pid").status, 200);
    assert_eq!(site.server.stop().0, 0);
}

#[test]
fn with_reload_a_changed_application_or_file_is_loaded_once_it_settles() {
    let folder = tempfile::tempdir().unwrap();
    let (app, file) = (
        folder.path().join("current.so"),
        folder.path().join("g.toml"),
    );
    let hello = compile(&["examples/hello-c/hello.c"], &[], folder.path());
    std::os::unix::fs::symlink(Artefacts::built().module("probe"), &app).unwrap();
    let text = "app = 'current.so'\nbind = '127.0.0.1:0'\nworkers = 1\nreload = true\n";
    fs::write(&file, text).unwrap();
    let server = Gatewayd::start(program().arg("--config").arg(&file));
    let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let load = Load::start(&Plan {
        pace: Duration::from_millis(2),
        ..Plan::new(&server.address, request)
    });
    // A release that is switched by a link, as deployments do.
    let fresh = folder.path().join("fresh");
    std::os::unix::fs::symlink(&hello, &fresh).unwrap();
    fs::rename(&fresh, &app).unwrap();
    server.process.line_with("current.so has changed", 0);
    server.process.line_with("all workers run generation 2", 0);
    load.until("the new one", |tally| tally.of("Hello, World!") > 0);
    // A broken file changes nothing, and is tried again when it is mended.
    fs::write(&file, format!("{text}wrokers = 2\n")).unwrap();
    server
        .process
        .line_with("the running generation goes on", 0);
    fs::write(&file, format!("{text}max-body = 0\n")).unwrap();
    server.process.line_with("changed: max-body", 0);
    server.process.line_with("all workers run generation 4", 0);
    let _counted = load.stop();
    // Switched off, nobody watches any more.
    fs::write(&file, text.replace("reload = true", "linger = '0s'")).unwrap();
    server
        .process
        .line_with("changed: reload, linger, max-body", 0);
    server.process.line_with("all workers run generation 5", 0);
    let before = server.process.lines_so_far();
    fs::write(&file, text).unwrap();
    server.process.signal(Signal::SIGTTIN);
    server.process.line_with("2 workers from now on", before);
    assert_eq!(server.stop().0, 0);
}
