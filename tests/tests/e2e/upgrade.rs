//! USR2 gives the running server a new program, or a reason why not; nothing else changes.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use gateway_tests::artefacts::{Artefacts, install};
use gateway_tests::client::get;
use gateway_tests::gatewayd::{Gatewayd, program_at};
use gateway_tests::load::{Load, Plan};
use gateway_tests::until;
use nix::sys::signal::Signal;
use tempfile::TempDir;

/// A program and an application that may be replaced.
struct Site {
    folder: TempDir,
    program: PathBuf,
    app: PathBuf,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (program, app) = (folder.path().join("gatewayd"), folder.path().join("app.so"));
        install(Artefacts::built().program("gatewayd"), &program);
        fs::copy(Artefacts::built().module("probe"), &app).unwrap();
        Self {
            folder,
            program,
            app,
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program_at(&self.program);
        command
            .args(["--bind", "127.0.0.1:0", "--log-level", "debug"])
            .args(arguments)
            .arg(&self.app);
        command
    }

    fn serve(&self, arguments: &[&str]) -> Gatewayd {
        Gatewayd::start(&mut self.command(arguments))
    }

    /// Puts a new file in the program's place.
    fn replace_program(&self, with: &Path) {
        install(with, &self.program);
    }
}

/// Sends USR2 and waits for all workers to be new ones.
fn upgrade(server: &Gatewayd) {
    let from = server.process.lines_so_far();
    server.process.signal(Signal::SIGUSR2);
    server.process.line_with("has taken over", from);
    server.process.line_with("all workers run generation", from);
}

/// Sends USR2 and answers why nothing came of it.
fn refusal(server: &Gatewayd) -> String {
    let from = server.process.lines_so_far();
    server.process.signal(Signal::SIGUSR2);
    let line = server.process.line_with("the upgrade is off", from);
    assert!(line.contains("ERROR"), "{line}");
    line
}

fn load(server: &Gatewayd) -> Load {
    Load::start(&Plan {
        clients: 2,
        pace: Duration::from_millis(5),
        ..Plan::new(&server.address, get("/version"))
    })
}

fn inode(path: impl AsRef<Path>) -> u64 {
    fs::metadata(path).unwrap().ino()
}

#[test]
fn the_new_program_has_the_old_ones_number_port_connections_and_counts() {
    let site = Site::new();
    let server = site.serve(&["--workers", "2"]);
    let old = server.workers();
    let mut busy = server.connect();
    busy.send([get("/pid"), get("/sleep/500")].concat());
    assert_eq!(busy.response().status, 200);
    site.replace_program(Artefacts::built().program("gatewayd"));
    upgrade(&server);
    let running = format!("/proc/{}/exe", server.process.pid());
    assert_eq!(inode(running), inode(&site.program));
    // The connection is still with the worker that had it.
    assert_eq!(busy.response().text(), "slept");
    until("end of the old workers", || {
        let now = server.workers();
        now.len() == 2 && !now.iter().any(|pid| old.contains(pid))
    });
    assert_eq!(server.get("/version").text(), "unset");
    let command = fs::read(format!("/proc/{}/cmdline", server.process.pid())).unwrap();
    let command = String::from_utf8_lossy(&command).into_owned();
    assert!(
        command.ends_with(&format!("{}\0", site.app.display())),
        "{command}"
    );
    // And again, with what the first upgrade has left.
    upgrade(&server);
    assert_eq!(server.get("/version").text(), "unset");
    let (code, said) = server.stop();
    assert!(
        code == 0 && said.contains("stopped; 4 requests served"),
        "{said}"
    );
    assert!(!said.contains("WARN"), "{said}");
}

