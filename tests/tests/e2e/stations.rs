//! Workers take the place in the system that their settings say, and the journal gets lines as it likes them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::available_parallelism;

use gateway_tests::DEADLINE;
use gateway_tests::artefacts::{Artefacts, root};
use gateway_tests::gatewayd::{Gatewayd, program, run};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};

/// A line of `/proc/PID/status`, without its name.
fn status(pid: &str, name: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    let words: Vec<_> = line.split_whitespace().skip(1).collect();
    words.join(" ")
}

/// A variable that a process was started with.
fn variable(pid: &str, name: &str) -> Option<String> {
    let bytes = fs::read(format!("/proc/{pid}/environ")).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut pairs = text.split('\0').filter_map(|record| record.split_once('='));
    pairs.find_map(|(found, value)| (found == name).then(|| value.to_owned()))
}

fn probe() -> &'static Path {
    Artefacts::built().module("probe")
}

#[test]
fn each_setting_of_the_process_shows_in_the_workers() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, "hunter2\n").unwrap();
    for workers in ["1", "0"] {
        let mut command = program();
        command
            .args(["--workers", workers, "--bind", "127.0.0.1:0"])
            .args(["--rlimit", "nofile=300:400", "--rlimit", "core=0"])
            .args(["--nice", "5", "--cpu-affinity", "0", "--no-new-privs"])
            .args(["--capabilities", "none", "--env", "COLOUR=blue"])
            .args(["-e", "GIVEN=anew"])
            .arg(format!("--env-file=PASSWORD={}", secret.display()))
            .arg(format!("--chdir={}", folder.path().display()))
            .env("GIVEN", "before")
            .arg(probe());
        let server = Gatewayd::start(&mut command);
        let pid = server.get("/pid").text().to_owned();
        let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let limit = |name: &str| {
            let line = limits.lines().find_map(|line| line.strip_prefix(name));
            let words: Vec<_> = line.unwrap().split_whitespace().take(2).collect();
            words.join(" ")
        };
        assert_eq!(limit("Max open files"), "300 400");
        assert_eq!(limit("Max core file size"), "0 0");
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let behind = stat.rsplit_once(") ").unwrap().1;
        assert_eq!(behind.split(' ').nth(16), Some("5"), "{stat}");
        assert_eq!(status(&pid, "Cpus_allowed_list"), "0");
        assert_eq!(status(&pid, "NoNewPrivs"), "1");
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            assert_eq!(status(&pid, set), "0000000000000000", "{set}");
        }
        if geteuid().is_root() {
            assert_eq!(status(&pid, "CapBnd"), "0000000000000000");
        }
        let cwd = fs::read_link(format!("/proc/{pid}/cwd")).unwrap();
        assert_eq!(cwd, folder.path().canonicalize().unwrap());
        let names = server.get("/environment").text().to_owned();
        assert!(names.lines().any(|name| name == "PASSWORD"), "{names}");
        // A server of one process has set its own, which the kernel does not show.
        if workers == "1" {
            assert_eq!(variable(&pid, "COLOUR").as_deref(), Some("blue"));
            assert_eq!(variable(&pid, "GIVEN").as_deref(), Some("anew"));
            assert_eq!(variable(&pid, "PASSWORD").as_deref(), Some("hunter2"));
        }
        let (code, said) = server.stop();
        assert!(code == 0 && !said.contains("hunter2"), "{said}");
        assert!(said.contains("max-connections is 236"), "{said}");
    }
}

#[test]
fn every_worker_may_have_a_processor_of_its_own() {
    let server = Gatewayd::serve(probe(), &["--workers", "3", "--cpu-affinity", "each"]);
    let mut found: Vec<_> = server
        .workers()
        .iter()
        .map(|pid| status(&pid.to_string(), "Cpus_allowed_list"))
        .collect();
    assert!(found.iter().all(|list| list.parse::<u32>().is_ok()));
    found.sort();
    found.dedup();
    assert_eq!(found.len(), available_parallelism().unwrap().get().min(3));
}

#[test]
fn another_user_is_in_the_named_groups_and_keeps_the_named_capabilities() {
    let arguments = ["--groups", "adm,7", "--workers", "1"];
    if !geteuid().is_root() {
        let (code, said) = run(&[&arguments[..], &[probe().to_str().unwrap()]].concat());
        assert!(
            code == 2 && said.contains("--groups (command line): expected to be root"),
            "{said}"
        );
        return;
    }
    let who = ["--user", "www-data", "--capabilities", "net_raw"];
    let server = Gatewayd::serve(probe(), &[&arguments[..], &who].concat());
    let pid = server.get("/pid").text().to_owned();
    assert_eq!(status(&pid, "Uid"), "33 33 33 33");
    assert_eq!(status(&pid, "Groups"), "4 7 33");
    for set in ["CapPrm", "CapEff", "CapBnd"] {
        assert_eq!(status(&pid, set), format!("{:016x}", 1 << 13), "{set}");
    }
    assert_eq!(server.stop().0, 0);
}

