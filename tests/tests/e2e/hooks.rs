//! Hooks are run when something happens, with what has happened, bounded in time; some decide.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use gateway_tests::artefacts::Artefacts;
use gateway_tests::gatewayd::{Gatewayd, program, run};
use gateway_tests::process::Process;
use gateway_tests::until;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A folder with a configuration file, in which hooks leave what they were told.
struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    fn new(more: &str) -> Self {
        let site = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        site.configure(more);
        site
    }

    fn configure(&self, more: &str) {
        let app = Artefacts::built().module("probe").display();
        let text = format!("app = '{app}'\nbind = '127.0.0.1:0'\nworkers = 1\n{more}\n");
        fs::write(self.path("g.toml"), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn start(&self) -> Gatewayd {
        Gatewayd::start(program().arg("--config").arg(self.path("g.toml")))
    }

    /// A hook that writes down its facts, whole or not at all.
    fn note(&self, name: &str) -> String {
        let path = self.path(name).display().to_string();
        format!("hook-{name} = 'env | grep ^GATEWAYD_EVENT >{path}.new; mv {path}.new {path}'\n")
    }

    /// What such a hook was told last, which is taken away.
    fn told(&self, name: &str) -> BTreeMap<String, String> {
        until(name, || self.path(name).exists());
        let text = fs::read_to_string(self.path(name)).unwrap();
        fs::remove_file(self.path(name)).unwrap();
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        pairs
            .map(|(name, value)| (name.replacen("GATEWAYD_EVENT", "", 1), value.to_owned()))
            .collect()
    }
}

fn dead(pid: i32) -> bool {
    !Path::new(&format!("/proc/{pid}")).exists()
}

#[test]
fn each_hook_is_told_what_has_happened() {
    let site = Site::new("");
    let notes = ["boot", "ready", "reload", "worker-exit"].map(|name| site.note(name));
    site.configure(&notes.concat());
    let server = site.start();
    let address = format!("http://{}", server.address);
    for name in ["boot", "ready"] {
        let told = site.told(name);
        assert_eq!(told[""], name);
        assert_eq!(told["_ADDRESSES"], address);
        assert_eq!(told["_MASTER"], server.process.pid().to_string());
    }
    let worker = server.workers()[0];
    kill(Pid::from_raw(worker), Signal::SIGKILL).unwrap();
    let told = site.told("worker-exit");
    assert_eq!(told["_PID"], worker.to_string());
    assert_eq!((&*told["_WORKER"], &*told["_SIGNAL"]), ("1", "SIGKILL"));
    assert!(told["_PEAK_MEMORY"].parse::<u64>().unwrap() > 1 << 20);

    // Its replacement serves.
    assert_eq!(server.get("/version").status, 200);
    server.process.signal(Signal::SIGHUP);
    assert_eq!(site.told("ready")["_GENERATION"], "2");
    assert_eq!(site.told("worker-exit")["_CODE"], "0");
    let told = site.told("reload");
    assert_eq!((&*told["_OUTCOME"], &*told["_GENERATION"]), ("ok", "2"));
    site.configure("wrokers = 2");
    server.process.signal(Signal::SIGHUP);
    let told = site.told("reload");
    assert_eq!(told["_OUTCOME"], "failed");
    assert_eq!(told["_MASTER"], server.process.pid().to_string());
    assert!(
        told["_REASON"].contains("did you mean `workers`?"),
        "{told:?}"
    );
    // What judges an upgrade is told the same.
    site.configure(&notes.concat());
    server.process.signal(Signal::SIGUSR2);
    let told = site.told("ready");
    assert_eq!(told["_MASTER"], server.process.pid().to_string());
    assert_eq!(told["_ADDRESSES"], "");
    assert_eq!(site.told("worker-exit")["_CODE"], "0");
    assert_eq!(site.told("reload")["_OUTCOME"], "ok");
    // The end of the last worker is told although the server ends with it.
    assert_eq!(server.stop().0, 0);
    assert_eq!(site.told("worker-exit")["_CODE"], "0");
}

#[test]
fn what_a_hook_says_is_json_where_the_log_is() {
    let site = Site::new("log-format = 'json'\nhook-boot = 'echo \"all\\\" set\"'\n");
    let server = site.start();
    let (_, said) = server.stop();
    let parse = |line: &str| -> serde_json::Value {
        serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))
    };
    let lines: Vec<_> = said.lines().map(parse).collect();
    let told = "hook boot: all\" set";
    assert!(lines.iter().any(|line| line["message"] == told), "{said}");
}

