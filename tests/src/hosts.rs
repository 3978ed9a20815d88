//! Servers with an application inside that are not gatewayd; those of the Rust world, the examples of the adapters.

use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::address::Address;
use crate::artefacts::Artefacts;
use crate::client::Client;
use crate::process::Process;
use crate::response::Response;

/// A server under test, killed with its workers on drop.
#[derive(Debug)]
pub struct Host {
    pub address: Address,
    pub process: Process,
    /// Where its socket is, if it is a file.
    pub(crate) _folder: Option<TempDir>,
}

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// examples/bare-hyper
    Hyper,
    /// examples/axum-host
    Axum,
    /// examples/actix-host
    Actix,
}

impl Kind {
    /// The name of its program.
    fn program(self) -> &'static str {
        match self {
            Self::Hyper => "bare-hyper",
            Self::Axum => "axum-host",
            Self::Actix => "actix-host",
        }
    }

    /// Serves a module on a port of the system's choice, and waits until it is ready.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn serve(self, module: &Path, environment: &[(&str, &str)]) -> Host {
        let mut command = Command::new(Artefacts::built().program(self.program()));
        command.arg(module).arg("127.0.0.1:0");
        Host::start(command.envs(environment.iter().copied()))
    }
}

/// Serves a module by examples/front-host to a web server in front that speaks this protocol.
///
/// # Panics
/// When it does not come up.
#[must_use]
pub fn front(protocol: &str, module: &Path, environment: &[(&str, &str)]) -> Host {
    let mut command = Command::new(Artefacts::built().program("front-host"));
    command.arg(module).args([protocol, "127.0.0.1:0"]);
    Host::start(command.envs(environment.iter().copied()))
}

impl Host {
    /// Starts a program that says where it is ready.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        command.env("NO_COLOR", "1");
        let process = Process::start(command);
        let address = process.line("address", 0, |line| {
            let (_, place) = line.split_once("ready at ")?;
            let (_, address) = place.trim().split_once("://")?;
            address.parse().ok().map(Address::Tcp)
        });
        Self {
            address,
            process,
            _folder: None,
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

    /// Graceful stop; answers the exit code and everything said.
    pub fn stop(self) -> (i32, String) {
        self.process.signal(Signal::SIGTERM);
        self.process.end()
    }

    /// Graceful stop, by an exit or by the signal itself; answers everything said.
    pub fn words(mut self) -> String {
        self.process.signal(Signal::SIGTERM);
        self.process.wait();
        self.process.said()
    }
}
