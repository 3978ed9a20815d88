//! Where folders are named, what is wrong with them, and who opens them.

use std::fs;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::gatewayd::{Gatewayd, program, run};
use gateway_tests::until;
use nix::sys::signal::Signal;

use super::{Site, as_nobody};

const WRONG: i32 = 2;

fn module() -> &'static str {
    Artefacts::built().module("probe").to_str().unwrap()
}

#[test]
fn a_folder_in_a_file_begins_where_the_file_is_and_one_in_a_variable_here() {
    let site = Site::new(&[("a", b"a"), ("built/b", b"b")]);
    let file = site.folder.path().join("g.toml");
    let text = format!(
        "bind = '127.0.0.1:0'\nworkers = 1\napp = '{}'\nstatic-max-age = '1h'\nstatic-immutable = '/y'\n\
         [static]\n'/x' = 'public'\n'/y' = './public/built'\n",
        module()
    );
    fs::write(&file, text).unwrap();
    let server = Gatewayd::start(program().arg("--config").arg(&file));
    let cached = |path| server.get(path).field("cache-control").unwrap().to_owned();
    assert_eq!(cached("/x/a"), "public, max-age=3600");
    assert_eq!(cached("/y/b"), "public, max-age=31536000, immutable");
    let mut command = program();
    command.current_dir(site.folder.path());
    command.env("GATEWAYD_STATIC", "/x=public, /y=public/built");
    command.args(["--bind", "127.0.0.1:0", "--workers", "1", module()]);
    let server = Gatewayd::start(&mut command);
    assert_eq!(
        (server.get("/x/a").text(), server.get("/y/b").text()),
        ("a", "b")
    );
}

#[test]
fn a_folder_that_is_none_is_told_with_where_it_is_named() {
    let site = Site::new(&[("a", b"a")]);
    let folder = site.public();
    let missing = format!("/x={}", folder.join("no").display());
    let file = format!("/x={}", folder.join("a").display());
    let twice = format!("/x={}", folder.display());
    for (words, expected) in [
        (
            vec!["--static", &*missing],
            "--static (command line): expected a folder at ",
        ),
        (
            vec!["--static", &missing],
            "for /x, found No such file or directory",
        ),
        (vec!["--static", &file], "for /x, found something else"),
        (
            vec!["--static", &twice, "--static", &twice],
            "expected one folder for /x, found ",
        ),
        (vec!["--static", "public"], "expected `PATH=FOLDER`, "),
        (vec!["--static", "/x"], "expected `PATH=FOLDER`, "),
        (
            vec!["--static-immutable", "x"],
            "expected a URL's path such as ",
        ),
    ] {
        for command in [&[][..], &["check-config"]] {
            let words = [command, &["--bind", "127.0.0.1:0"], &words, &[module()]].concat();
            let (code, said) = run(&words);
            assert_eq!(code, WRONG, "{said}");
            assert!(said.contains(expected), "{expected} in {said}");
        }
    }
}

#[test]
fn a_folder_that_workers_may_not_open_keeps_the_server_from_starting() {
    use std::os::unix::fs::PermissionsExt as _;
    let site = Site::new(&[]);
    fs::set_permissions(site.public(), fs::Permissions::from_mode(0o000)).unwrap();
    let mount = site.mount("/x");
    let words = ["--bind", "127.0.0.1:0", "--workers", "1", &mount, module()];
    let (code, said) = run(&[&words, as_nobody()].concat());
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("cannot open the folder: Permission denied"),
        "{said}"
    );
}

#[test]
fn a_reload_serves_the_folder_that_the_link_leads_to_then() {
    let site = Site::new(&[("1/a", b"one"), ("2/a", b"two")]);
    let current = site.folder.path().join("current");
    std::os::unix::fs::symlink("public/1", &current).unwrap();
    let mount = format!("--static=/x={}", current.display());
    let words = ["--workers", "1", &mount];
    let server = Gatewayd::serve(Artefacts::built().module("probe"), &words);
    assert_eq!(server.get("/x/a").text(), "one");
    fs::remove_file(&current).unwrap();
    std::os::unix::fs::symlink("public/2", &current).unwrap();
    assert_eq!(server.get("/x/a").text(), "one");
    server.process.signal(Signal::SIGHUP);
    // The worker that leaves may be the one that accepts, until it has.
    until("the new folder to be served", || {
        server.get("/x/a").text() == "two"
    });
}
