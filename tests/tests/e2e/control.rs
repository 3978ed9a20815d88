//! An operator's program tells the running server what to do, and hears how it went.

use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};

use gateway_tests::address::Address;
use gateway_tests::artefacts::{Artefacts, install};
use gateway_tests::client::Client;
use gateway_tests::gatewayd::{Gatewayd, program, program_at};
use gateway_tests::until;
use serde_json::Value;
use tempfile::TempDir;

/// A server with a control socket, and its folder.
struct Site {
    folder: TempDir,
    server: Gatewayd,
}

impl Site {
    fn new(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let app = folder.path().join("app.so");
        fs::copy(Artefacts::built().module("probe"), &app).unwrap();
        let control = folder.path().join("control");
        let server = Gatewayd::start(
            program()
                .args(["--workers", "2", "--bind", "127.0.0.1:0", "--control"])
                .arg(control)
                .args(arguments)
                .arg(app),
        );
        Self { folder, server }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("control")
    }

    /// Runs `gatewayd ctl`: its exit status and what it says.
    fn ctl(&self, words: &[&str]) -> (i32, String) {
        ctl(&self.socket(), words)
    }

    fn status(&self) -> Value {
        let (code, said) = self.ctl(&["status", "--json"]);
        assert_eq!(code, 0, "{said}");
        let reply: Value = serde_json::from_str(&said).unwrap();
        reply["status"].clone()
    }

    /// Whether the master's process has ended: this one's child, it is not gone before it is asked for.
    fn has_ended(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.server.process.pid())).unwrap();
        let state = stat.rsplit(") ").next().unwrap();
        state.starts_with('Z')
    }

    /// The numbers of the workers that serve.
    fn ready(&self) -> Vec<u64> {
        let status = self.status();
        let workers = status["workers"].as_array().unwrap().iter();
        let ready = workers.filter(|worker| worker["phase"] == "ready");
        ready.map(|worker| worker["id"].as_u64().unwrap()).collect()
    }
}

fn ctl(socket: &Path, words: &[&str]) -> (i32, String) {
    let ran = program()
        .arg("ctl")
        .args(words)
        .env("GATEWAYD_CONTROL", socket)
        .output()
        .unwrap();
    let said = [ran.stdout, ran.stderr].concat();
    (ran.status.code().unwrap(), String::from_utf8(said).unwrap())
}

/// Says a line as it is.
fn say(socket: &Path, line: &str) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    // One that is refused at once hears no more.
    let _ = stream.write_all(line.as_bytes());
    let mut said = Vec::new();
    // What was left unread resets the connection, behind the answer.
    let _ = stream.read_to_end(&mut said);
    String::from_utf8(said).unwrap()
}

#[test]
fn status_tells_of_server_and_workers_in_words_and_as_json() {
    let site = Site::new(&[]);
    assert_eq!(site.server.get("/version").status, 200);
    let status = site.status();
    assert_eq!(status["phase"], "serving");
    assert_eq!(
        status["pid"].as_i64().unwrap(),
        i64::from(site.server.process.pid())
    );
    assert_eq!(status["app"], "probe");
    assert_eq!(status["workers_wanted"], 2);
    assert_eq!(status["workers"].as_array().unwrap().len(), 2);
    assert_eq!(status["requests"], 1);
    assert_eq!(status["last_operation"], Value::Null);
    let (code, said) = site.ctl(&["status"]);
    assert_eq!(code, 0);
    assert!(
        said.contains("2 workers wanted, 1 requests answered"),
        "{said}"
    );
    assert!(
        said.contains("generation 1") && said.contains(" ready "),
        "{said}"
    );
    let top = program()
        .args(["top", "--control"])
        .arg(site.socket())
        .output()
        .unwrap();
    // Where there is no terminal it looks once.
    let said = String::from_utf8(top.stdout).unwrap();
    assert!(said.contains("2 workers wanted"), "{said}");
}

