//! A hostile application in the sandbox meets a wall wherever it turns, and the rest goes on working.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use gateway_tests::artefacts::{self, Artefacts};
use gateway_tests::client::Client;
use gateway_tests::gatewayd::{Gatewayd, program, run};
use gateway_tests::until;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::pty::openpty;
use nix::sys::signal::Signal;
use nix::unistd::{geteuid, read};

const EPERM: i32 = 1;
const EACCES: i32 = 13;
const ENOSYS: i32 = 38;

fn hostile(folder: &Path) -> PathBuf {
    artefacts::hostile(&["walls"], &["-DHOSTILE_WALLS"], folder)
}

/// What came of a try: 0, or an errno.
fn attempt(server: &Gatewayd, what: &str) -> i32 {
    let response = Client::get(&server.address, &format!("/wall/{what}"));
    let text = response.text();
    text.parse().unwrap_or_else(|_| panic!("{what}: {text}"))
}

fn is_shut(errno: i32) -> bool {
    [EPERM, EACCES, ENOSYS].contains(&errno)
}

/// A folder with files to harm, inside and outside of what may be written.
struct Site {
    folder: tempfile::TempDir,
    module: PathBuf,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["inside", "outside"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let module = hostile(folder.path());
        Self { folder, module }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn serve(&self, arguments: &[&str]) -> Gatewayd {
        Gatewayd::serve(&self.module, arguments)
    }
}

#[test]
fn every_wall_holds_and_would_be_open_without() {
    let site = Site::new();
    let outside = |name: &str| site.path(&format!("outside/{name}"));
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = port.local_addr().unwrap().port();
    let unix = outside("socket");
    let _listener = UnixListener::bind(&unix).unwrap();
    let confined = site.serve(&["--workers", "2", "--sandbox", "required"]);
    let free = site.serve(&["--workers", "2"]);
    let files = [
        "write",
        "truncate",
        "folder",
        "link",
        "set-id",
        "give-away",
        "create-set-id",
        "remove",
    ];
    let mut tries: Vec<String> = files
        .iter()
        .map(|name| {
            let file = match *name {
                "truncate" | "set-id" | "give-away" | "remove" => "victim".to_owned(),
                name => format!("new-{name}"),
            };
            format!("{name}{}", outside(&file))
        })
        .collect();
    let plain = [
        "fork",
        "spawn",
        "exec",
        "exec-at",
        "exec-memory",
        "bind/0",
        "listen",
        "listen-again",
        "udp/9",
        "signal",
        "limit",
        "nice",
        "nice-group",
        "place",
        "schedule",
        "attributes",
        "order",
        "pages",
        "owner",
        "owner-ex",
        "owner-signal",
        "owner-ioctl",
        "owner-socket",
        "trace",
    ];
    tries.extend(plain.map(str::to_owned));
    tries.push(format!("connect/{port}"));
    tries.push(format!("fastopen/{port}"));
    tries.push(format!("unix{unix}"));
    for what in &tries {
        fs::write(outside("victim"), "precious").unwrap();
        assert!(is_shut(attempt(&confined, what)), "{what} is open");
        assert_eq!(fs::read_to_string(outside("victim")).unwrap(), "precious");
        let errno = attempt(&free, what);
        assert!(!is_shut(errno), "{what}: {errno} without a sandbox");
    }
    // Without a sandbox these are open to some, or to nobody.
    for what in [
        "raw",
        "packet",
        "mount",
        "namespace",
        "root",
        "kexec",
        "module",
        "bpf",
        "perf",
        "keys",
        "uring",
        "fault",
        "mptcp/9",
    ] {
        assert!(is_shut(attempt(&confined, what)), "{what} is open");
    }
    assert!(is_shut(attempt(
        &confined,
        &format!("device{}", outside("dev"))
    )));
    #[cfg(target_arch = "x86_64")]
    assert_eq!(attempt(&confined, "other-abi"), EPERM);
    // Neither the master's memory nor another worker's, and no file of the kernel's.
    for pid in confined
        .workers()
        .into_iter()
        .chain([confined.process.pid()])
    {
        let errno = attempt(&confined, &format!("write/proc/{pid}/oom_score_adj"));
        assert!(is_shut(errno), "{errno}");
    }
    for pid in [confined.process.pid(), free.workers()[0]] {
        let errno = attempt(&confined, &format!("memory/{pid}"));
        assert!(is_shut(errno), "{errno}");
    }
    let stays = |server: &Gatewayd| assert_eq!(Client::get(&server.address, "/ok").status, 200);
    stays(&confined);
    assert_eq!(confined.stop().0, 0);
}

#[test]
fn nothing_is_typed_into_the_terminal_that_the_server_was_started_from() {
    let site = Site::new();
    let terminal = openpty(None, None).unwrap();
    fcntl(&terminal.slave, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
    let name = fs::read_link(format!("/proc/self/fd/{}", terminal.slave.as_raw_fd())).unwrap();
    let serve = |arguments: &[&str]| {
        let mut command = Command::new("sh");
        command.env("TERMINAL", &name).env_remove("RUST_LOG");
        command.args(["-c", "exec \"$@\" <\"$TERMINAL\"", "sh"]);
        command.arg(program().get_program());
        command.args(["--workers", "1", "--bind", "127.0.0.1:0"]);
        Gatewayd::start(command.args(arguments).arg(&site.module))
    };
    let typed = || {
        let mut line = [0; 8];
        read(&terminal.slave, &mut line)
    };
    let confined = serve(&["--sandbox", "required"]);
    for what in ["type", "paste", "type/dev/null"] {
        assert_eq!(attempt(&confined, what), EPERM, "{what}");
    }
    assert_eq!(typed(), Err(Errno::EAGAIN));
    assert_eq!(confined.stop().0, 0);
    let free = serve(&[]);
    assert!(!is_shut(attempt(&free, "type/dev/null")));
    // The kernel itself keeps those from it whose terminal it is not.
    if geteuid().is_root() {
        assert_eq!(attempt(&free, "type"), 0);
        assert_eq!(typed(), Ok(1));
    }
}

#[test]
fn what_is_named_and_what_is_harmless_goes_on_working() {
    let site = Site::new();
    let (inside, log) = (site.path("inside"), site.path("access.log"));
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let unix = site.path("outside/socket");
    let _listener = UnixListener::bind(&unix).unwrap();
    let [tcp, other] = [&tcp, &other].map(|one| one.local_addr().unwrap().port());
    let udp = udp.local_addr().unwrap().port();
    let server = site.serve(&[
        "--workers",
        "1",
        "--sandbox",
        "required",
        "--sandbox-write",
        &inside,
        "--sandbox-connect",
        &tcp.to_string(),
        "--sandbox-connect",
        "udp",
        "--sandbox-connect",
        "unix",
        "--access-log",
        &log,
    ]);
    for what in [
        "thread",
        "chance",
        "pair",
        "look-up",
        "library",
        "signal-self",
        "nice-self",
        "place-self",
        "schedule-self",
        "order-self",
        "read/etc/passwd",
        "write/dev/null",
    ] {
        assert_eq!(attempt(&server, what), 0, "{what}");
    }
    for name in ["write", "truncate", "remove", "folder"] {
        assert_eq!(
            attempt(&server, &format!("{name}{inside}/file")),
            0,
            "{name}"
        );
    }
    for name in ["create-set-id", "device"] {
        let errno = attempt(&server, &format!("{name}{inside}/bad"));
        assert!(is_shut(errno), "{name}: {errno}");
    }
    assert_eq!(attempt(&server, &format!("connect/{tcp}")), 0);
    assert_eq!(attempt(&server, &format!("unix{unix}")), 0);
    assert_eq!(attempt(&server, &format!("udp/{udp}")), 0);
    for what in [
        format!("connect/{other}"),
        format!("mptcp/{other}"),
        format!("fastopen/{other}"),
        "listen".to_owned(),
        "bind/0".to_owned(),
        format!("write{}", site.path("outside/new")),
    ] {
        let errno = attempt(&server, &what);
        assert!(is_shut(errno), "{what}: {errno}");
    }
    // Logs are the master's to open, also anew.
    fs::rename(&log, site.path("old.log")).unwrap();
    server.process.signal(Signal::SIGUSR1);
    until("a line in the new log", || {
        attempt(&server, "chance");
        fs::read_to_string(&log).is_ok_and(|text| text.contains("/wall/chance"))
    });
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_reload_raises_the_walls_and_takes_them_away() {
    let site = Site::new();
    let file = site.path("g.toml");
    let configure = |more: &str| {
        let app = site.module.display();
        let text = format!("app = '{app}'\nbind = '127.0.0.1:0'\nworkers = 1\n{more}\n");
        fs::write(&file, text).unwrap();
    };
    configure("");
    let server = Gatewayd::start(program().args(["--config", &file]));
    assert_eq!(attempt(&server, "fork"), 0);
    for (generation, more, errno) in [
        (
            2,
            "sandbox = 'possible'\nsandbox-connect = [5432, 'udp']",
            EPERM,
        ),
        (3, "sandbox = 'off'", 0),
    ] {
        configure(more);
        server.process.signal(Signal::SIGHUP);
        let done = format!("all workers run generation {generation}");
        server.process.line_with(&done, 0);
        assert_eq!(attempt(&server, "fork"), errno);
    }
    // A place that is not there is named, and the old worker serves on.
    configure("sandbox = 'required'\nsandbox-write = '/nowhere'");
    server.process.signal(Signal::SIGHUP);
    let expected = "--sandbox required: /nowhere: No such file or directory";
    let line = server.process.line_with("the reload is off", 0);
    assert!(line.contains(expected), "{line}");
    assert_eq!(attempt(&server, "fork"), 0);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn check_config_says_what_the_running_kernel_can_do() {
    let module = Artefacts::built().module("probe").to_str().unwrap();
    let (code, said) = run(&["check-config", "--sandbox", "required", module]);
    assert_eq!(code, 0, "{said}");
    for line in [
        "what this kernel can do of a sandbox (Landlock ",
        "no program and no process is started         yes",
        "no file is written outside named places      yes",
        "TCP goes to named ports alone                yes",
    ] {
        assert!(said.contains(line), "no {line:?} in:\n{said}");
    }
    let arguments = [
        "--workers",
        "0",
        "--sandbox",
        "possible",
        "--bind",
        "127.0.0.1:0",
    ];
    let (code, said) = run(&[&arguments[..], &[module]].concat());
    assert!(
        code == 2 && said.contains("--sandbox (command line): expected workers beside it"),
        "{said}"
    );
}
