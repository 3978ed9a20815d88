//! Sockets that others have opened are served and stay theirs; unix sockets and workers belong to whom
//! the operator says.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use gateway_tests::address::Address;
use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::Client;
use gateway_tests::gatewayd::{Gatewayd, program, run};
use gateway_tests::nginx::Nginx;
use gateway_tests::process::Process;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};

fn probe() -> &'static str {
    Artefacts::built().module("probe").to_str().unwrap()
}

/// `gatewayd` started as systemd starts it, with these sockets from descriptor 3 on.
fn activated(sockets: &[&dyn AsFd], names: &str) -> (Command, Vec<String>) {
    let mut script = format!(
        "export LISTEN_PID=$$ LISTEN_FDS={} LISTEN_FDNAMES={names} NOTIFY_SOCKET=/nowhere; ",
        sockets.len()
    );
    // First out of the way, for one of them may have the number that another is to get.
    for (at, socket) in sockets.iter().enumerate() {
        script += &format!("exec {}<&{}; ", 50 + at, socket.as_fd().as_raw_fd());
    }
    for at in 0..sockets.len() {
        script += &format!("exec {}<&{}; ", 3 + at, 50 + at);
    }
    let program = program().get_program().to_str().unwrap().to_owned();
    let words = vec!["-c".into(), script + "exec \"$@\"", "bash".into(), program];
    let mut command = Command::new("bash");
    command.env("NO_COLOR", "1").env_remove("RUST_LOG");
    (command, words)
}

/// Runs `start` while children inherit `sockets` under their numbers.
fn lending<T>(sockets: &[&dyn AsFd], start: impl FnOnce() -> T) -> T {
    let set = |flags| {
        for socket in sockets {
            fcntl(socket.as_fd(), FcntlArg::F_SETFD(flags)).unwrap();
        }
    };
    set(FdFlag::empty());
    let started = start();
    set(FdFlag::FD_CLOEXEC);
    started
}

#[test]
fn a_descriptor_is_served_and_outlives_the_server() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let bind = format!("fd://{}", socket.as_raw_fd());
    for workers in ["2", "0"] {
        let server = lending(&[&socket], || {
            let arguments = ["--workers", workers, "--bind", &bind, probe()];
            Gatewayd::start(program().args(arguments))
        });
        assert_eq!(server.address, Address::Tcp(address));
        assert_eq!(server.get("/pid").status, 200);
        assert_eq!(server.stop().0, 0);
        // Nobody has turned against newcomers: the handshake is the kernel's.
        socket.set_nonblocking(false).unwrap();
        Address::Tcp(address).connect().unwrap();
        socket.accept().unwrap();
    }
}

#[test]
fn systemds_sockets_are_served_by_name_and_a_reload_may_choose_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("admin");
    let (web, admin) = (
        TcpListener::bind("127.0.0.1:0").unwrap(),
        UnixListener::bind(&path).unwrap(),
    );
    let tcp = Address::Tcp(web.local_addr().unwrap());
    let unix = Address::Unix(path.clone());
    let file = folder.path().join("g.toml");
    let write = |bind: &str| {
        let text = format!(
            "app = '{}'\nworkers = 1\nlinger = '100ms'\nbind = {bind}\n",
            probe()
        );
        fs::write(&file, text).unwrap();
    };
    write("'systemd:web'");
    let sockets: [&dyn AsFd; 2] = [&web, &admin];
    let (mut command, words) = activated(&sockets, "web:admin");
    command.args(words).arg("--config").arg(&file);
    let server = lending(&sockets, || Gatewayd::start(&mut command));
    assert_eq!(server.address, tcp);
    let environment = fs::read(format!("/proc/{}/environ", server.workers()[0])).unwrap();
    let environment = String::from_utf8_lossy(&environment).into_owned();
    assert!(
        !environment.contains("LISTEN_") && !environment.contains("NOTIFY_"),
        "{environment}"
    );
    // An upgrade passes them on, asked for or not.
    for (signal, bind, addresses) in [
        (Signal::SIGHUP, "'systemd:admin'", vec![&unix]),
        (Signal::SIGUSR2, "'systemd'", vec![&tcp, &unix]),
        (Signal::SIGUSR2, "'systemd:web'", vec![&tcp]),
        (Signal::SIGHUP, "'systemd:admin'", vec![&unix]),
    ] {
        let before = server.process.lines_so_far();
        write(bind);
        server.process.signal(signal);
        server
            .process
            .line_with("all workers run generation", before);
        for address in addresses {
            assert_eq!(
                Client::get(address, "/pid").status,
                200,
                "{bind}: {address}"
            );
        }
    }
    write("'systemd:other'");
    server.process.signal(Signal::SIGHUP);
    server.process.line_with(
        "cannot listen on systemd:other: expected the server to be started with it, found systemd's \
         web, admin; the reload is off",
        0,
    );
    assert_eq!(server.stop().0, 0);
    assert!(path.exists(), "the path is systemd's");
    tcp.connect().unwrap();
}

