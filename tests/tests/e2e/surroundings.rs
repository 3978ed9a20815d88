//! What the system around a server denies it is told by name; a clock that is set harms nobody.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::get;
use gateway_tests::gatewayd::{Gatewayd, program};
use gateway_tests::process::Process;
use gateway_tests::until;
use nix::sys::signal::Signal;
use nix::unistd::geteuid;

/// `gatewayd` where `mount` has been done, for it alone; `$0` is the folder.
fn amid(mount: &str, folder: &Path) -> Command {
    let gatewayd = program();
    let mut command = Command::new("unshare");
    command.arg(if geteuid().is_root() { "-m" } else { "-rm" });
    command.args(["sh", "-ec", &format!("{mount}; exec \"$@\"")]);
    command.arg(folder).arg(gatewayd.get_program());
    command.env_remove("RUST_LOG").env("NO_COLOR", "1");
    command
}

#[test]
fn a_file_that_cannot_be_made_ends_the_start_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let in_folder = |name: &str| folder.path().join(name).display().to_string();
    let hello = Artefacts::built().module("hello");
    let unix = format!("unix:{}", in_folder("s"));
    let (pid, log) = (in_folder("pid"), in_folder("log"));
    let (pid, log) = (["--pid", &pid], ["--access-log", &log]);
    let bind = ["--bind", &unix];
    let ro = "mount -t tmpfs -o ro none \"$0\"";
    let full = "mount -t tmpfs -o size=4k none \"$0\"; printf x >\"$0\"/x";
    for (mount, flags, expected) in [
        (ro, pid, "Read-only file system"),
        (ro, bind, "Read-only file system"),
        (ro, log, "Read-only file system"),
        (full, pid, "No space left on device"),
        (full, bind, "No space left on device"),
    ] {
        for workers in ["0", "1"] {
            let mut command = amid(mount, folder.path());
            command.args(["--workers", workers, "--bind", "127.0.0.1:0"]);
            let (code, said) = Process::start(command.args(flags).arg(hello)).end();
            assert_eq!(code, 1, "{said}");
            let is_told = |line: &str| line.contains(flags[1]) && line.contains(expected);
            assert!(said.lines().any(is_told), "{flags:?}: {said}");
        }
    }
}

#[test]
fn a_server_runs_where_nothing_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    for workers in ["0", "1"] {
        let mut command = amid("mount -o remount,bind,ro /", folder.path());
        command.args(["--workers", workers, "--bind", "127.0.0.1:0"]);
        let server = Gatewayd::start(command.arg(Artefacts::built().module("hello")));
        assert_eq!(server.get("/").text(), "Hello, World!");
        if workers == "1" {
            server.process.signal(Signal::SIGHUP);
            server.process.line_with("all workers run generation 2", 0);
            server.process.signal(Signal::SIGUSR2);
            server.process.line_with("all workers run generation 3", 0);
            assert_eq!(server.get("/").text(), "Hello, World!");
        }
        assert_eq!(server.stop().0, 0);
    }
}

/// The library that tells processes another time.
fn faketime() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").unwrap().map_while(Result::ok);
    folders
        .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.exists())
        .expect("libfaketime; please run: apt-get install faketime")
}

#[test]
fn a_clock_that_is_set_moves_the_date_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("offset");
    for workers in ["0", "2"] {
        fs::write(&file, "+0\n").unwrap();
        let mut command = program();
        command
            .args(["--workers", workers, "--bind", "127.0.0.1:0"])
            .args([
                "--worker-timeout",
                "5s",
                "--request-timeout",
                "1h",
                "--linger",
                "0s",
            ])
            .arg(Artefacts::built().module("probe"))
            .env("LD_PRELOAD", faketime())
            .env("FAKETIME_TIMESTAMP_FILE", &file)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DISABLE_SHM", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("DONT_FAKE_MONOTONIC", "1")
            .env("NO_FAKE_STAT", "1");
        let server = Gatewayd::start(&mut command);
        let before = server.workers();
        let mut kept = server.connect();
        let mut idle = server.connect();
        let mut waits = server.connect();
        waits.send(get("/draining"));
        for (offset, days) in [("+2d\n", 2.0), ("-2d\n", -2.0), ("+0\n", 0.0)] {
            fs::write(&file, offset).unwrap();
            until("the new date", || {
                kept.send(get("/version"));
                let response = kept.response();
                let date = response.field("date").unwrap().to_owned();
                (days_ahead(&date) - days).abs() < 0.1
            });
        }
        idle.send(get("/version"));
        assert_eq!(idle.response().status, 200);
        assert_eq!(server.workers(), before);
        server.process.signal(Signal::SIGTERM);
        assert_eq!(waits.response().text(), "draining");
        let (code, said) = server.process.end();
        assert!(code == 0 && !said.contains("WARN"), "{said}");
    }
}

/// How many days a date is ahead of now.
fn days_ahead(date: &str) -> f64 {
    let date = httpdate::parse_http_date(date).unwrap();
    let day = Duration::from_secs(24 * 60 * 60).as_secs_f64();
    let now = SystemTime::now();
    match date.duration_since(now) {
        Ok(ahead) => ahead.as_secs_f64() / day,
        Err(behind) => -behind.duration().as_secs_f64() / day,
    }
}
