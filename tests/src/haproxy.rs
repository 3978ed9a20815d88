//! A HAProxy that relays bytes and introduces its clients in the PROXY protocol.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::address::Address;
use crate::process::Process;

/// A running HAProxy.
#[derive(Debug)]
pub struct Haproxy {
    /// Where it listens, in the order of the relays.
    pub addresses: Vec<Address>,
    control: PathBuf,
    _process: Process,
}

/// Where one of its addresses leads, and how.
#[derive(Debug)]
pub struct Relay<'a> {
    /// Where clients come: an IP address without a port.
    pub from: &'a str,
    /// What is said of that address: `ssl crt FILE`.
    pub listening: &'a str,
    /// Where it leads.
    pub to: &'a Address,
    /// What is said of the server: `send-proxy`.
    pub sending: &'a str,
}

impl Haproxy {
    /// Starts it with `folder` for everything it writes.
    ///
    /// # Panics
    /// When it is not installed or does not come up.
    #[must_use]
    pub fn relay(relays: &[Relay<'_>], folder: &Path) -> Self {
        let control = folder.join("haproxy.sock");
        let mut text = CONFIGURATION.replace("@control@", &control.display().to_string());
        let mut addresses = Vec::new();
        for (number, relay) in relays.iter().enumerate() {
            // It can choose no port itself. The kernel gives the same one to nobody else for a while.
            let free = TcpListener::bind((relay.from, 0)).expect("a free port");
            let address = free.local_addr().expect("an address");
            let server = relay.to.to_string();
            let server = server.replacen("unix:", "unix@", 1);
            text.push_str(&format!(
                "listen relay{number}\n bind {address} {}\n server it {server} {}\n",
                relay.listening, relay.sending
            ));
            addresses.push(Address::Tcp(address));
        }
        let path = folder.join("haproxy.cfg");
        fs::write(&path, text).expect("to write haproxy.cfg");
        let program = ["/usr/sbin/haproxy", "/usr/bin/haproxy"];
        let program = program.iter().find(|path| Path::new(path).exists());
        let program = program.expect("haproxy to be installed: apt-get install haproxy");
        let process = Process::start(Command::new(program).arg("-f").arg(&path).arg("-db"));
        crate::until("HAProxy", || UnixStream::connect(&control).is_ok());
        Self {
            addresses,
            control,
            _process: process,
        }
    }

    /// What it answers to a command on its control socket.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn tell(&self, command: &str) -> String {
        let mut stream = UnixStream::connect(&self.control).expect("HAProxy to listen");
        writeln!(stream, "{command}").expect("HAProxy to take a command");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }
}

const CONFIGURATION: &str = "global
 stats socket @control@ level admin
defaults
 mode tcp
 timeout connect 30s
 timeout client 60s
 timeout server 60s
";
