//! What `deploy/` offers works as it stands, but for addresses, names and paths.

mod fronts;
mod image;
mod kubernetes;
mod nginx;
mod systemd;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gateway_tests::address::Address;
use gateway_tests::artefacts::{Artefacts, root};
use gateway_tests::gatewayd::{Gatewayd, program};

/// A file of `deploy/`, with other words in the places of its own.
fn deployed(file: &str, instead: &[(&str, &str)]) -> String {
    let mut text = fs::read_to_string(root().join("deploy").join(file)).unwrap();
    for (own, other) in instead {
        assert!(text.contains(own), "{file} does not say {own}");
        text = text.replace(own, other);
    }
    text
}

/// A program that checks files, from the environment that `tests/run` makes.
fn checker(name: &str) -> Command {
    let path = root().join("target/judges/bin").join(name);
    assert!(path.exists(), "expected {}: run tests/run", path.display());
    Command::new(path)
}

/// What a command says, which has to succeed.
fn said(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}: run tests/run"));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

/// A server of an example or test application, on these binds.
fn serve(app: &str, binds: &[&str], arguments: &[&str]) -> Gatewayd {
    let mut command = program();
    command.args(["--workers", "2"]);
    for bind in binds {
        command.args(["--bind", bind]);
    }
    Gatewayd::start(command.args(arguments).arg(Artefacts::built().module(app)))
}

/// A path below the folder, as text.
fn below(folder: &Path, name: &str) -> String {
    let path: PathBuf = folder.join(name);
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_procfile_serves_on_the_port_that_its_platform_names() {
    let folder = tempfile::tempdir().unwrap();
    let line = fs::read_to_string(root().join("deploy/heroku/Procfile")).unwrap();
    let command = line.trim().strip_prefix("web: gatewayd ").unwrap();
    let command = command.strip_suffix("app.so").unwrap();
    let own = Artefacts::built();
    let (server, app) = (own.program("gatewayd"), own.module("hello"));
    let mut shell = Command::new("sh");
    shell
        .current_dir(folder.path())
        .args(["-c", &format!("exec \"$0\" {command} \"$1\"")])
        .args([server, app])
        .env("PORT", "0");
    let server = Gatewayd::start(&mut shell);
    let Address::Tcp(address) = server.address else {
        panic!("{:?}", server.address)
    };
    assert!(address.ip().is_unspecified());
    assert_eq!(server.workers().len(), 2);
    assert_eq!(server.stop().0, 0);
}