#[test]
fn nothing_that_is_wrong_with_a_new_program_changes_anything() {
    let site = Site::new();
    let server = site.serve(&["--workers", "2", "--boot-timeout", "1s"]);
    let pids = server.workers();
    let load = load(&server);
    let path = site.program.display().to_string();

    fs::remove_file(&site.program).unwrap();
    let line = refusal(&server);
    assert!(
        line.contains(&path) && line.contains("No such file"),
        "{line}"
    );

    fs::write(&site.program, "no program at all").unwrap();
    let line = refusal(&server);
    assert!(
        line.contains(&path) && line.contains("Permission denied"),
        "{line}"
    );

    fs::set_permissions(&site.program, fs::Permissions::from_mode(0o755)).unwrap();
    let line = refusal(&server);
    assert!(
        line.contains("the new program could not be executed"),
        "{line}"
    );

    // One of another kind, as any program that knows nothing of this.
    site.replace_program(Path::new("/bin/false"));
    let line = refusal(&server);
    assert!(line.contains("exited with code 1 without a word"), "{line}");

    let source = site.folder.path().join("hangs.c");
    fs::write(
        &source,
        "#include <unistd.h>\nint main(void) { for (;;) pause(); }\n",
    )
    .unwrap();
    let hangs = compile_program(&source);
    site.replace_program(&hangs);
    let line = refusal(&server);
    assert!(line.contains("was not ready 1 s after its start"), "{line}");

    // A server that does not take this command line.
    site.replace_program(Artefacts::built().program("own-binary"));
    let line = refusal(&server);
    assert!(line.contains("app.so"), "{line}");

    load.more(20);
    load.stop().expect_no_failure();
    assert_eq!(server.workers(), pids);
    site.replace_program(Artefacts::built().program("gatewayd"));
    upgrade(&server);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn an_application_that_is_broken_or_does_not_start_stops_an_upgrade() {
    let site = Site::new();
    let server = site.serve(&["--workers", "1"]);
    let pids = server.workers();
    let load = load(&server);
    let app = fs::read(&site.app).unwrap();
    fs::write(&site.app, "no longer an ELF file").unwrap();
    let line = refusal(&server);
    assert!(line.contains("app.so") && line.contains("ELF"), "{line}");
    fs::remove_file(&site.app).unwrap();
    let line = refusal(&server);
    assert!(
        line.contains("app.so") && line.contains("No such file"),
        "{line}"
    );
    assert_eq!(server.workers(), pids);
    load.more(20);
    load.stop().expect_no_failure();
    fs::write(&site.app, app).unwrap();
    upgrade(&server);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_configuration_that_has_become_wrong_stops_an_upgrade_and_a_new_one_counts() {
    let site = Site::new();
    let file = site.folder.path().join("gatewayd.toml");
    fs::write(&file, "workers = 1\n").unwrap();
    let server = site.serve(&["--config", file.to_str().unwrap()]);
    let pids = server.workers();
    fs::write(&file, "wokers = 2\n").unwrap();
    let line = refusal(&server);
    assert!(
        line.contains("gatewayd.toml") && line.contains("wokers"),
        "{line}"
    );
    assert_eq!(server.workers(), pids);
    fs::write(&file, "workers = 3\n").unwrap();
    upgrade(&server);
    until("three workers", || server.workers().len() == 3);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn what_only_a_restart_changes_stays_and_is_told() {
    let site = Site::new();
    let folder = site.folder.path().display();
    let file = site.folder.path().join("gatewayd.toml");
    fs::write(&file, "workers = 1\n").unwrap();
    let server = site.serve(&["--config", file.to_str().unwrap()]);
    fs::write(&file, format!("workers = 1\npid = '{folder}/new'\n")).unwrap();
    for signal in [Signal::SIGHUP, Signal::SIGUSR2, Signal::SIGUSR2] {
        let from = server.process.lines_so_far();
        server.process.signal(signal);
        server.process.line_with("all workers run generation", from);
        server
            .process
            .line_with("pid stays unset: only a restart", from);
    }
    assert!(!site.folder.path().join("new").exists());
    assert_eq!(server.stop().0, 0);

    let old = format!("{folder}/old");
    let server = site.serve(&["--config", file.to_str().unwrap(), "--pid", &old]);
    fs::write(&file, "workers = 1\n").unwrap();
    upgrade(&server);
    let (code, said) = server.stop();
    assert!(code == 0 && !said.contains("WARN"), "{said}");
    assert!(!Path::new(&old).exists());
}

#[test]
fn a_log_file_that_cannot_be_opened_any_more_stops_an_upgrade() {
    let site = Site::new();
    let logs = site.folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    let log = logs.join("access.log");
    let server = site.serve(&["--workers", "1", "--access-log", log.to_str().unwrap()]);
    fs::remove_dir_all(&logs).unwrap();
    let line = refusal(&server);
    assert!(line.contains("access.log: cannot open it"), "{line}");
    assert_eq!(server.get("/version").status, 200);
    fs::create_dir(&logs).unwrap();
    upgrade(&server);
    // The worker that is leaving, whose log is gone, may still answer some.
    until("line in the new log", || {
        assert_eq!(server.get("/version").status, 200);
        fs::read_to_string(&log).is_ok_and(|text| text.contains("/version"))
    });
}

#[test]
fn what_signals_have_changed_stays_and_what_is_asked_meanwhile_is_done_afterwards() {
    let site = Site::new();
    let server = site.serve(&["--workers", "1"]);
    server.process.signal(Signal::SIGTTIN);
    server.process.line_with("2 workers from now on", 0);
    until("two workers", || server.workers().len() == 2);
    let from = server.process.lines_so_far();
    server.process.signal(Signal::SIGUSR2);
    server.process.line_with("checking the new program", from);
    server.process.signal(Signal::SIGHUP);
    server
        .process
        .line_with("all workers run generation 2", from);
    server
        .process
        .line_with("all workers run generation 3", from);
    until("two workers", || server.workers().len() == 2);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn term_calls_an_upgrade_off_and_leaves_nobody_behind() {
    let site = Site::new();
    let server = site.serve(&["--workers", "1"]);
    let source = site.folder.path().join("hangs.c");
    fs::write(
        &source,
        "#include <unistd.h>\nint main(void) { for (;;) pause(); }\n",
    )
    .unwrap();
    site.replace_program(&compile_program(&source));
    server.process.signal(Signal::SIGUSR2);
    let line = server.process.line_with("is checked in process", 0);
    let check = format!("/proc/{}", line.split(' ').next_back().unwrap());
    assert!(Path::new(&check).exists(), "{line}");
    let (code, said) = server.stop();
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("ERROR"), "{said}");
    assert!(!Path::new(&check).exists(), "{said}");
}

#[test]
fn a_unix_path_stays_through_an_upgrade_and_is_removed_at_the_end() {
    let site = Site::new();
    let socket = site.folder.path().join("socket");
    let mut command = program_at(&site.program);
    command
        .args(["--workers", "1", "--bind"])
        .arg(format!("unix:{}", socket.display()))
        .arg(&site.app);
    let server = Gatewayd::start(&mut command);
    let before = inode(&socket);
    upgrade(&server);
    assert_eq!(inode(&socket), before);
    assert_eq!(server.get("/version").status, 200);
    assert_eq!(server.stop().0, 0);
    assert!(!socket.exists());
}

#[test]
fn a_program_found_by_its_name_alone_is_found_again() {
    let site = Site::new();
    let mut command = Command::new("gatewayd");
    command
        .env("PATH", format!("/nowhere:{}", site.folder.path().display()))
        .args(["--workers", "1", "--bind", "127.0.0.1:0"])
        .arg(&site.app);
    let server = Gatewayd::start(&mut command);
    site.replace_program(Artefacts::built().program("gatewayd"));
    upgrade(&server);
    let running = format!("/proc/{}/exe", server.process.pid());
    assert_eq!(inode(running), inode(&site.program));
    assert_eq!(server.stop().0, 0);
}

#[test]
fn hup_replaces_the_program_where_that_is_the_application() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("own-binary");
    install(Artefacts::built().program("own-binary"), &program);
    let mut command = program_at(&program);
    command.args(["--workers", "1", "--bind", "127.0.0.1:0"]);
    let server = Gatewayd::start(&mut command);
    install(Artefacts::built().program("linked"), &program);
    server.process.signal(Signal::SIGHUP);
    server.process.line_with("has taken over 1 worker,", 0);
    server.process.line_with("all workers run generation 2", 0);
    until("new application", || {
        server.get("/").text() != "Hello from my own binary!"
    });
    assert_eq!(server.stop().0, 0);
}

#[test]
fn nobody_takes_over_by_hand() {
    for role in ["--gatewayd-adopt", "--gatewayd-adopt-check"] {
        let plan = "image=50,state=51,config=52,app=53,report=54";
        let (code, said) = gateway_tests::gatewayd::run(&[role, plan, "app.so"]);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("for gatewayd's own use"), "{said}");
    }
}

/// A C program without arguments.
fn compile_program(source: &Path) -> PathBuf {
    let program = source.with_extension("");
    let built = Command::new("cc")
        .arg(source)
        .arg("-o")
        .arg(&program)
        .status();
    assert!(built.unwrap().success());
    program
}