#[test]
fn what_cannot_be_given_is_named_with_its_setting() {
    for (flag, value) in [
        ("--chdir", "/nowhere"),
        ("--cpu-affinity", "1023"),
        ("--rlimit", "nofile=99999999999"),
    ] {
        for workers in ["1", "0"] {
            let module = probe().to_str().unwrap();
            let bind = ["--bind", "127.0.0.1:0", "--workers", workers];
            let (code, said) = run(&[&[flag, value, module], &bind[..]].concat());
            assert_eq!(code, 1, "{said}");
            assert!(said.contains(&format!("{flag} {value}: ")), "{said}");
        }
    }
    let module = probe().to_str().unwrap();
    let (code, said) = run(&["check-config", "--env-file", "KEY=/nowhere", module]);
    assert_eq!(code, 2, "{said}");
    let expected = "--env-file (command line): expected a file with the value of KEY at /nowhere, \
                    found No such file";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn a_table_of_the_file_holds_variables_and_a_reload_applies_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("g.toml");
    let write = |colour: &str, secret: &str| {
        fs::write(folder.path().join("key"), secret).unwrap();
        let app = probe().display();
        let text = format!(
            "app = '{app}'\nbind = '127.0.0.1:0'\nworkers = 1\n[env]\nCOLOUR = '{colour}'\nLEVEL = 3\n\
             [env-file]\nKEY = 'key'\n[rlimit]\ncore = 0\n"
        );
        fs::write(&file, text).unwrap();
    };
    write("blue", "one");
    let server = Gatewayd::start(program().arg("--config").arg(&file));
    let worker = || server.workers()[0].to_string();
    let seen = || ["COLOUR", "LEVEL", "KEY"].map(|name| variable(&worker(), name).unwrap());
    assert_eq!(seen(), ["blue", "3", "one"]);
    write("vermilion", "two");
    server.process.signal(Signal::SIGHUP);
    server.process.line_with("all workers run generation 2", 0);
    server.process.line_with("env, env-file", 0);
    assert_eq!(variable(server.get("/pid").text(), "KEY").unwrap(), "two");

    let print = |more: &[&str]| {
        let words = ["print-config", "--config", file.to_str().unwrap()];
        run(&[&words[..], more].concat()).1
    };
    let hidden = print(&[]);
    assert!(hidden.contains("env = [\"COLOUR=(hidden; print-config --reveal shows it)\""));
    assert!(!hidden.contains("vermilion"), "{hidden}");
    assert!(print(&["--reveal"]).contains("env = [\"COLOUR=vermilion\", \"LEVEL=3\"]"));
}

#[test]
fn the_unit_in_the_documents_is_one_that_systemd_takes() {
    let document = fs::read_to_string(root().join("docs/processes.md")).unwrap();
    let unit = document.split("```ini\n").nth(1).unwrap();
    let unit = unit.split("```").next().unwrap();
    // The program has to be there; this one is.
    let unit = unit.replace("/usr/local/bin/gatewayd", "/bin/true");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.service");
    fs::write(&file, unit).unwrap();
    let mut verify = Command::new("systemd-analyze");
    let told = verify.arg("verify").arg(&file).output();
    let told = told.expect("systemd-analyze; please run: apt-get install systemd");
    // What it does not know it tells without failing.
    let said = String::from_utf8_lossy(&told.stderr);
    assert!(
        told.status.success() && !said.contains("shop.service"),
        "{said}"
    );
}

#[test]
fn the_journal_gets_levels_and_nothing_that_it_knows_itself() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(DEADLINE)).unwrap();
    let theirs = OwnedFd::from(theirs);
    let found = fs::metadata(format!("/proc/self/fd/{}", theirs.as_raw_fd())).unwrap();
    let mut command = program();
    command
        .args(["--workers", "1", "--bind", "127.0.0.1:0"])
        .arg(probe())
        .env("JOURNAL_STREAM", format!("{}:{}", found.dev(), found.ino()))
        .env("GATEWAYD_LINGR", "1s")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(theirs);
    let mut child = command.spawn().unwrap();
    drop(command);
    let mut lines = BufReader::new(ours).lines().map(Result::unwrap);
    let warning = lines.next().unwrap();
    assert_eq!(
        warning,
        "<4>GATEWAYD_LINGR is not a setting; did you mean GATEWAYD_LINGER?"
    );
    let ready = lines.find(|line| line.contains("ready in ")).unwrap();
    assert!(ready.starts_with("<6>gatewayd "), "{ready}");
    let master = Pid::from_raw(i32::try_from(child.id()).unwrap());
    kill(master, Signal::SIGTERM).unwrap();
    assert!(child.wait().unwrap().success());
    let rest: Vec<_> = lines.collect();
    assert!(rest.iter().all(|line| line.starts_with('<')), "{rest:?}");
}