#[test]
fn a_ready_hook_that_fails_keeps_the_old_generation_and_the_old_program() {
    let site = Site::new("");
    let bad = site.path("bad");
    let text = format!(
        "hook-ready = 'test ! -e {} || {{ echo the shop is shut; exit 3; }}'\n",
        bad.display()
    );
    site.configure(&text);
    let server = site.start();
    let before = server.get("/pid").text().to_owned();
    fs::write(&bad, "").unwrap();
    let failed = "hook ready exited with code 3: the shop is shut; the";
    for (signal, words) in [
        (Signal::SIGHUP, format!("{failed} reload is off")),
        (Signal::SIGUSR2, format!("{failed} upgrade is off")),
    ] {
        server.process.signal(signal);
        server.process.line_with(&words, 0);
        assert_eq!(server.get("/pid").text(), before);
    }
    server.process.line_with("hook ready: the shop is shut", 0);
    fs::remove_file(&bad).unwrap();
    server.process.signal(Signal::SIGHUP);
    server.process.line_with("all workers run generation", 0);
    assert_ne!(server.get("/pid").text(), before);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_hook_that_fails_at_the_start_ends_it() {
    let module = Artefacts::built().module("probe").to_str().unwrap();
    for hook in ["boot", "ready"] {
        let flag = format!("--hook-{hook}=echo closed; exit 1");
        let (code, said) = run(&["--workers", "2", "--bind", "127.0.0.1:0", &flag, module]);
        assert_eq!(code, 1, "{said}");
        let why = format!("hook {hook} exited with code 1: closed");
        assert!(said.contains(&why) && !said.contains("ready in "), "{said}");
    }
    let arguments = ["--workers", "0", "--hook-ready", "exit 1"];
    let server = Gatewayd::serve(module.as_ref(), &arguments);
    let (_, said) = server.stop();
    assert!(
        said.contains("a server of one process runs no hooks"),
        "{said}"
    );
}

#[test]
fn a_hook_that_does_not_end_holds_nobody_up_and_is_killed_with_what_it_started() {
    let site = Site::new("");
    let pids = site.path("pids");
    let text = format!(
        "hook-timeout = '1s'\nhook-worker-exit = 'sleep 611 & echo $$ $! >>{}; wait'\n",
        pids.display()
    );
    site.configure(&text);
    let server = site.start();
    let worker = server.workers()[0];
    kill(Pid::from_raw(worker), Signal::SIGKILL).unwrap();
    // A new worker serves while the hook runs.
    until("another worker", || {
        server.workers().iter().any(|pid| *pid != worker)
    });
    assert_eq!(server.get("/version").status, 200);
    server
        .process
        .line_with("hook worker-exit took longer than 1 s and was killed", 0);
    let told = fs::read_to_string(&pids).unwrap();
    for pid in told.split_whitespace() {
        let pid = pid.parse().unwrap();
        until("the end of the hook", || dead(pid));
    }
    // Nor does it keep a server from ending.
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_server_that_is_told_to_stop_waits_for_no_boot_hook() {
    let module = Artefacts::built().module("probe");
    let mut command = program();
    command.args(["--workers", "1", "--bind", "127.0.0.1:0"]);
    command.args(["--hook-boot", "echo begun; sleep 612"]);
    let process = Process::start(command.arg(module));
    process.line_with("hook boot: begun", 0);
    process.signal(Signal::SIGTERM);
    assert_eq!(process.end().0, 0);
}
