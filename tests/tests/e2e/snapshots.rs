//! With `--snapshot-dir` the application's copy is a file, so that it finds what it looks for beside itself.

use std::fs;
use std::path::Path;

use gateway_tests::artefacts::{Artefacts, compile, install};
use gateway_tests::gatewayd::{Gatewayd, program_at, run};
use gateway_tests::until;
use nix::sys::signal::Signal;

/// An application in C that needs a library beside it.
fn application(folder: &Path) -> std::path::PathBuf {
    let source = folder.join("libbeside.c");
    fs::write(
        &source,
        "int beside(void);\nint beside(void) { return 1; }\n",
    )
    .unwrap();
    let library = compile(
        &[source.to_str().unwrap()],
        &["-fvisibility=default"],
        folder,
    );
    let search = format!("-L{}", folder.display());
    let flags = [
        &search,
        "-Wl,--no-as-needed",
        "-lbeside",
        "-Wl,-rpath,$ORIGIN",
    ];
    let app = compile(&["examples/hello-c/hello.c"], &flags, folder);
    assert!(library.exists());
    app
}

fn copies(folder: &Path) -> usize {
    let names = fs::read_dir(folder).unwrap().map_while(Result::ok);
    let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names
        .filter(|name| name.starts_with("gatewayd-snapshot-"))
        .count()
}

#[test]
fn a_library_beside_the_application_is_found_through_reload_and_upgrade() {
    let folder = tempfile::tempdir().unwrap();
    let app = application(folder.path());
    let place = folder.path().to_str().unwrap();
    let bind = ["--bind", "127.0.0.1:0", "--workers", "2", "--linger", "0s"];
    let without = [&bind[..], &[app.to_str().unwrap()]].concat();
    let (code, said) = run(&without);
    assert!(code == 4 && said.contains("libbeside.so"), "{code}: {said}");

    // What another server has left, which was killed.
    fs::write(folder.path().join("gatewayd-snapshot-0-left.so"), "").unwrap();
    let gatewayd = folder.path().join("gatewayd");
    install(Artefacts::built().program("gatewayd"), &gatewayd);
    let mut command = program_at(&gatewayd);
    command.args(without).args(["--snapshot-dir", place]);
    let server = Gatewayd::start(&mut command);
    assert_eq!(server.get("/").status, 200);
    assert_eq!(copies(folder.path()), 1);
    for (signal, generation) in [
        (Signal::SIGHUP, 2),
        (Signal::SIGUSR2, 3),
        (Signal::SIGHUP, 4),
    ] {
        let old = server.workers();
        server.process.signal(signal);
        let line = format!("all workers run generation {generation}");
        server.process.line_with(&line, 0);
        assert_eq!(server.get("/").status, 200);
        until("the end of the old workers", || {
            !server.workers().iter().any(|pid| old.contains(pid))
        });
    }
    assert!(copies(folder.path()) <= 2);
    // The process that has tried the new program may take a moment to end, and holds what it has tried.
    let master = server.process.pid();
    until("two workers alone", || {
        let children = fs::read_to_string(format!("/proc/{master}/task/{master}/children"));
        children.unwrap().split_whitespace().count() == 2
    });
    let (code, said) = server.stop();
    assert!(code == 0 && !said.contains("WARN"), "{said}");
    assert_eq!(copies(folder.path()), 0);
}

#[test]
fn who_has_tried_an_upgrade_ends_with_it_and_leaves_no_copy_behind() {
    let folder = tempfile::tempdir().unwrap();
    let gatewayd = folder.path().join("gatewayd");
    install(Artefacts::built().program("gatewayd"), &gatewayd);
    let mut command = program_at(&gatewayd);
    command
        .args(["--bind", "127.0.0.1:0", "--workers", "1", "--linger", "0s"])
        .args(["--log-level", "debug", "--snapshot-dir"])
        .arg(folder.path())
        .arg(Artefacts::built().module("hello"));
    let server = Gatewayd::start(&mut command);
    server.process.signal(Signal::SIGUSR2);
    let checks = server.process.line_with("is checked in process", 0);
    let (_, pid) = checks.rsplit_once(' ').unwrap();
    let checker = Path::new("/proc").join(pid);
    server.process.line_with("has taken over", 0);
    until("the end of who has tried it", || !checker.exists());
    // Who stops a server in the middle of it finds the folder empty in the end as well.
    let from = server.process.lines_so_far();
    server.process.signal(Signal::SIGUSR2);
    server.process.line_with("has taken over", from);
    let (code, said) = server.stop();
    assert_eq!(code, 0, "{said}");
    // It was not killed for not ending.
    assert!(
        !said.contains(&format!("process {pid} is killed")),
        "{said}"
    );
    until("an empty folder", || copies(folder.path()) == 0);
}

#[test]
fn a_folder_that_is_not_there_ends_the_start_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none");
    let hello = Artefacts::built().module("hello").to_str().unwrap();
    let missing = missing.to_str().unwrap();
    let (code, said) = run(&[
        "--workers",
        "1",
        "--bind",
        "127.0.0.1:0",
        "--snapshot-dir",
        missing,
        hello,
    ]);
    assert_eq!(code, 4, "{said}");
    assert!(
        said.contains(&format!("--snapshot-dir {missing}: ")),
        "{said}"
    );
}
