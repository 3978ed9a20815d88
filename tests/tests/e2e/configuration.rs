//! The configuration file, variables and flags: what wins, what is wrong, and where.

use std::fs;
use std::path::PathBuf;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::gatewayd::{Gatewayd, program, run};
use gateway_tests::process::Process;
use nix::sys::signal::Signal;
use tempfile::TempDir;

const WRONG: i32 = 2;

/// A folder with a configuration file in it.
struct Site {
    folder: TempDir,
    file: PathBuf,
}

impl Site {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gatewayd.toml");
        fs::write(&file, text).unwrap();
        Self { folder, file }
    }

    fn file(&self) -> &str {
        self.file.to_str().unwrap()
    }
}

fn probe() -> String {
    let path = Artefacts::built().module("probe");
    format!("app = '{}'", path.display())
}

#[test]
fn a_file_alone_is_enough_and_the_application_gets_its_part() {
    let module = Artefacts::built().module("probe").display();
    let text = format!(
        "bind = '127.0.0.1:0'\nworkers = 1\naccess-log = 'access.log'\n[app]\npath = '{module}'\n\
         arguments = ['one', 'two']\n[app.config]\nname = 'Anna'\npool.size = 8\n\
         [app.secrets]\nkey = 'key.txt'\n"
    );
    let site = Site::new(&text);
    fs::write(site.folder.path().join("key.txt"), "hunter2\n").unwrap();
    let server = Gatewayd::start(program().args(["--config", site.file(), "--log-level", "trace"]));
    assert_eq!(server.workers().len(), 1);
    let answer = server.get("/startup");
    assert_eq!(
        answer.text(),
        "one two\nkey=hunter2\nname=Anna\npool.size=8"
    );
    let (code, said) = server.stop();
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    let log = fs::read_to_string(site.folder.path().join("access.log")).unwrap();
    assert!(log.contains("/startup"), "{log}");
}

#[test]
fn a_flag_wins_over_a_variable_and_that_over_the_file() {
    let site = Site::new(&format!("workers = 1\nbind = '127.0.0.1:0'\n{}", probe()));
    let mut command = program();
    command.env("GATEWAYD_CONFIG", site.file());
    command.env("GATEWAYD_WORKERS", "2");
    assert_eq!(Gatewayd::start(&mut command).workers().len(), 2);
    command.arg("--workers=3");
    assert_eq!(Gatewayd::start(&mut command).workers().len(), 3);
    command.env_remove("GATEWAYD_WORKERS");
    command.env("GATEWAYD_APP", "/nowhere.so");
    let (code, said) = Process::start(&mut command).end();
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("/nowhere.so"), "{said}");
}

#[test]
fn all_mistakes_of_all_sources_are_told_in_one_run_and_nothing_is_served() {
    let site = Site::new(
        "wokers = 2\nkeep-alive = 75\nbind = [\n'8000'\n]\nlinger =\n[app]\npaht = 'x'\n",
    );
    for words in [&[][..], &["check-config"], &["print-config"]] {
        let mut command = program();
        command.args(words);
        command.args([
            "--config",
            site.file(),
            "--wrokers=1",
            "--max-body=1MB",
            "x.so",
        ]);
        command.env("GATEWAYD_BACKLOG", "many");
        let (code, said) = Process::start(&mut command).end();
        assert_eq!(code, WRONG, "{said}");
        let file = site.file();
        for words in [
            &format!("{file}:1: there is no setting `wokers`; did you mean `workers`?"),
            &format!("{file}:2: keep-alive: expected a time from 0s to 24h such as"),
            &format!("{file}:4: bind: expected"),
            &format!("{file}:6: "),
            &format!("{file}:8: there is no key `app.paht`; did you mean `app.path`?"),
            "GATEWAYD_BACKLOG (environment): expected a number from 1 to 65535, found `many`",
            "--wrokers (command line): there is no such option; did you mean `--workers`?",
            "--max-body (command line): expected a size",
        ] {
            assert!(said.contains(words), "no {words:?} in:\n{said}");
        }
    }
}

