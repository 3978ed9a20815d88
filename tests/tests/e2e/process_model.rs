//! Master and workers: signals, exit codes, descriptors, deaths and replacements.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use gateway_tests::gatewayd::{Gatewayd, program, run, workers_of as children};
use gateway_tests::process::Process;
use gateway_tests::{DEADLINE, END, artefacts};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// A folder with the C application in it, built.
struct Site {
    folder: TempDir,
    app: PathBuf,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let app = artefacts::compile(&["examples/hello-c/hello.c"], &[], folder.path());
        Self { folder, app }
    }

    fn serve(&self, arguments: &[&str]) -> Gatewayd {
        Gatewayd::serve(&self.app, &[arguments, &["--log-level", "debug"]].concat())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn is_gone(pid: i32) -> bool {
    !Path::new(&format!("/proc/{pid}")).exists()
}

#[test]
fn term_int_and_quit_end_the_server_and_its_workers_with_code_0() {
    let site = Site::new();
    for workers in ["0", "2"] {
        for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT] {
            let server = site.serve(&["--workers", workers]);
            let pids = children(server.process.pid());
            assert_eq!(pids.len().to_string(), workers);
            server.process.signal(signal);
            let (code, said) = server.process.end();
            assert_eq!(code, 0, "{signal}, {workers} workers: {said}");
            assert!(pids.into_iter().all(is_gone));
            assert!(!said.contains("WARN") && !said.contains("ERROR"), "{said}");
        }
    }
}

#[test]
fn a_second_signal_ends_workers_that_do_not_listen() {
    let site = Site::new();
    let server = site.serve(&["--workers", "2"]);
    for worker in children(server.process.pid()) {
        kill(Pid::from_raw(worker), Signal::SIGSTOP).unwrap();
    }
    server.process.signal(Signal::SIGTERM);
    server.process.line_with("finishing what has begun", 0);
    let before = Instant::now();
    server.process.signal(Signal::SIGTERM);
    let (code, said) = server.process.end();
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("stopping at once") && before.elapsed() < END,
        "{said}"
    );
}

#[test]
fn the_graceful_timeout_ends_workers_that_do_not_listen() {
    let site = Site::new();
    let server = site.serve(&["--workers", "1", "--graceful-timeout", "100ms"]);
    let [worker] = children(server.process.pid())[..] else {
        panic!("one worker")
    };
    kill(Pid::from_raw(worker), Signal::SIGSTOP).unwrap();
    server.process.signal(Signal::SIGTERM);
    let (code, said) = server.process.end();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("is killed"), "{said}");
}