#[test]
fn a_reload_that_is_waited_for_tells_how_it_went() {
    let site = Site::new(&[]);
    let (code, said) = site.ctl(&["reload", "--wait"]);
    assert_eq!(
        (code, said.as_str()),
        (0, "reload done, generation 2 serves\n")
    );
    fs::write(site.folder.path().join("app.so"), "no program").unwrap();
    let (code, said) = site.ctl(&["reload", "--wait"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("app.so"), "{said}");
    assert_eq!(site.server.get("/version").status, 200);
    let last = &site.status()["last_operation"];
    assert_eq!(
        (&last["work"], &last["outcome"]),
        (&"reload".into(), &"failed".into())
    );
    // Two at once: both hear of the end of everything.
    fs::copy(
        Artefacts::built().module("probe"),
        site.folder.path().join("app.so"),
    )
    .unwrap();
    let codes = std::thread::scope(|scope| {
        let one = || site.ctl(&["reload", "--wait"]).0;
        let both = [scope.spawn(one), scope.spawn(one)];
        both.map(|handle| handle.join().unwrap())
    });
    assert_eq!(codes, [0, 0]);
    assert_eq!(site.status()["phase"], "serving");
}

#[test]
fn an_upgrade_that_is_waited_for_is_answered_by_the_new_program() {
    let site = Site::new(&[]);
    let pid = site.status()["pid"].clone();
    let (code, said) = site.ctl(&["upgrade", "--wait"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.starts_with("upgrade done"), "{said}");
    let status = site.status();
    assert_eq!(
        (&status["pid"], &status["phase"]),
        (&pid, &"serving".into())
    );
    let stopped = (0, "the server has stopped\n".to_owned());
    assert_eq!(site.ctl(&["stop", "--wait"]), stopped);
    assert!(site.has_ended());
    assert_eq!(site.server.process.end().0, 0);
    assert!(!site.folder.path().join("control").exists());
}

#[test]
fn a_worker_has_one_number_in_logs_metrics_names_and_commands() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let log = log.to_str().unwrap();
    let admin = format!("unix:{}", folder.path().join("admin").display());
    let site = Site::new(&[
        "--access-log",
        log,
        "--access-log-format",
        "%w",
        "--admin",
        &admin,
    ]);
    let admin = Address::Unix(folder.path().join("admin"));
    assert_eq!(site.ctl(&["scale", "1"]).0, 0);
    until("one worker", || site.ready().len() == 1);
    for _ in 0..2 {
        let known = site.ready()[0];
        assert_eq!(site.server.get("/version").status, 200);
        let lines = || fs::read_to_string(log).unwrap_or_default();
        let named = known.to_string();
        until("its line", || lines().lines().last() == Some(&named));
        let label = format!("gatewayd_worker_connections{{pool=\"app\",worker=\"{known}\",");
        until("its row", || {
            Client::get(&admin, "/metrics").text().contains(&label)
        });
        let rows = Client::get(&admin, "/status.json").json();
        let rows = rows["workers"].as_array().unwrap().clone();
        let row = rows.iter().find(|row| row["id"] == known).unwrap();
        let name = fs::read_to_string(format!("/proc/{}/comm", row["pid"])).unwrap();
        assert_eq!(name, format!("gatewayd/{known}\n"));
        assert_eq!(site.ctl(&["kill", &named]).0, 0);
        until("a replacement", || {
            let ready = site.ready();
            ready.len() == 1 && ready[0] != known
        });
    }
}

#[test]
fn the_number_of_workers_and_each_of_them_obey() {
    let site = Site::new(&[]);
    assert_eq!(site.ctl(&["scale", "3"]).0, 0);
    until("three workers", || site.ready().len() == 3);
    let gone = site.ready()[0];
    assert_eq!(site.ctl(&["kill", &gone.to_string()]).0, 0);
    until("a replacement", || {
        let ready = site.ready();
        ready.len() == 3 && !ready.contains(&gone)
    });
    let gone = site.ready()[0];
    assert_eq!(site.ctl(&["kill", &gone.to_string(), "--now"]).0, 0);
    until("another one", || {
        let ready = site.ready();
        ready.len() == 3 && !ready.contains(&gone)
    });
    assert_eq!(site.ctl(&["drain"]).0, 0);
    until("nobody", || {
        site.status()["phase"] == "resting" && site.ready().is_empty()
    });
    assert_eq!(site.ctl(&["scale", "1"]).0, 0);
    until("one worker", || site.ready().len() == 1);
    let (code, said) = site.ctl(&["kill", "9999"]);
    assert_eq!(code, 1);
    assert!(
        said.contains("there is no worker 9999; there are "),
        "{said}"
    );
    let (code, said) = site.ctl(&["scale", "0"]);
    assert_eq!(code, 1);
    assert!(
        said.contains("expected 1 to 512 workers, found 0"),
        "{said}"
    );
    let stopped = (0, "the server has stopped\n".to_owned());
    assert_eq!(site.ctl(&["stop", "--quick", "--wait"]), stopped);
    assert!(site.has_ended());
    assert_eq!(site.server.process.end().0, 0);
}

#[test]
fn a_stop_that_is_waited_for_outlasts_requests_and_tells_of_nothing_before_it() {
    for quick in [false, true] {
        let site = Site::new(&[]);
        assert_eq!(site.ctl(&["reload", "--wait"]).0, 0);
        fs::write(site.folder.path().join("app.so"), "no program").unwrap();
        assert_eq!(site.ctl(&["reload", "--wait"]).0, 1);
        let mut client = site.server.connect();
        client.send("POST /mirror HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nab");
        until("the request", || {
            let workers = site.status()["workers"].as_array().unwrap().clone();
            workers.iter().any(|worker| worker["requests_active"] == 1)
        });
        let words: &[&str] = match quick {
            true => &["stop", "--quick", "--wait"],
            false => &["stop", "--wait"],
        };
        std::thread::scope(|scope| {
            let stop = scope.spawn(|| {
                let told = site.ctl(words);
                (told, site.has_ended())
            });
            if !quick {
                until("the stop", || site.status()["phase"] == "stopping");
                assert!(!stop.is_finished() && !site.has_ended());
                client.send("cd");
                assert_eq!(client.response().text(), "abcd");
            }
            let stopped = (0, "the server has stopped\n".to_owned());
            assert_eq!(stop.join().unwrap(), (stopped, true));
        });
    }
}

#[test]
fn a_stop_that_takes_longer_than_is_waited_for_is_told_as_that() {
    let site = Site::new(&[]);
    let mut client = site.server.connect();
    client.send("POST /mirror HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nab");
    until("the request", || {
        let workers = site.status()["workers"].as_array().unwrap().clone();
        workers.iter().any(|worker| worker["requests_active"] == 1)
    });
    let (code, said) = site.ctl(&["stop", "--wait", "--timeout", "50ms"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("no answer in time"), "{said}");
}

#[test]
fn logs_are_opened_anew_and_the_end_of_a_reload_can_be_waited_for_afterwards() {
    let logs = tempfile::tempdir().unwrap();
    let [log, moved] = ["log", "moved"].map(|name| logs.path().join(name));
    let site = Site::new(&["--access-log", log.to_str().unwrap()]);
    let said = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    assert_eq!(site.server.get("/version?1").status, 200);
    until("a line", || said(&log).contains("/version?1"));
    fs::rename(&log, &moved).unwrap();
    assert_eq!(
        site.ctl(&["reopen"]),
        (0, "the log files are opened anew\n".to_owned())
    );
    site.server
        .process
        .line_with("log files are opened anew", 0);
    until("another file", || {
        assert_eq!(site.server.get("/version?2").status, 200);
        said(&log).contains("/version?2")
    });
    assert!(said(&moved).contains("/version?1"));
    let (code, told) = site.ctl(&["reload"]);
    assert_eq!((code, &*told), (0, "the server reloads\n"));
    let (code, told) = site.ctl(&["wait", "--timeout", "30s"]);
    assert_eq!((code, &*told), (0, "reload done, generation 2 serves\n"));
}

#[test]
fn settings_are_told_and_the_applications_own_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("g.toml");
    let control = folder.path().join("control");
    let app = Artefacts::built().module("probe");
    let text = format!(
        "control = '{}'\nbind = '127.0.0.1:0'\nlinger = '7s'\nenv.TOKEN = 'hunter2'\n[app]\npath = '{}'\nconfig.password = 'hunter2'\n",
        control.display(),
        app.display()
    );
    fs::write(&file, text).unwrap();
    let server = Gatewayd::start(program().arg("--config").arg(&file));
    let ran = program()
        .args(["ctl", "config", "--json", "--config"])
        .arg(&file)
        .output()
        .unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    let reply: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(reply["config"]["linger"][0], "7s");
    let token = &reply["config"]["env"][0];
    assert_eq!(token, "TOKEN=(hidden; print-config --reveal shows it)");
    assert!(!said.contains("hunter2"));
    assert_eq!(server.stop().0, 0);
}

#[test]
fn who_says_nonsense_or_nothing_is_told_and_holds_nobody_up() {
    let site = Site::new(&[]);
    let socket = site.socket();
    let mode = fs::symlink_metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(say(&socket, "nonsense\n").contains("not a command"));
    assert!(
        say(&socket, "{\"command\":\"upgrade\",\"path\":\"/bin/sh\"}\n").contains("unknown field")
    );
    assert!(say(&socket, &"x".repeat(70_000)).contains("at most 65536 bytes"));
    let silent: Vec<_> = (0..8)
        .map(|_| UnixStream::connect(&socket).unwrap())
        .collect();
    until("everybody's turn", || {
        say(&socket, "{\"command\":\"status\"}\n").contains("8 others are on the control socket")
    });
    // They are let go after five seconds.
    for mut stream in silent {
        assert_eq!(stream.read(&mut [0; 16]).unwrap(), 0);
    }
    assert_eq!(site.status()["phase"], "serving");
}

#[test]
fn only_the_servers_user_and_root_are_heard() {
    let site = Site::new(&[]);
    // Another user gets no further than the socket's permissions, and no further than its word.
    fs::set_permissions(site.folder.path(), Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(site.socket(), Permissions::from_mode(0o666)).unwrap();
    let own = site.folder.path().join("gatewayd");
    install(Artefacts::built().program("gatewayd"), &own);
    let ran = program_at(&own)
        .args(["ctl", "stop", "--control"])
        .arg(site.socket())
        .uid(65_534)
        .gid(65_534)
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(1));
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(
        said.contains("only root and the server's own user"),
        "{said} {ran:?}"
    );
    assert_eq!(site.server.get("/version").status, 200);
}

#[test]
fn a_server_without_its_socket_goes_on_and_ctl_says_why_nobody_answers() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing/control");
    let server = Gatewayd::start(
        program()
            .args(["--workers", "1", "--bind", "127.0.0.1:0", "--control"])
            .arg(&missing)
            .arg(Artefacts::built().module("probe")),
    );
    assert_eq!(server.get("/version").status, 200);
    let (code, said) = ctl(&missing, &["status"]);
    assert_eq!(code, 1);
    assert!(said.contains("cannot reach a server at "), "{said}");
    let (code, said) = server.stop();
    assert_eq!(code, 0);
    assert_eq!(said.matches("no control socket").count(), 1, "{said}");
    let ran = program().args(["ctl", "status"]).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(2));
    assert!(
        said.contains("expected the server's control socket"),
        "{said}"
    );
}