#[test]
fn what_stands_for_a_hidden_value_is_none() {
    let module = Artefacts::built().module("probe").display();
    let text =
        format!("env.TOKEN = 'hunter2'\n[app]\npath = '{module}'\nconfig.secret_key = 'hunter2'\n");
    let site = Site::new(&text);
    let (code, printed) = run(&["print-config", "--config", site.file()]);
    assert_eq!(code, 0, "{printed}");
    for line in ["# \"secret_key\" = (hidden; ", "# env = [\"TOKEN=(hidden; "] {
        assert!(
            printed.lines().any(|one| one.starts_with(line)),
            "{printed}"
        );
    }
    // What was saved has no secrets in it, and is a configuration.
    fs::write(site.folder.path().join("saved.toml"), &printed).unwrap();
    let saved = site.folder.path().join("saved.toml");
    let (code, said) = run(&[
        "print-config",
        "--config",
        saved.to_str().unwrap(),
        "--reveal",
    ]);
    assert_eq!(code, 0, "{said}");
    assert!(
        !said.contains("secret_key") && said.contains("# env is not set"),
        "{said}"
    );

    let hidden = "(hidden; print-config --reveal shows it)";
    fs::write(site.folder.path().join("key"), format!("{hidden}\n")).unwrap();
    let text = format!(
        "env = ['TOKEN={hidden}']\nenv-file.KEY = 'key'\n[app]\npath = '{module}'\n\
         config.secret_key = '{hidden}'\nsecrets.salt = 'key'\n"
    );
    fs::write(site.file(), text).unwrap();
    let found = "found what print-config without --reveal shows in its place";
    for words in [&["--config"][..], &["check-config", "--config"]] {
        let (code, said) = run(&[words, &[site.file()]].concat());
        assert_eq!(code, WRONG, "{said}");
        let file = site.file();
        for told in [
            format!("{file}:5: app.config.secret_key: expected the value itself, {found}"),
            format!("{file}:6: app.config.salt: expected the value itself, {found}"),
            format!("{file}:1: env: expected `NAME=VALUE`"),
            "found for `TOKEN` what print-config without --reveal shows in its place".to_owned(),
            format!("{file}:2: env-file: expected a file with the value of KEY at"),
        ] {
            assert!(said.contains(&told), "no {told:?} in:\n{said}");
        }
        assert_eq!(said.matches("what print-config").count(), 4, "{said}");
    }
}

#[test]
fn check_config_and_print_config_answer_without_serving() {
    let site = Site::new(&format!("workers = 5\n{}\n", probe()));
    let (code, said) = run(&["check-config", "--config", site.file()]);
    assert_eq!((code, said.as_str()), (0, "the configuration is right"));
    let mut command = program();
    command.args(["print-config", "--config", site.file(), "--linger=1s"]);
    command.env("GATEWAYD_KEEP_ALIVE", "5s");
    let (code, said) = Process::start(&mut command).end();
    assert_eq!(code, 0, "{said}");
    for (start, end) in [
        ("workers = 5 ", format!("# {}:1", site.file())),
        ("linger = \"1s\"", "# command line, --linger".to_owned()),
        (
            "keep-alive = \"5s\"",
            "# variable GATEWAYD_KEEP_ALIVE".to_owned(),
        ),
        ("backlog = 2048", "# default".to_owned()),
        ("path = ", format!("# {}:2", site.file())),
    ] {
        let line = said.lines().find(|line| line.starts_with(start));
        assert!(
            line.is_some_and(|line| line.ends_with(&end)),
            "{start}: {said}"
        );
    }
}

#[test]
fn check_config_names_a_file_or_an_application_that_is_missing() {
    let (code, said) = run(&["check-config", "--config", "/nowhere/g.toml"]);
    assert_eq!(code, WRONG);
    assert!(
        said.contains("/nowhere/g.toml: cannot read the configuration: No such"),
        "{said}"
    );
    let site = Site::new("\napp = 'nowhere.so'\n");
    let (code, said) = run(&["check-config", "--config", site.file()]);
    assert_eq!(code, WRONG);
    let place = format!("{}:2: app: expected a file at ", site.file());
    assert!(
        said.contains(&place) && said.contains("No such file"),
        "{said}"
    );
}

