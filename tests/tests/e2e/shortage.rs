//! What the system withholds from a server that runs costs what it must, and no more.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::get;
use gateway_tests::gatewayd::{Gatewayd, program};
use gateway_tests::process::{Process, limit};
use gateway_tests::until;
use nix::libc;
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

fn probe(arguments: &[&str]) -> Gatewayd {
    Gatewayd::serve(Artefacts::built().module("probe"), arguments)
}

#[test]
fn a_master_with_more_ears_than_files_still_hears() {
    let server = probe(&["--workers", "3"]);
    let master = server.process.pid();
    limit(master, "--nofile=2:");
    // Who has no room for another worker says so and tries again.
    server.process.signal(Signal::SIGTTIN);
    let line = server.process.line_with("cannot start a worker", 0);
    assert!(line.contains("Too many open files"), "{line}");
    server.process.signal(Signal::SIGHUP);
    server.process.line_with("the reload is off", 0);
    server.process.signal(Signal::SIGUSR2);
    server.process.line_with("the upgrade is off", 0);
    assert_eq!(server.get("/version").status, 200);
    limit(master, "--nofile=1000:");
    until("four workers", || server.workers().len() == 4);
    let from = server.process.lines_so_far();
    server.process.signal(Signal::SIGHUP);
    server.process.line_with("all workers run generation", from);
    limit(master, "--nofile=0:");
    let (code, said) = server.stop();
    assert_eq!(code, 0, "{said}");
}

#[test]
fn files_that_may_grow_no_further_lose_lines_and_no_request() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    for workers in ["0", "1"] {
        let server = probe(&["--workers", workers, "--access-log", log.to_str().unwrap()]);
        let worker = server.workers().first().copied();
        limit(worker.unwrap_or(server.process.pid()), "--fsize=0");
        assert_eq!(server.get("/version").status, 200);
        let line = server.process.line_with("the access log loses lines", 0);
        assert!(line.contains("File too large"), "{line}");
        assert_eq!(server.get("/version").status, 200);
        let (code, said) = server.stop();
        assert!(code == 0 && !said.contains("SIG"), "{said}");
    }
}

/// Reads what there is, without waiting.
fn read_now(mut file: &File) -> Vec<u8> {
    let mut bytes = Vec::new();
    // It ends with `WouldBlock`, when all there is has been read.
    let _nothing_more = file.read_to_end(&mut bytes);
    bytes
}

#[test]
fn an_access_log_that_nobody_reads_loses_lines_and_no_request() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    mkfifo(&path, Mode::S_IRWXU).unwrap();
    let pipe = File::options()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(&path)
        .unwrap();
    let gatewayd = program();
    for (workers, log) in [("0", "-"), ("2", "-"), ("2", path.to_str().unwrap())] {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("exec \"$@\" >{}", path.display()), "sh"]);
        command.arg(gatewayd.get_program());
        command.args(["--workers", workers, "--bind", "127.0.0.1:0"]);
        command.args(["--access-log", log]);
        let server = Gatewayd::start(command.arg(Artefacts::built().module("probe")));
        // More than pipe and memory hold, all answered.
        let long = format!("/version?{}", "x".repeat(8000));
        let mut client = server.connect();
        let mut sent = 0;
        while !server.process.said().contains("loses lines") {
            for _ in 0..50 {
                client.send(get(&long));
                assert_eq!(client.response().text(), "unset");
                sent += 1;
            }
        }
        let mut lines = read_now(&pipe);
        until("lines to be written again", || {
            lines.extend(read_now(&pipe));
            server.process.said().contains("can be written again")
        });
        client.send(get("/version?last"));
        assert_eq!(client.response().text(), "unset");
        let last = |lines: &[u8]| lines.windows(5).any(|part| part == b"?last");
        until("the last line", || {
            lines.extend(read_now(&pipe));
            last(&lines)
        });
        let (code, said) = server.stop();
        assert_eq!(code, 0, "{said}");
        assert_eq!(said.matches("loses lines").count(), 1, "{said}");
        lines.extend(read_now(&pipe));
        let lines = String::from_utf8(lines).unwrap();
        let whole = |line: &&str| line.starts_with("127.0.0.1 - - [");
        assert!(lines.lines().all(|line| whole(&line)), "{workers}, {log}");
        let told = said.split("written again; ").nth(1).unwrap();
        let lost: usize = told.split(' ').next().unwrap().parse().unwrap();
        assert_eq!(lines.lines().count() + lost, sent + 1, "{said}");
    }
}

#[test]
fn a_server_that_may_write_no_file_says_so() {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -f 0; exec \"$@\"", "sh"]);
    command.arg(program().get_program());
    command.args(["--workers", "1", "--bind", "127.0.0.1:0"]);
    let (code, said) = Process::start(command.arg(Artefacts::built().module("probe"))).end();
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("File too large"), "{said}");
}

#[test]
fn a_pid_file_of_another_program_is_left_alone_while_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pid");
    let start = || {
        let mut command = program();
        command.args(["--workers", "1", "--bind", "127.0.0.1:0", "--pid"]);
        Process::start(command.arg(&path).arg(Artefacts::built().module("probe")))
    };
    let refused = |expected: &str| {
        let before = fs::read_to_string(&path).unwrap();
        let (code, said) = start().end();
        assert_eq!(code, 1, "{said}");
        let named = format!("--pid {}: {expected}", path.display());
        assert!(said.contains(&named), "{named}: {said}");
        assert_eq!(fs::read_to_string(&path).unwrap(), before);
    };
    let another = Process::start(Command::new("sleep").arg("1000"));
    fs::write(&path, format!("{}\n", another.pid())).unwrap();
    refused(&format!("it is held by process {}", another.pid()));

    // A number that is a younger process's by now.
    let file = File::options().write(true).open(&path).unwrap();
    let hour = std::time::Duration::from_secs(3600);
    file.set_modified(std::time::SystemTime::now() - hour)
        .unwrap();
    let server = start();
    server.line_with("ready in ", 0);
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        format!("{}\n", server.pid())
    );
    server.signal(Signal::SIGTERM);
    assert_eq!(server.end().0, 0);
    assert!(!path.exists());

    fs::write(&path, "root:x:0:0\n").unwrap();
    refused("expected the number of a process or nothing in this file, found \"root:x:0:0\"");
}
