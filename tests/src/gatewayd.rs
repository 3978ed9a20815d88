//! A running `gatewayd`.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;

use crate::address::Address;
use crate::artefacts::Artefacts;
use crate::client::Client;
use crate::process::Process;
use crate::response::Response;

/// A server under test, killed with its workers on drop.
#[derive(Debug)]
pub struct Gatewayd {
    /// The first of its addresses.
    pub address: Address,
    /// All of them.
    pub addresses: Vec<Address>,
    pub process: Process,
}

impl Gatewayd {
    /// Serves a module on a port of the system's choice and waits until it says that it is ready.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn serve(module: &Path, arguments: &[&str]) -> Self {
        let mut command = program();
        command
            .args(["--bind", "127.0.0.1:0"])
            .arg(module)
            .args(arguments);
        Self::start(&mut command)
    }

    /// Starts a prepared command and waits until it says that it is ready.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let process = Process::start(command);
        let line = process.line_with(READY, 0);
        let addresses: Vec<_> = line.split_whitespace().filter_map(told_address).collect();
        let address = addresses.first().cloned();
        let address = address.unwrap_or_else(|| panic!("no address in {line:?}"));
        Self {
            address,
            addresses,
            process,
        }
    }

    /// A new connection.
    #[must_use]
    pub fn connect(&self) -> Client {
        Client::connect(&self.address)
    }

    /// One GET on a connection of its own.
    #[must_use]
    pub fn get(&self, target: &str) -> Response {
        Client::get(&self.address, target)
    }

    /// One request on a connection of its own.
    #[must_use]
    pub fn fetch(&self, request: impl AsRef<[u8]>) -> Response {
        Client::fetch(&self.address, request)
    }

    /// `http://127.0.0.1:PORT` and a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The worker processes there are now, by pid; none once the server has ended.
    #[must_use]
    pub fn workers(&self) -> Vec<i32> {
        workers_of(self.process.pid())
    }

    /// Graceful stop; answers the exit code and everything said.
    pub fn stop(self) -> (i32, String) {
        self.process.signal(Signal::SIGTERM);
        self.process.end()
    }
}

/// The workers of the master with this pid; not what it starts for other purposes. None if it is gone.
#[must_use]
pub fn workers_of(master: i32) -> Vec<i32> {
    let list = fs::read_to_string(format!("/proc/{master}/task/{master}/children"));
    let is_worker = |pid: &i32| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        words.split(|byte| *byte == 0).nth(1) == Some(b"--gatewayd-worker")
    };
    let list = list.unwrap_or_default();
    let pids = list.split_whitespace().filter_map(|pid| pid.parse().ok());
    pids.filter(is_worker).collect()
}

/// `gatewayd` without arguments yet.
#[must_use]
pub fn program() -> Command {
    program_at(Artefacts::built().program("gatewayd"))
}

/// The `gatewayd` at a path of the test's choice, without arguments yet.
#[must_use]
pub fn program_at(path: &Path) -> Command {
    let mut command = Command::new(path);
    command.env_remove("RUST_LOG").env("NO_COLOR", "1");
    command
}

/// Runs `gatewayd` to its end; answers the exit code and everything said.
pub fn run(arguments: &[impl AsRef<OsStr>]) -> (i32, String) {
    Process::start(program().args(arguments)).end()
}

/// Reads `http://127.0.0.1:PORT`, the same with another scheme, or `unix:/path`.
fn told_address(word: &str) -> Option<Address> {
    let schemes = ["http", "https", "redirect", "fastcgi", "scgi", "uwsgi"];
    let word = word.strip_prefix("proxy+").unwrap_or(word);
    let (scheme, rest) = word.split_once("://").unwrap_or(("http", word));
    if !schemes.contains(&scheme) {
        return None;
    }
    match rest.strip_prefix("unix:") {
        Some(path) => Some(Address::Unix(path.into())),
        None if rest == word => None,
        None => rest.parse().ok().map(Address::Tcp),
    }
}

/// What the launch log says once a request would be answered.
const READY: &str = "ready in ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_from_the_words_of_the_launch_log() {
        let tcp = told_address("http://127.0.0.1:8000").unwrap();
        assert_eq!(tcp.to_string(), "127.0.0.1:8000");
        let unix = told_address("unix:/tmp/a.sock").unwrap();
        assert_eq!(unix, Address::Unix("/tmp/a.sock".into()));
        let front = told_address("fastcgi://unix:/tmp/a.sock").unwrap();
        assert_eq!(front, unix);
        assert_eq!(told_address("ready"), None);
    }
}
