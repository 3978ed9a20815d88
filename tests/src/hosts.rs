//! Servers of the Rust world with an application inside: the examples of the adapters.

use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;

use crate::address::Address;
use crate::artefacts::Artefacts;
use crate::client::Client;
use crate::process::Process;
use crate::response::Response;

/// A server under test, killed on drop.
#[derive(Debug)]
pub struct Host {
    pub address: Address,
    pub process: Process,
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
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::Hyper => "bare-hyper",
            Self::Axum => "axum-host",
            Self::Actix => "actix-host",
        }
    }
}

impl Host {
    /// Serves a module on a port of the system's choice, and waits until it is ready.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn serve(kind: Kind, module: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(Artefacts::built().program(kind.program()));
        command
            .arg(module)
            .args(["--bind", "127.0.0.1:0"])
            .args(arguments);
        Self::start(&mut command)
    }

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
        Self { address, process }
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
}
