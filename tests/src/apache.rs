//! An Apache in front of a server under test, in a folder of its own.

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;

use crate::address::Address;
use crate::process::Process;

/// A running Apache.
#[derive(Debug)]
pub struct Apache {
    /// Where it listens.
    pub address: Address,
    process: Process,
}

impl Apache {
    /// Starts Apache with these modules beside the necessary ones, and what a site's file says; its `*:80` is
    /// a port of this machine.
    ///
    /// # Panics
    /// When it is not installed or does not come up.
    #[must_use]
    pub fn serve(site: &str, modules: &[&str], folder: &Path) -> Self {
        let program = Path::new("/usr/sbin/apache2");
        assert!(program.exists(), "no apache2: run tests/run");
        // Apache chooses no port, and somebody else may take ours before it does.
        let tries = (0..5).find_map(|_| {
            let address = free_port();
            let path = folder.join("apache.conf");
            let text = configuration(site, modules, folder, address);
            fs::write(&path, text).expect("to write apache.conf");
            let mut command = Command::new(program);
            let process = Process::start(command.arg("-DFOREGROUND").arg("-f").arg(&path));
            let is_ours = process.line("start", 0, |line| match line {
                line if line.contains("resuming normal operations") => Some(true),
                line if line.contains("no listening sockets available") => Some(false),
                _ => None,
            });
            let address = Address::Tcp(address);
            is_ours.then_some(Self { address, process })
        });
        tries.expect("a port that nobody takes")
    }

    /// Everything Apache said: its error log.
    #[must_use]
    pub fn said(&self) -> String {
        self.process.said()
    }
}

fn free_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address")
}

fn configuration(site: &str, modules: &[&str], folder: &Path, address: SocketAddr) -> String {
    let mut text = CONFIGURATION.to_owned();
    for name in NECESSARY.iter().chain(modules) {
        let _ = writeln!(text, "LoadModule {name}_module modules/mod_{name}.so");
    }
    text += &site.replace("*:80", &address.to_string());
    text.replace("@address@", &address.to_string())
        .replace("@folder@", &folder.display().to_string())
}

const NECESSARY: [&str; 2] = ["mpm_event", "authz_core"];

const CONFIGURATION: &str = "
ServerRoot /usr/lib/apache2
ServerName localhost
Listen @address@
PidFile @folder@/apache.pid
DefaultRuntimeDir @folder@
DocumentRoot @folder@
ErrorLog /dev/stderr
LogLevel notice
StartServers 1
ThreadsPerChild 8
MaxRequestWorkers 8
User www-data
Group www-data
";