#[test]
fn containers_are_told_whether_the_server_is_ready() {
    let folder = tempfile::tempdir().unwrap();
    let (admin, control) = (folder.path().join("admin"), folder.path().join("control"));
    let admin = format!("unix:{}", admin.display());
    let check = |words: &[&str]| {
        let ran = program().arg("healthcheck").args(words).output().unwrap();
        let said = String::from_utf8(ran.stderr).unwrap();
        (ran.status.code().unwrap(), said)
    };
    let by_control = ["--control", control.to_str().unwrap()];
    let (code, said) = check(&["--admin", &admin]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("/readyz: "), "{said}");
    let server = Gatewayd::start(
        program()
            .args(["--workers", "1", "--bind", "127.0.0.1:0", "--admin", &admin])
            .args(by_control)
            .arg(Artefacts::built().module("probe")),
    );
    until("readiness", || check(&["--admin", &admin]).0 == 0);
    assert_eq!(check(&["--admin", &admin, "--live"]).0, 0);
    assert_eq!(check(&by_control).0, 0);
    assert_eq!(ctl(&control, &["drain"]).0, 0);
    until("rest", || check(&by_control).0 == 1);
    let (_, said) = check(&by_control);
    assert!(said.contains("the server is resting"), "{said}");
    let (code, said) = check(&[]);
    assert_eq!(code, 2);
    assert!(said.contains("found neither"), "{said}");
    assert_eq!(server.stop().0, 0);
}