#[test]
fn a_killed_worker_is_replaced() {
    let site = Site::new();
    let server = site.serve(&["--workers", "2"]);
    let first = children(server.process.pid())[0];
    kill(Pid::from_raw(first), Signal::SIGKILL).unwrap();
    server.process.line_with("was ended by SIGKILL", 0);
    server.process.line_with("worker 3 is ready", 0);
    assert_eq!(children(server.process.pid()).len(), 2);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_worker_whose_loop_is_stuck_is_killed_and_replaced() {
    let site = Site::new();
    let server = site.serve(&["--workers", "1", "--worker-timeout", "500ms"]);
    let [worker] = children(server.process.pid())[..] else {
        panic!("one worker")
    };
    kill(Pid::from_raw(worker), Signal::SIGSTOP).unwrap();
    server.process.line_with("worker 1 is stuck", 0);
    server
        .process
        .line_with("worker 1 does not exit and is killed", 0);
    server.process.line_with("worker 2 is ready", 0);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn workers_disregard_the_signals_of_a_terminal_and_a_supervisor() {
    let site = Site::new();
    let server = site.serve(&["--workers", "1"]);
    let before = children(server.process.pid());
    for signal in [
        Signal::SIGHUP,
        Signal::SIGINT,
        Signal::SIGQUIT,
        Signal::SIGTERM,
        Signal::SIGUSR1,
        Signal::SIGUSR2,
        Signal::SIGWINCH,
        Signal::SIGTTIN,
        Signal::SIGTTOU,
    ] {
        kill(Pid::from_raw(before[0]), signal).unwrap();
    }
    // Had one of them ended the worker, this one would not be its second.
    server.process.signal(Signal::SIGTTIN);
    server.process.line_with("worker 2 is ready", 0);
    assert_eq!(children(server.process.pid())[0], before[0]);
    let (code, said) = server.stop();
    assert!(code == 0 && !said.contains("is replaced"), "{said}");
}

#[test]
fn ttin_and_ttou_add_and_remove_a_worker() {
    let site = Site::new();
    let server = site.serve(&["--workers", "1"]);
    server.process.signal(Signal::SIGTTIN);
    server.process.line_with("2 workers from now on", 0);
    server.process.line_with("worker 2 is ready", 0);
    assert_eq!(children(server.process.pid()).len(), 2);
    server.process.signal(Signal::SIGTTOU);
    server.process.line_with("worker 2 is done", 0);
    assert_eq!(children(server.process.pid()).len(), 1);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn hup_replaces_all_workers_and_a_missing_file_leaves_them_alone() {
    let site = Site::new();
    let server = site.serve(&["--workers", "2"]);
    let old = children(server.process.pid());
    server.process.signal(Signal::SIGHUP);
    server.process.line_with("all workers run generation 2", 0);
    server.process.line_with("worker 1 is done", 0);
    server.process.line_with("worker 2 is done", 0);
    let new = children(server.process.pid());
    assert!(new.len() == 2 && new.iter().all(|pid| !old.contains(pid)));

    fs::remove_file(&site.app).unwrap();
    server.process.signal(Signal::SIGHUP);
    let line = server
        .process
        .line_with("the reload is off, the running generation goes on", 0);
    assert!(
        line.contains("hello.so") && line.contains("No such file"),
        "{line}"
    );
    assert_eq!(children(server.process.pid()), new);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn workers_outlive_neither_their_master_nor_leave_the_port_behind() {
    let site = Site::new();
    let mut server = site.serve(&["--workers", "2"]);
    server.process.signal(Signal::SIGKILL);
    // Its output ends when the last of them has gone.
    let status = server.process.wait();
    assert!(!status.success());
    assert!(server.process.said().contains("the master is gone"));
    assert!(server.address.connect().is_err());
}

#[test]
fn who_finds_its_master_dead_at_its_start_ends_at_once() {
    for words in [
        &["--gatewayd-watch", "3", "/etc/hosts"][..],
        &[
            "--gatewayd-hook",
            "3",
            "info",
            "text",
            "9000",
            "boot",
            "sleep 30",
        ],
    ] {
        // As it is then: the socket is of a process that is not the parent.
        let (_master, theirs) = UnixDatagram::pair().unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec 3<&0; timeout 20 \"$@\"", "sh"]);
        shell.arg(program().get_program()).args(words);
        let status = shell.stdin(OwnedFd::from(theirs)).status().unwrap();
        assert_eq!(status.code(), Some(1), "{words:?}");
    }
}

#[test]
fn an_application_that_is_missing_or_no_file_ends_with_code_4_and_its_name() {
    let site = Site::new();
    for path in [site.path("none.so"), site.folder.path().to_owned()] {
        let path = path.to_str().unwrap();
        let (code, said) = run(&["--bind", "127.0.0.1:0", path]);
        assert_eq!(code, 4, "{said}");
        let told = said.lines().filter(|line| line.contains(path));
        assert_eq!(told.count(), 1, "told once: {said}");
    }
}

#[test]
fn a_port_in_use_ends_with_code_1_and_the_address() {
    let site = Site::new();
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap().to_string();
    let app = site.app.to_str().unwrap();
    // Side by side, for each waits a while for the port.
    let servers = ["0", "1"].map(|workers| {
        Process::start(program().args(["--workers", workers, "--bind", &address, app]))
    });
    for server in servers {
        let (code, said) = server.end();
        assert_eq!(code, 1, "{said}");
        let expected = format!("cannot listen on {address}: the address is in use");
        assert!(said.contains(&expected), "{said}");
    }
}

#[test]
fn a_unix_path_is_refused_while_held_replaced_when_stale_and_removed_at_the_end() {
    let site = Site::new();
    let (path, app) = (site.path("s"), site.app.to_str().unwrap());
    let bind = format!("unix:{}", path.display());

    let holder = UnixListener::bind(&path).unwrap();
    let (code, said) = run(&["--workers", "1", "--bind", &bind, app]);
    assert!(
        code == 1 && said.contains(&bind) && said.contains("in use"),
        "{code}: {said}"
    );
    assert!(path.exists());

    drop(holder);
    let server = Gatewayd::start(program().args(["--workers", "1", "--bind", &bind, app]));
    UnixStream::connect(&path).unwrap();
    assert_eq!(server.stop().0, 0);
    assert!(!path.exists());
}

#[test]
fn a_wrong_command_line_is_told_as_a_whole_with_code_2() {
    let mut command = program();
    command
        .env("GATEWAYD_BACKLOG", "0")
        .args(["--wokers", "4", "--keep-alive", "75", "app.so"]);
    let (code, said) = Process::start(&mut command).end();
    assert_eq!(code, 2, "{said}");
    for expected in [
        "--wokers (command line): there is no such option; did you mean `--workers`?",
        "GATEWAYD_BACKLOG (environment): expected a number from 1 to 65535, found `0`",
        "--keep-alive (command line): expected a time from 0s to 24h",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn nobody_becomes_a_worker_by_hand() {
    let plan = "index=0,count=1,generation=1,config=50,orders=51,slot=52,app=53,listener=54";
    let (code, said) = run(&["--gatewayd-worker", plan]);
    assert!(
        code == 1 && said.contains("for gatewayd's own use"),
        "{code}: {said}"
    );
}

#[test]
fn a_reader_who_does_not_read_the_log_stops_nobody() {
    let (reader, writer) = nix::unistd::pipe().unwrap();
    // Filled to the brim; the flag is the pipe's, so that the server must not see it.
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
    for size in [4096, 1] {
        while nix::unistd::write(&writer, &vec![b'.'; size]).is_ok() {}
    }
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
    lives_without_a_log(writer.into());
    drop(reader);
}

#[test]
fn a_log_on_a_full_disk_or_without_a_reader_stops_nobody() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    lives_without_a_log(full.into());
    let (reader, writer) = nix::unistd::pipe().unwrap();
    drop(reader);
    lives_without_a_log(writer.into());
}

/// Starts, listens and stops.
fn lives_without_a_log(log: Stdio) {
    let site = Site::new();
    let socket = site.path("s");
    let bind = format!("unix:{}", socket.display());
    let mut command = program();
    command
        .args(["--workers", "1", "--bind", &bind])
        .arg(&site.app)
        .stderr(log);
    let mut server = command.spawn().unwrap();
    let pid = Pid::from_raw(i32::try_from(server.id()).unwrap());
    let deadline = Instant::now() + DEADLINE;
    while UnixStream::connect(&socket).is_err() || children(pid.as_raw()).is_empty() {
        assert!(Instant::now() < deadline, "it does not come up");
        std::thread::yield_now();
    }
    kill(pid, Signal::SIGTERM).unwrap();
    assert!(server.wait().unwrap().success());
}

#[test]
fn a_worker_holds_no_foreign_descriptor_and_passes_none_on() {
    let site = Site::new();
    let script = format!("exec \"$@\" 7<{}", site.app.display());
    let mut command = Command::new("sh");
    command
        .args(["-c", &script, "sh"])
        .arg(program().get_program())
        .args(["--workers", "1", "--bind", "127.0.0.1:0"])
        .arg(&site.app)
        .env("NOTIFY_SOCKET", "/nowhere")
        .env("KEPT", "yes");
    let server = Gatewayd::start(&mut command);
    let [worker] = children(server.process.pid())[..] else {
        panic!("one worker")
    };
    for entry in fs::read_dir(format!("/proc/{worker}/fd")).unwrap() {
        let entry = entry.unwrap();
        let number: i32 = entry.file_name().to_str().unwrap().parse().unwrap();
        let target = fs::read_link(entry.path()).unwrap();
        assert_ne!(target, site.app, "descriptor {number} has leaked");
        let info = fs::read_to_string(format!("/proc/{worker}/fdinfo/{number}")).unwrap();
        let flags = info
            .lines()
            .find_map(|line| line.strip_prefix("flags:"))
            .unwrap();
        let flags = u32::from_str_radix(flags.trim(), 8).unwrap();
        assert!(
            number <= 2 || flags & O_CLOEXEC != 0,
            "{number} ({}) leaks",
            target.display()
        );
    }
    let environment = fs::read(format!("/proc/{worker}/environ")).unwrap();
    let environment = String::from_utf8_lossy(&environment);
    assert!(environment.contains("KEPT=yes") && !environment.contains("NOTIFY_SOCKET"));
    assert_eq!(server.stop().0, 0);
}

/// As /proc shows it, in octal.
const O_CLOEXEC: u32 = 0o2_000_000;