#[test]
fn check_config_refuses_what_the_start_would() {
    let module = Artefacts::built().module("probe").to_str().unwrap();
    for (arguments, expected) in [
        (
            &["--sandbox", "required", "--workers", "0"][..],
            "--sandbox (command line): expected workers beside it, at least 1, found 0, which is one process",
        ),
        (
            &["--statsd", "127.0.0.1:8125", "--workers", "0"],
            "--statsd (command line): expected workers beside it",
        ),
        (
            &["--bind", "[::1]:8123", "--bind", "https://[::1]:8123"],
            "--bind (command line): expected each address once, found https://[::1]:8123, which stands here \
             before",
        ),
        (
            &["--env", "DB-PASSWORD=hunter2"],
            "the name of letters, digits and `_`, found a variable `DB-PASSWORD`",
        ),
    ] {
        for start in [&["check-config"][..], &[]] {
            let (code, said) = run(&[start, arguments, &[module]].concat());
            assert_eq!(code, WRONG, "{said}");
            assert!(said.contains(expected), "no {expected:?} in {said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}

#[test]
fn a_setting_of_an_application_that_does_nothing_is_told() {
    let text = |limit: &str| {
        let module = Artefacts::built().module("probe").display().to_string();
        let app = |name: &str, more: &str| {
            format!("[[app]]\npath = '{module}'\nname = '{name}'\nmount = '/{name}'\n{more}")
        };
        let (one, two) = (app("one", "queue = 7\n"), app("two", "queue = 8\n"));
        format!("bind = '127.0.0.1:0'\n{one}{limit}{two}max-requests-in-flight = 5\n")
    };
    let site = Site::new(&text(""));
    let (code, said) = run(&["check-config", "--config", site.file()]);
    assert_eq!(code, 0, "{said}");
    let file = site.file();
    let warning = "app.queue: it does nothing without max-requests-in-flight";
    assert_eq!(
        said,
        format!("gatewayd: warning: {file}:6: {warning}\nthe configuration is right")
    );
    fs::write(&site.file, text("max-requests-in-flight = 9\n")).unwrap();
    let (_, said) = run(&["check-config", "--config", site.file()]);
    assert_eq!(said, "the configuration is right");
}

#[test]
fn a_setting_that_does_nothing_is_told_by_check_config_the_start_and_a_reload() {
    let text = |more: &str| {
        format!(
            "queue = 7\n{more}bind = '127.0.0.1:0'\nworkers = 1\n{}\n",
            probe()
        )
    };
    let site = Site::new(&text(""));
    let warning = |line: u32, name: &str, needs: &str| {
        let file = site.file();
        format!("{file}:{line}: {name}: it does nothing without {needs}")
    };
    let queue = warning(1, "queue", "max-requests-in-flight");
    let (code, said) = run(&["check-config", "--config", site.file()]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(
        said,
        format!("gatewayd: warning: {queue}\nthe configuration is right")
    );
    let server = Gatewayd::start(program().args(["--config", site.file()]));
    server.process.line_with(&queue, 0);
    fs::write(
        &site.file,
        text("max-requests-in-flight = 9\nproxy-hops = 2\n"),
    )
    .unwrap();
    let from = server.process.lines_so_far();
    server.process.signal(Signal::SIGHUP);
    server
        .process
        .line_with("all workers run generation 2", from);
    let hops = warning(3, "proxy-hops", "trusted-proxies");
    server.process.line_with(&hops, from);
    let (code, said) = server.stop();
    assert_eq!(
        (code, said.matches("does nothing").count()),
        (0, 2),
        "{said}"
    );
}

#[test]
fn a_misspelt_command_is_answered_with_the_commands() {
    let (code, said) = run(&["check-confg"]);
    assert_eq!(code, WRONG);
    assert!(
        said.contains("no command or file `check-confg`; did you mean `check-config`?"),
        "{said}"
    );
    let (code, said) = run(&["start"]);
    assert_eq!(code, WRONG);
    assert!(
        said.contains("commands are check, check-config, print-config, dev"),
        "{said}"
    );
}
