//! What breaks around the server or within an application costs at most what was at it.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::process::Stdio;

use gateway_tests::address::Address;
use gateway_tests::artefacts::{Artefacts, compile};
use gateway_tests::client::{Client, get};
use gateway_tests::gatewayd::{Gatewayd, program};
use gateway_tests::until;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{Shutdown, shutdown};
use nix::unistd::Pid;

fn probe(arguments: &[&str]) -> Gatewayd {
    Gatewayd::serve(Artefacts::built().module("probe"), arguments)
}

fn send(server: &Gatewayd, target: &str) -> Client {
    let mut client = server.connect();
    client.send(get(target));
    client
}

/// Serves the probe on `socket` and on a port of its own, with one worker.
fn lent(socket: &TcpListener, arguments: &[&str]) -> Gatewayd {
    fcntl(socket, FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
    let bind = format!("fd://{}", socket.as_raw_fd());
    let mut command = program();
    command.args(["--workers", "1", "--bind", "127.0.0.1:0", "--bind", &bind]);
    command.args(arguments);
    command.arg(Artefacts::built().module("probe"));
    let server = Gatewayd::start(&mut command);
    fcntl(socket, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).unwrap();
    server
}

/// A module that does to its process whatever it can.
fn hostile(arguments: &[&str]) -> (Gatewayd, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let sources = ["hostile", "answers", "bodies", "async", "faults"];
    let sources = sources.map(|name| format!("tests/hostile/{name}.c"));
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    let flags = ["-std=gnu11", "-pthread", "-DHOSTILE_FAULTS"];
    let module = compile(&sources, &flags, folder.path());
    (Gatewayd::serve(&module, arguments), folder)
}

#[test]
fn a_stuck_worker_without_its_master_ends_and_gives_the_port_back() {
    let mut server = probe(&["--workers", "1", "--graceful-timeout", "500ms"]);
    let address = server.address.to_string();
    let _hangs = send(&server, "/block/60000");
    server.process.line_with("blocking the loop", 0);
    server.process.signal(Signal::SIGKILL);
    // Nor does the worker hold its end of the output.
    assert!(!server.process.wait().success());
    TcpListener::bind(address).expect("the port to be free");
}

#[test]
fn logs_on_a_full_disk_lose_lines_and_no_request() {
    for workers in ["0", "1"] {
        let server = probe(&["--workers", workers, "--access-log", "/dev/full"]);
        assert_eq!(server.get("/version").status, 200);
        let line = server.process.line_with("the access log loses lines", 0);
        assert!(line.contains("No space left on device"), "{line}");
        for _ in 0..3 {
            // As long as it takes until lines are written.
            assert_eq!(server.get("/sleep/300").status, 200);
        }
        let (code, said) = server.stop();
        assert_eq!(code, 0, "{said}");
        assert_eq!(said.matches("loses lines").count(), 1, "{said}");
    }
}

#[test]
fn standard_error_on_a_full_disk_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let unix = Address::Unix(path.clone());
    for workers in ["0", "2"] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = program();
        command
            .args(["--workers", workers, "--bind"])
            .arg(format!("unix:{}", path.display()))
            .args(["--access-log", "-"])
            .arg(Artefacts::built().module("probe"))
            .stdout(full.try_clone().unwrap())
            .stderr(Stdio::from(full));
        let mut child = command.spawn().unwrap();
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
        until("the server", || unix.connect().is_ok());
        for signal in [Signal::SIGHUP, Signal::SIGUSR1] {
            assert_eq!(Client::get(&unix, "/log").status, 200);
            kill(pid, signal).unwrap();
        }
        assert_eq!(Client::get(&unix, "/log").status, 200);
        kill(pid, Signal::SIGTERM).unwrap();
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn whatever_an_application_writes_into_shared_memory_the_others_serve() {
    let (server, _folder) = hostile(&["--workers", "2", "--worker-timeout", "2s"]);
    let workers = server.workers();
    for kind in ["ones", "noise", "zeros"] {
        let said = server.get(&format!("/scribble/{kind}"));
        assert_eq!(said.text(), "2 mappings", "{kind}");
        for _ in 0..20 {
            assert_eq!(server.get("/ok").text(), "ok", "{kind}");
        }
    }
    assert_eq!(server.get("/shrink").text(), "0 shrunk");
    assert_eq!(server.workers(), workers, "{}", server.process.said());
    server.process.signal(Signal::SIGHUP);
    server.process.line_with("all workers run generation 2", 0);
    // The others are heard.
    assert_ne!(server.get("/babble").text(), "0 told");
    server.process.line_with("sends what no worker would", 0);
    assert_eq!(server.get("/ok").text(), "ok");
    server.process.signal(Signal::SIGHUP);
    server.process.line_with("all workers run generation 3", 0);
    let (code, said) = server.stop();
    assert!(code == 0 && !said.contains("was ended by"), "{said}");
}

#[test]
fn a_program_that_an_application_leaves_behind_has_nothing_of_the_servers() {
    for workers in ["0", "1"] {
        let (server, _folder) = hostile(&["--workers", workers]);
        let address = server.address.to_string();
        let pid: i32 = server.get("/subprocess").text().parse().unwrap();
        until("the program to run", || {
            fs::read(format!("/proc/{pid}/cmdline"))
                .unwrap()
                .starts_with(b"sleep")
        });
        let open: Vec<_> = fs::read_dir(format!("/proc/{pid}/fd"))
            .unwrap()
            .map(|entry| fs::read_link(entry.unwrap().path()).unwrap())
            .collect();
        assert_eq!(server.stop().0, 0);
        let free = TcpListener::bind(address);
        kill(Pid::from_raw(pid), Signal::SIGKILL).expect("it outlives the server");
        assert!(free.is_ok(), "{free:?}, {open:?}");
        // What whoever starts the server leaves open, workers close.
        let null = |path: &PathBuf| path.as_os_str() == "/dev/null";
        let only = open.len() == 3 && open.iter().all(null);
        assert!(only || workers == "0", "{open:?}");
    }
}

#[test]
fn a_call_that_is_killed_without_a_word_is_named() {
    let server = probe(&["--workers", "1"]);
    let _dies = send(&server, "/block/60000?secret");
    server.process.line_with("blocking the loop", 0);
    kill(Pid::from_raw(server.workers()[0]), Signal::SIGKILL).unwrap();
    let told = server
        .process
        .line_with("worker 1 was at GET /block/60000 (id ", 0);
    assert!(told.ends_with("), whose call did not return"), "{told}");
    assert_eq!(server.get("/version").status, 200);
    let (code, said) = server.stop();
    assert!(code == 0 && !said.contains("secret"), "{said}");
}

#[test]
fn a_worker_that_is_stopped_for_a_moment_goes_on() {
    let server = probe(&["--workers", "1"]);
    let workers = server.workers();
    let worker = Pid::from_raw(workers[0]);
    kill(worker, Signal::SIGSTOP).unwrap();
    let mut waits = send(&server, "/version");
    kill(worker, Signal::SIGCONT).unwrap();
    assert_eq!(waits.response().status, 200);
    assert_eq!(server.workers(), workers);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_listener_that_its_owner_shuts_is_dropped_once_and_the_others_serve() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = Address::Tcp(socket.local_addr().unwrap());
    let server = lent(&socket, &[]);
    assert_eq!(Client::get(&address, "/version").status, 200);
    shutdown(socket.as_raw_fd(), Shutdown::Both).unwrap();
    let line = server
        .process
        .line_with("accepts no connections any more", 0);
    assert!(line.contains(&address.to_string()), "{line}");
    assert_eq!(server.get("/version").status, 200);
    let (code, said) = server.stop();
    assert_eq!(code, 0, "{said}");
    assert_eq!(said.matches("no connections any more").count(), 1, "{said}");
}

#[test]
fn who_waits_at_anothers_socket_is_left_to_its_owner_at_a_stop() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let server = lent(&socket, &["--max-connections", "1"]);
    // The one connection that there may be.
    let mut first = Client::connect(&Address::Tcp(address));
    first.send(get("/draining"));
    let waits = TcpStream::connect(address).unwrap();
    server.process.signal(Signal::SIGTERM);
    assert_eq!(first.response().text(), "draining");
    let (code, said) = server.process.end();
    assert_eq!(code, 0, "{said}");
    socket.set_nonblocking(true).unwrap();
    let (_, peer) = socket.accept().expect("who waits to be left");
    assert_eq!(peer, waits.local_addr().unwrap());
    // Nor are newcomers turned away.
    TcpStream::connect(address).unwrap();
    socket.accept().expect("a newcomer");
}

#[test]
fn in_one_process_the_service_managers_words_are_answered_and_hidden() {
    for workers in ["0", "1"] {
        let mut command = program();
        command.args(["--workers", workers, "--bind", "127.0.0.1:0"]);
        command.arg(Artefacts::built().module("probe"));
        for variable in ["NOTIFY_SOCKET", "LISTEN_FDNAMES", "WATCHDOG_USEC"] {
            command.env(variable, "1");
        }
        let server = Gatewayd::start(&mut command);
        let seen = server.get("/environment");
        assert!(seen.text().contains("PATH"), "{}", seen.text());
        for prefix in ["NOTIFY_", "LISTEN_", "WATCHDOG_"] {
            assert!(!seen.text().contains(prefix), "{workers}: {}", seen.text());
        }
        if workers == "0" {
            server
                .process
                .line_with("tells the service manager nothing", 0);
            server.process.signal(Signal::SIGHUP);
            server
                .process
                .line_with("SIGHUP reopens logs and reloads nothing", 0);
            server.process.signal(Signal::SIGUSR2);
            server
                .process
                .line_with("SIGUSR2 means nothing to a server of one", 0);
        }
        assert_eq!(server.stop().0, 0);
    }
}
