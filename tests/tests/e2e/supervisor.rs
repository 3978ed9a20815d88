//! A service manager hears when the server serves, reloads and stops, how it went, and that it is alive.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::net::UnixDatagram;

use gateway_tests::DEADLINE;
use gateway_tests::artefacts::Artefacts;
use gateway_tests::gatewayd::{Gatewayd, program};
use nix::sys::signal::Signal;
use nix::time::{ClockId, clock_gettime};

/// The manager's end.
struct Manager {
    socket: UnixDatagram,
}

impl Manager {
    /// The next message, by the names in it, that is not just a sign of life.
    fn hear(&self) -> BTreeMap<String, String> {
        loop {
            let message = self.hear_all();
            if !message.contains_key("WATCHDOG") {
                return message;
            }
        }
    }

    fn hear_all(&self) -> BTreeMap<String, String> {
        let mut bytes = [0; 4096];
        let length = self.socket.recv(&mut bytes).expect("a message in time");
        let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
        let pairs = text.lines().map(|line| line.split_once('=').unwrap());
        pairs
            .map(|(name, value)| (name.into(), value.into()))
            .collect()
    }
}

#[test]
fn the_manager_hears_of_every_turn_in_the_servers_life() {
    let folder = tempfile::tempdir().unwrap();
    let (path, file) = (folder.path().join("notify"), folder.path().join("g.toml"));
    let manager = Manager {
        socket: UnixDatagram::bind(&path).unwrap(),
    };
    manager.socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let module = Artefacts::built().module("probe").display();
    let text = format!("app = '{module}'\nbind = '127.0.0.1:0'\nworkers = 1\nlinger = '0s'\n");
    fs::write(&file, &text).unwrap();
    let mut command = program();
    command.arg("--config").arg(&file);
    command
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "400000");
    let server = Gatewayd::start(&mut command);
    let message = manager.hear();
    assert_eq!((&*message["READY"], &*message["STATUS"]), ("1", "1 worker"));
    assert_eq!(message["MAINPID"], server.process.pid().to_string());
    server.process.signal(Signal::SIGTTIN);
    assert_eq!(manager.hear()["STATUS"], "2 workers from now on");
    server.process.signal(Signal::SIGTTOU);
    assert_eq!(manager.hear()["STATUS"], "1 worker from now on");

    for (text, end) in [
        (text.clone(), "all workers run generation 2"),
        ("wrokers = 1".to_owned(), "reload failed: "),
    ] {
        fs::write(&file, text).unwrap();
        server.process.signal(Signal::SIGHUP);
        let message = manager.hear();
        assert_eq!(message["RELOADING"], "1");
        let begun: i64 = message["MONOTONIC_USEC"].parse().unwrap();
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap();
        assert!(begun / 1_000_000 <= now.tv_sec() && begun > 0);
        let message = manager.hear();
        assert_eq!(message["READY"], "1");
        assert!(message["STATUS"].starts_with(end), "{message:?}");
    }
    // A program that could not start: the configuration is still wrong.
    server.process.signal(Signal::SIGUSR2);
    assert_eq!(manager.hear()["RELOADING"], "1");
    let message = manager.hear();
    assert_eq!(message["READY"], "1");
    assert!(
        message["STATUS"].starts_with("upgrade failed: "),
        "{message:?}"
    );
    // The new program tells the same manager, and goes on with the signs of life.
    fs::write(&file, &text).unwrap();
    server.process.signal(Signal::SIGUSR2);
    let message = manager.hear();
    assert_eq!(message["RELOADING"], "1");
    assert!(message["STATUS"].contains("a new program"), "{message:?}");
    let message = manager.hear();
    assert_eq!(message["MAINPID"], server.process.pid().to_string());
    let message = manager.hear();
    assert_eq!(message["READY"], "1");
    assert!(
        message["STATUS"].starts_with("all workers run generation "),
        "{message:?}"
    );
    // Signs of life come without anything else happening.
    while !manager.hear_all().contains_key("WATCHDOG") {}
    server.process.signal(Signal::SIGTERM);
    assert_eq!(manager.hear()["STOPPING"], "1");
    assert_eq!(server.process.end().0, 0);
}

#[test]
fn a_manager_that_is_not_there_or_does_not_listen_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let module = Artefacts::built().module("probe");
    for deaf in [false, true] {
        let _deaf = deaf.then(|| UnixDatagram::bind(&path).unwrap());
        let mut command = program();
        command
            .args(["--workers", "1", "--bind", "127.0.0.1:0"])
            .arg(module);
        command
            .env("NOTIFY_SOCKET", &path)
            .env("WATCHDOG_USEC", "20000");
        let server = Gatewayd::start(&mut command);
        // Far more signs of life than its queue holds.
        for _ in 0..20 {
            assert_eq!(server.get("/sleep/30").status, 200);
        }
        assert_eq!(server.stop().0, 0);
    }
}