#[test]
fn what_was_not_passed_or_does_not_listen_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = fs::File::create(folder.path().join("file")).unwrap();
    let bind = format!("fd://{}", file.as_raw_fd());
    let (code, said) = lending(&[&file], || run(&["--bind", &bind, probe()]));
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains(&format!(
            "cannot listen on {bind}: expected a stream socket"
        )),
        "{said}"
    );
    let (code, said) = run(&["--bind", "fd://900", probe()]);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("fd://900: expected a stream socket that listens, found no open"),
        "{said}"
    );
    // Variables that mean another process mean nothing here.
    let mut command = program();
    command.args(["--bind", "systemd", probe()]);
    command.envs([("LISTEN_PID", "1"), ("LISTEN_FDS", "1")]);
    let (code, said) = Process::start(&mut command).end();
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("cannot listen on systemd: expected the server to be started with it"),
        "{said}"
    );
}

#[test]
fn every_address_of_either_family_is_reached_through_the_unspecified_one() {
    if TcpListener::bind("[::1]:0").is_err() {
        // A machine without IPv6 has nothing to test.
        return;
    }
    let server = Gatewayd::start(program().args(["--workers", "1", "--bind", "[::]:0", probe()]));
    let port = server.address.port();
    for address in [format!("127.0.0.1:{port}"), format!("[::1]:{port}")] {
        let address = Address::Tcp(address.parse().unwrap());
        assert_eq!(Client::get(&address, "/pid").status, 200, "{address}");
    }
}

#[test]
fn nginx_reaches_a_unix_socket_by_default_and_not_when_it_may_not() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let path = folder.path().join("s");
    let bind = format!("unix:{}", path.display());
    let root = geteuid().is_root();
    // Started by root, its workers are another user.
    let nginx = Nginx::start(&Address::Unix(path.clone()), folder.path());
    for (mode, given, expected) in [
        ("0666", false, 200),
        ("0600", false, if root { 502 } else { 200 }),
        ("0660", true, 200),
    ] {
        let mut command = program();
        command.args([
            "--workers",
            "1",
            "--bind",
            &bind,
            "--unix-mode",
            mode,
            probe(),
        ]);
        if given {
            let owner = format!(":{}", nginx.worker_group());
            command.args(["--unix-owner", &owner]);
        }
        let server = Gatewayd::start(&mut command);
        let found = format!("{:04o}", fs::metadata(&path).unwrap().mode() & 0o7777);
        assert_eq!(found, mode);
        let status = Client::get(&nginx.address, "/pid").status;
        assert_eq!(status, expected, "{mode}");
        assert_eq!(server.stop().0, 0);
    }
}

#[test]
fn workers_become_the_user_before_the_application_is_loaded() {
    if !geteuid().is_root() {
        let (code, said) = run(&["--user", "nobody", probe()]);
        assert_eq!(code, 2, "{said}");
        assert!(
            said.contains("--user (command line): expected to be root"),
            "{said}"
        );
        return;
    }
    let arguments = ["--user", "www-data", "--group", "daemon", "--umask", "0027"];
    for workers in ["1", "0"] {
        let server = Gatewayd::serve(
            probe().as_ref(),
            &[&arguments[..], &["--workers", workers]].concat(),
        );
        let pid = server.get("/pid").text().to_owned();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace()
                .skip(1)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(line("Uid:"), "33 33 33 33", "--workers {workers}");
        assert_eq!(line("Gid:"), "1 1 1 1");
        assert!(
            line("Groups:")
                .split(' ')
                .all(|group| group == "1" || group == "33"),
            "{status}"
        );
        assert_eq!(line("Umask:"), "0027");
        assert_eq!(server.stop().0, 0);
    }
    let (code, said) = run(&["--user", "no-such-user", probe()]);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains(
            "--user (command line): expected a user of this system, found `no-such-user`"
        )
    );
}

#[test]
fn a_reload_changes_who_workers_are_and_who_may_connect() {
    let folder = tempfile::tempdir().unwrap();
    let (file, path) = (folder.path().join("g.toml"), folder.path().join("s"));
    let write = |rest: &str| {
        let text = format!(
            "app = '{}'\nworkers = 1\nlinger = '0s'\nlog-level = 'debug'\nbind = 'unix:s'\n{rest}",
            probe()
        );
        fs::write(&file, text).unwrap();
    };
    write("");
    let server = Gatewayd::start(program().arg("--config").arg(&file));
    let before = fs::metadata(&path).unwrap();
    assert_eq!(before.mode() & 0o777, 0o666);
    write("unix-mode = '0600'\numask = '0077'");
    server.process.signal(Signal::SIGHUP);
    server.process.line_with("worker 1 is done", 0);
    let after = fs::metadata(&path).unwrap();
    assert_eq!((after.ino(), after.mode() & 0o777), (before.ino(), 0o600));
    let pid = server.get("/pid").text().parse().unwrap();
    kill(Pid::from_raw(pid), None).unwrap();
    let status =
        fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).unwrap();
    assert!(status.contains("Umask:\t0077"), "{status}");
}

#[test]
fn a_reload_tells_of_a_unix_path_that_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let bind = format!("unix:{}", path.display());
    let server = Gatewayd::start(program().args(["--workers", "1", "--bind", &bind, probe()]));
    fs::remove_file(&path).unwrap();
    server.process.signal(Signal::SIGHUP);
    let line = server.process.line_with("no longer at this path", 0);
    assert!(line.contains("WARN") && line.contains(&bind), "{line}");
    server.process.line_with("all workers run generation 2", 0);
}
