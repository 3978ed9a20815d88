//! What cannot be loaded or started is refused once, with its reason and its exit code.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use gateway_tests::artefacts::{Artefacts, compile};
use gateway_tests::gatewayd::{Gatewayd, program, run};
use gateway_tests::process::Process;

const COULD_NOT_LOAD: i32 = 4;
const COULD_NOT_START: i32 = 3;

/// Runs with and without workers and expects this code, these words, and no second attempt.
fn expect_refusal(module: &Path, arguments: &[&str], code: i32, words: &[&str]) {
    let path = module.to_str().unwrap();
    for workers in ["2", "0"] {
        let all = [
            &["--workers", workers, "--bind", "127.0.0.1:0", path],
            arguments,
        ]
        .concat();
        let (found, said) = run(&all);
        assert_eq!(found, code, "--workers {workers}: {said}");
        for word in words {
            assert!(
                said.contains(word),
                "--workers {workers}: no {word:?} in: {said}"
            );
        }
        let reason = words.last().unwrap();
        let told = said
            .lines()
            .filter(|line| line.contains(" ERROR ") && line.contains(reason));
        // Each of the first workers may say it, and nobody tries again.
        assert!(told.count() <= 2, "--workers {workers}: told again: {said}");
        assert!(!said.contains("ready in"), "{said}");
    }
}

fn hostile(flags: &[&str], folder: &Path) -> std::path::PathBuf {
    let sources = ["hostile", "answers", "bodies", "async"];
    let sources = sources.map(|name| format!("tests/hostile/{name}.c"));
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    compile(
        &sources,
        &[&["-std=gnu11", "-pthread"], flags].concat(),
        folder,
    )
}

#[test]
fn a_missing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let module = folder.path().join("nowhere.so");
    expect_refusal(
        &module,
        &[],
        COULD_NOT_LOAD,
        &["nowhere.so", "No such file"],
    );
}

#[test]
fn a_missing_file_is_named_before_an_address_that_is_in_use_is_waited_for() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    for workers in ["2", "0"] {
        let (code, said) = run(&["--workers", workers, "--bind", &taken, "./nowhere.so"]);
        assert_eq!(code, COULD_NOT_LOAD, "{said}");
        assert!(
            said.contains("nowhere.so: cannot read the application"),
            "{said}"
        );
        assert!(!said.contains("cannot listen"), "{said}");
    }
}

#[test]
fn a_folder_is_not_a_module() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().file_name().unwrap().to_str().unwrap();
    expect_refusal(folder.path(), &[], COULD_NOT_LOAD, &[name]);
}

#[test]
fn a_file_that_is_not_elf_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [("text.so", &b"#!/bin/sh\n"[..]), ("empty.so", b"")] {
        let module = folder.path().join(name);
        fs::write(&module, content).unwrap();
        expect_refusal(&module, &[], COULD_NOT_LOAD, &[name, "ELF"]);
    }
}

#[test]
fn a_truncated_module_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(Artefacts::built().module("hello")).unwrap();
    for part in [100, 1000, whole.len() / 2] {
        let module = folder.path().join("cut.so");
        fs::write(&module, &whole[..part]).unwrap();
        expect_refusal(&module, &[], COULD_NOT_LOAD, &["cut.so"]);
    }
}

#[test]
fn a_library_without_the_symbol_is_no_application() {
    let folder = tempfile::tempdir().unwrap();
    let module = hostile(&["-DHOSTILE_SYMBOL=another_name"], folder.path());
    expect_refusal(&module, &[], COULD_NOT_LOAD, &["gateway_module_v1"]);
}

