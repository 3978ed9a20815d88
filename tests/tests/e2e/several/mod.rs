//! Several applications in one server: each by its host and its mount, with its own limits and settings.

mod limits;
mod mistakes;
mod operators;
mod pools;
mod reloading;
mod routing;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use gateway_tests::DEADLINE;
use gateway_tests::artefacts::{Artefacts, install};
use gateway_tests::client::Client;
use gateway_tests::gatewayd::{Gatewayd, program};
use gateway_tests::response::Response;
use tempfile::TempDir;

/// A server whose applications are files of its own folder.
struct Site {
    folder: TempDir,
    server: Gatewayd,
    /// Other folders that it needs.
    more: Vec<TempDir>,
}

impl Site {
    /// Serves what `text`, a configuration file, asks for; in its folder lie `modules`, as
    /// `(file, package)`.
    fn serve(text: &str, modules: &[(&str, &str)], arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (file, package) in modules {
            install(
                Artefacts::built().module(package),
                &folder.path().join(file),
            );
        }
        write(folder.path(), text);
        let mut command = program();
        command.arg("--config").arg(folder.path().join("g.toml"));
        let server = Gatewayd::start(command.args(arguments));
        Self {
            folder,
            server,
            more: Vec::new(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// One GET with this host, on a connection of its own.
    fn get(&self, host: &str, target: &str) -> Response {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        Client::fetch(&self.server.address, request)
    }
}

impl Site {
    /// Asks until this is the status: a worker that is leaving may answer a little longer.
    fn until(&self, target: &str, status: u16) {
        let end = Instant::now() + DEADLINE;
        loop {
            let found = self.get("a", target).status;
            if found == status {
                return;
            }
            assert!(Instant::now() < end, "{target}: {found}, not {status}");
            std::thread::yield_now();
        }
    }
}

/// Replaces the configuration at once.
fn write(folder: &Path, text: &str) {
    let fresh = folder.join("fresh");
    fs::write(&fresh, text).unwrap();
    fs::rename(fresh, folder.join("g.toml")).unwrap();
}

/// What a probe says of a request's mount and path.
fn place(response: &Response) -> (String, String) {
    assert_eq!(response.status, 200, "{response:?}");
    let fact = |name: &str| {
        let line = response
            .text()
            .lines()
            .find_map(|line| line.strip_prefix(name));
        line.map(|rest| rest.trim().to_owned()).unwrap()
    };
    (fact("mount:"), fact("path:"))
}
