//! As process 1 of a container the server does all that it does elsewhere, and the duties of process 1.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use gateway_tests::artefacts::{Artefacts, install};
use gateway_tests::gatewayd::{Gatewayd, workers_of};
use gateway_tests::until;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A server that is process 1 of a namespace of its own.
struct Container {
    server: Gatewayd,
    /// Its number outside.
    master: i32,
}

impl Container {
    fn start(program: &Path) -> Self {
        let permitted = unshare().arg("true").status();
        assert!(
            permitted.is_ok_and(|status| status.success()),
            "this test needs unshare of util-linux and the right to make namespaces: run it as root, or \
             in a container with --cap-add SYS_ADMIN"
        );
        let server = Gatewayd::start(
            unshare()
                .arg(program)
                .args(["--workers", "2", "--bind", "127.0.0.1:0"])
                .arg(Artefacts::built().module("probe"))
                .env("NO_COLOR", "1"),
        );
        let master = children(server.process.pid())[0];
        let status = fs::read_to_string(format!("/proc/{master}/status")).unwrap();
        let inside = status.lines().find(|line| line.starts_with("NSpid:"));
        assert!(inside.is_some_and(|line| line.ends_with("\t1")), "{status}");
        Self { server, master }
    }

    /// Runs a shell's command inside, where the server is process 1.
    fn run(&self, command: &str) {
        let target = self.master.to_string();
        let status = Command::new("nsenter")
            .args(["--target", &target, "--pid", "--mount", "sh", "-c", command])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(status.unwrap().success(), "{command}");
    }

    /// Sends a signal from inside, and waits for the line that it leads to.
    fn signal(&self, name: &str, line: &str) {
        let from = self.server.process.lines_so_far();
        self.run(&format!("kill -s {name} 1"));
        self.server.process.line_with(line, from);
    }
}

fn unshare() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--kill-child", "--mount-proc"]);
    command
}

fn children(pid: i32) -> Vec<i32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let pids = list.split_whitespace();
    pids.map(|pid| pid.parse().unwrap()).collect()
}

#[test]
fn it_reloads_is_upgraded_reaps_orphans_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("gatewayd");
    install(Artefacts::built().program("gatewayd"), &program);
    let container = Container::start(&program);
    let (server, master) = (&container.server, container.master);

    container.signal("HUP", "all workers run generation 2");
    assert_eq!(server.get("/version").text(), "unset");

    install(Artefacts::built().program("gatewayd"), &program);
    let from = server.process.lines_so_far();
    container.signal("USR2", "has taken over");
    server
        .process
        .line_with("all workers run generation 3", from);
    assert_eq!(server.get("/version").text(), "unset");
    assert_eq!(children(server.process.pid()), [master]);

    container.signal("TTIN", "3 workers from now on");
    until("three workers", || workers_of(master).len() == 3);

    // Whose parent ends is a child of process 1.
    container.run("sleep 1000 &");
    let is_orphan = |pid: &i32| {
        let name = fs::read_to_string(format!("/proc/{pid}/comm"));
        name.is_ok_and(|name| name == "sleep\n")
    };
    let mut orphan = None;
    until("an orphan", || {
        orphan = children(master).into_iter().find(is_orphan);
        orphan.is_some()
    });
    let orphan = orphan.unwrap();
    kill(Pid::from_raw(orphan), Signal::SIGKILL).unwrap();
    let place = format!("/proc/{orphan}");
    until("the orphan's end", || !Path::new(&place).exists());

    container.signal("TERM", "finishing what has begun");
    let (code, said) = container.server.process.end();
    assert_eq!(code, 0, "{said}");
    assert!(!Path::new(&format!("/proc/{master}")).exists());
}