#[test]
fn a_descriptor_that_this_host_must_not_serve_is_refused() {
    for (flag, word) in [
        ("-DHOSTILE_MAGIC=0x1234", "magic"),
        ("-DHOSTILE_MAJOR=2", "2"),
        ("-DHOSTILE_MIN_HOST_MINOR=9999", "9999"),
        ("-DHOSTILE_FLAGS=1ULL<<63", "flag"),
        ("-DHOSTILE_STRUCT_SIZE=100", "100"),
        ("-DHOSTILE_NO_CREATE", "create"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let module = hostile(&[flag], folder.path());
        expect_refusal(&module, &[], COULD_NOT_LOAD, &["hostile", word]);
    }
}

#[test]
fn an_application_without_call_is_refused() {
    for flag in ["-DHOSTILE_NO_CALL", "-DHOSTILE_APP_VT_SIZE=16"] {
        let folder = tempfile::tempdir().unwrap();
        let module = hostile(&[flag], folder.path());
        for workers in ["2", "0"] {
            let path = module.to_str().unwrap();
            let (code, said) = run(&["--workers", workers, "--bind", "127.0.0.1:0", path]);
            assert!(
                [COULD_NOT_LOAD, COULD_NOT_START].contains(&code),
                "{code}: {said}"
            );
            assert!(said.contains("call") || said.contains("table"), "{said}");
        }
    }
}

#[test]
fn a_later_descriptor_and_harmless_flags_are_served() {
    for flag in ["-DHOSTILE_FLAGS=1ULL<<31", "-DHOSTILE_STRUCT_SIZE=1000"] {
        let folder = tempfile::tempdir().unwrap();
        let module = hostile(&[flag], folder.path());
        let server = Gatewayd::serve(&module, &["--workers", "1"]);
        assert_eq!(server.get("/ok").text(), "ok");
    }
}

#[test]
fn an_application_that_fails_to_start_says_why() {
    let probe = Artefacts::built().module("probe");
    let why = "probe: no database at db.example:5432";
    expect_refusal(probe, &["--", "fail"], COULD_NOT_START, &["probe", why]);
}

#[test]
fn an_application_that_panics_at_start_says_what() {
    let probe = Artefacts::built().module("probe");
    expect_refusal(
        probe,
        &["--", "panic"],
        COULD_NOT_START,
        &["probe: panic in start-up"],
    );
}

#[test]
fn a_foreign_application_that_fails_to_start_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let module = hostile(&[], folder.path());
    for (mode, word) in [
        ("create-fail", "hostile: create failed on purpose"),
        ("create-silent", "hostile"),
        ("create-null", "hostile"),
        ("startup-fail", "hostile: startup failed"),
        ("startup-overlong", "hostile"),
        ("startup-positive", "start-up failed"),
    ] {
        for workers in ["1", "0"] {
            let path = module.to_str().unwrap();
            let bind = [
                "--workers",
                workers,
                "--bind",
                "127.0.0.1:0",
                path,
                "--",
                mode,
            ];
            let (code, said) = run(&bind);
            assert_eq!(code, COULD_NOT_START, "{mode}: {said}");
            assert!(said.contains(word), "{mode}: no {word:?} in {said}");
        }
    }
}

#[test]
fn a_reason_for_not_starting_cannot_forge_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let module = hostile(&[], folder.path());
    let bind = [
        "--workers",
        "0",
        "--bind",
        "127.0.0.1:0",
        module.to_str().unwrap(),
    ];
    let (_, said) = run(&[&bind[..], &["--", "startup-fail"]].concat());
    assert!(
        !said.lines().any(|line| line.starts_with("forged")),
        "{said}"
    );
}

#[test]
fn a_start_up_that_never_ends_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let module = hostile(&[], folder.path());
    let path = module.to_str().unwrap();
    let bind = [
        "--workers",
        "1",
        "--bind",
        "127.0.0.1:0",
        "--boot-timeout",
        "1s",
        path,
    ];
    let (code, said) = run(&[&bind[..], &["--", "startup-pending"]].concat());
    assert_eq!(code, COULD_NOT_START, "{said}");
    let late = Gatewayd::serve(&module, &["--workers", "1", "--", "startup-late"]);
    assert_eq!(late.get("/ok").text(), "ok");
}

#[test]
fn a_wrong_command_line_is_refused_with_what_was_expected() {
    for arguments in [&["--workers", "many", "x.so"][..], &["--no-such-flag"]] {
        let (code, said) = run(arguments);
        assert_eq!(code, 2, "{arguments:?}: {said}");
        assert!(!said.is_empty(), "{arguments:?}");
    }
    let (_, said) = run(&["--workers", "many", "x.so"]);
    assert!(
        said.contains("--workers") && said.contains("many"),
        "{said}"
    );
}

#[test]
fn a_command_line_without_an_application_is_refused() {
    let mut command = program();
    let (code, said) = Process::start(command.env("GATEWAYD_BIND", "127.0.0.1:0")).end();
    assert_eq!(code, 2, "{said}");
}
