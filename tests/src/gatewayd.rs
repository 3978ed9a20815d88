//! A running `gatewayd`.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;

use crate::address::Address;
use crate::artefacts::Artefacts;
use crate::process::Process;

/// A server under test, killed with its workers on drop.
#[derive(Debug)]
pub struct Gatewayd {
    /// The first address that it told.
    pub address: Address,
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
            .args(arguments)
            .arg(module);
        Self::start(&mut command)
    }

    /// Starts a prepared command and waits until it says that it is ready.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let process = Process::start(command);
        let address = process.line("address", 0, told_address);
        process.line_with(READY, 0);
        Self { address, process }
    }

    /// Graceful stop; answers the exit code and everything said.
    pub fn stop(self) -> (i32, String) {
        self.process.signal(Signal::SIGTERM);
        self.process.end()
    }
}

/// `gatewayd` without arguments yet.
#[must_use]
pub fn program() -> Command {
    let mut command = Command::new(Artefacts::built().program("gatewayd"));
    command.env_remove("RUST_LOG").env("NO_COLOR", "1");
    command
}

/// Runs `gatewayd` to its end; answers the exit code and everything said.
pub fn run(arguments: &[impl AsRef<OsStr>]) -> (i32, String) {
    Process::start(program().args(arguments)).end()
}

/// Finds `http://127.0.0.1:PORT` or `unix:/path` in a line of the launch log.
fn told_address(line: &str) -> Option<Address> {
    if let Some((_, rest)) = line.split_once("http://") {
        let end = rest.find(|c: char| !c.is_ascii_digit() && !".:[]".contains(c));
        return rest[..end.unwrap_or(rest.len())]
            .parse()
            .ok()
            .map(Address::Tcp);
    }
    let (_, path) = line.split_once("unix:")?;
    Some(Address::Unix(path.split_whitespace().next()?.into()))
}

/// What the launch log says once a request would be answered.
const READY: &str = "ready";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_log_lines() {
        let found = told_address("INFO listening on http://127.0.0.1:8000 (tcp)").unwrap();
        assert_eq!(found.to_string(), "127.0.0.1:8000");
        let found = told_address("listening on unix:/tmp/a.sock").unwrap();
        assert_eq!(found, Address::Unix("/tmp/a.sock".into()));
        assert_eq!(told_address("ready"), None);
    }
}
