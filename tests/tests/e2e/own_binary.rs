//! A program that holds its application serves it with the same command line.

use std::process::Command;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::process::Process;
use nix::sys::signal::Signal;

fn program(arguments: &[&str]) -> Command {
    named("own-binary", arguments)
}

fn named(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(Artefacts::built().program(name));
    command.args(arguments).env("NO_COLOR", "1");
    command
}

fn run(arguments: &[&str]) -> (i32, String) {
    Process::start(&mut program(arguments)).end()
}

#[test]
fn it_serves_with_and_without_workers() {
    for (workers, told) in [("2", "2 workers"), ("0", "one process")] {
        let arguments = ["--workers", workers, "--bind", "127.0.0.1:0"];
        let server = Gatewayd::start(&mut program(&arguments));
        let line = server.process.line_with("ready in", 0);
        assert!(line.contains("| own-binary 0.1.0 |"), "{line}");
        assert!(line.contains(told), "{line}");
        for _ in 0..8 {
            let answer = server.get("/");
            assert_eq!(answer.status, 200);
            assert_eq!(answer.text(), "Hello from my own binary!");
        }
        assert_eq!(server.stop().0, 0);
    }
}

#[test]
fn hup_replaces_its_workers() {
    let server = Gatewayd::start(&mut program(&["--workers", "2", "--bind", "127.0.0.1:0"]));
    server.process.signal(Signal::SIGHUP);
    server.process.line_with("generation 2", 0);
    assert_eq!(server.get("/").status, 200);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn its_help_and_its_complaints_bear_its_own_name() {
    let (code, help) = run(&["--help"]);
    assert_eq!(code, 0);
    assert!(help.contains("own-binary [OPTIONS] [-- ARGS]"), "{help}");
    assert!(help.contains("--workers"), "{help}");
    assert!(!help.contains("APP.SO"), "{help}");
    let (code, said) = run(&["app.so"]);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.starts_with("own-binary: ") && said.contains("app.so"),
        "{said}"
    );
    assert!(said.contains("Try `own-binary --help`"), "{said}");
}

#[test]
fn check_tells_of_the_application_within_and_starts_it() {
    let (code, said) = run(&["check"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("own-binary 0.1.0"), "{said}");
    assert!(said.contains("this program"), "{said}");
    let (code, said) = run(&["check", "--load"]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("start-up ") && said.contains("destroy "),
        "{said}"
    );
}

#[test]
fn the_plain_function_takes_a_constructor_and_runs_it_in_each_worker() {
    let arguments = [
        "--workers",
        "2",
        "--bind",
        "127.0.0.1:0",
        "--",
        "two",
        "words",
    ];
    let server = Gatewayd::start(&mut named("linked", &arguments));
    let line = server.process.line_with("ready in", 0);
    assert!(line.contains("| linked |"), "{line}");
    let answer = server.get("/");
    let (worker, argument) = answer.text().split_once(' ').unwrap();
    assert_ne!(worker, server.process.pid().to_string());
    assert_eq!(argument, "two words");
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_constructor_that_fails_ends_the_program_with_code_3() {
    for workers in ["0", "2"] {
        let arguments = ["--workers", workers, "--bind", "127.0.0.1:0", "--", "fail"];
        let (code, said) = Process::start(&mut named("linked", &arguments)).end();
        assert_eq!(code, 3, "{said}");
        assert!(said.contains("linked: told to fail"), "{said}");
    }
}
