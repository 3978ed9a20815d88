//! Commands and options that are misspelt, or another server's, are answered with what was meant.

use std::fs;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::gatewayd::run;

const WRONG: i32 = 2;

#[test]
fn a_misspelt_command_is_told_whatever_stands_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let hello = Artefacts::built().module("hello").to_str().unwrap();
    for (word, app, meant) in [
        ("devv", place, "dev"),
        ("check-confg", "missing.so", "check-config"),
        ("check-confg", hello, "check-config"),
    ] {
        let (code, said) = run(&[word, app]);
        assert_eq!(code, WRONG, "{said}");
        assert!(
            said.contains(&format!("`{word}`; did you mean `{meant}`?")),
            "{said}"
        );
    }
}

#[test]
fn an_option_that_a_command_does_not_have_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    for (words, expected) in [
        (
            &["man", "--foo"][..],
            "man: expected no words, found `--foo`",
        ),
        (
            &["dev", "--relase", place],
            "--relase (command line): there is no such option; did you mean `--release`?",
        ),
        (
            &["dev", "--wokers", "1", place],
            "did you mean `--workers`?",
        ),
        (
            &["dev", "--release", place],
            "expected the folder of a cargo package",
        ),
        (&["completions", "--foo"], "found `--foo`"),
        (&["check", "--foo"], "--foo"),
        (&["top", "--foo"], "--foo"),
    ] {
        let (code, said) = run(words);
        assert_eq!(code, WRONG, "{words:?}: {said}");
        assert!(said.contains(expected), "{words:?}: {said}");
    }
}

#[test]
fn gunicorns_options_lead_to_ours_on_the_line_and_in_the_file() {
    let hello = Artefacts::built().module("hello").to_str().unwrap();
    for (words, expected) in [
        (&["--timeout", "30"][..], "did you mean `--worker-timeout`?"),
        (&["--certfile=a.crt"], "did you mean `--tls-cert`?"),
        (
            &["--forwarded-allow-ips=*"],
            "did you mean `--trusted-proxies`?",
        ),
        (&["--access-logfile", "-"], "did you mean `--access-log`?"),
        (
            &["--max-requests-jitter", "5"],
            "did you mean `--recycle-jitter`?",
        ),
        (
            &["--check-config"],
            "did you mean the command `check-config`?",
        ),
        (
            &["-D"],
            "-D (command line): there is no such option; what Gunicorn means by it is not needed",
        ),
        (&["-k", "gthread"], "there is one kind of worker"),
        (&["--threads=4"], "they are the application's own"),
        (&["--preload"], "a reload always loads new code"),
    ] {
        let (code, said) = run(&[words, &[hello]].concat());
        assert_eq!(code, WRONG, "{said}");
        assert!(said.contains(expected), "{words:?}: {said}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("g.toml");
    fs::write(
        &file,
        "timeout = '30s'\nworker_class = 'sync'\ngraceful_timeout = '1s'\n",
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let (code, said) = run(&["check-config", "--config", file, hello]);
    assert_eq!(code, WRONG, "{said}");
    for expected in [
        ":1: there is no setting `timeout`; did you mean `worker-timeout`?",
        ":2: there is no setting `worker_class`; what Gunicorn means by it is not needed: there is one kind",
        ":3: there is no setting `graceful_timeout`; did you mean `graceful-timeout`?",
    ] {
        assert!(said.contains(expected), "no {expected:?} in {said}");
    }
}

#[test]
fn help_names_every_command_and_shows_switches_as_such() {
    let (_, said) = run(&["ctl", "wait", "--help"]);
    assert!(said.contains("Usage: gatewayd ctl wait"), "{said}");
    let (code, said) = run(&["--help"]);
    // Nothing is wrapped twice: no line behind the options is a short one but the last.
    let end = said
        .split("Every option can be set")
        .nth(1)
        .unwrap()
        .trim_end();
    let mut lines = end.lines().rev().skip(1);
    assert!(lines.all(|line| line.len() > 60), "{end}");
    assert_eq!(code, 0);
    for usage in [
        "gatewayd man",
        "gatewayd completions bash|zsh|fish",
        "gatewayd healthcheck",
    ] {
        assert!(said.contains(usage), "no {usage:?} in {said}");
    }
    assert!(said.contains("--reload[=<true|false>]"), "{said}");
    let (_, said) = run(&["nonsense"]);
    assert!(
        said.contains("top, healthcheck, man, completions"),
        "{said}"
    );
}
