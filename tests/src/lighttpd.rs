//! A lighttpd in front of a server under test, in a folder of its own.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::address::Address;
use crate::process::Process;

/// A running lighttpd that listens on a unix path.
#[derive(Debug)]
pub struct Lighttpd {
    /// Where it listens.
    pub address: Address,
    process: Process,
}

impl Lighttpd {
    /// Starts lighttpd with what a site's file says; `@folder@` in it is the folder.
    ///
    /// # Panics
    /// When it is not installed or does not come up.
    #[must_use]
    pub fn serve(site: &str, folder: &Path) -> Self {
        let program = Path::new("/usr/sbin/lighttpd");
        assert!(program.exists(), "no lighttpd: run tests/run");
        let text = format!("{CONFIGURATION}{site}");
        let path = folder.join("lighttpd.conf");
        let text = text.replace("@folder@", &folder.display().to_string());
        fs::write(&path, text).expect("to write lighttpd.conf");
        let mut command = Command::new(program);
        let process = Process::start(command.arg("-D").arg("-f").arg(&path));
        process.line_with("server started", 0);
        let address = Address::Unix(folder.join("lighttpd.sock"));
        Self { address, process }
    }

    /// Everything lighttpd said: its error log.
    #[must_use]
    pub fn said(&self) -> String {
        self.process.said()
    }
}

const CONFIGURATION: &str = "
server.document-root = \"@folder@\"
server.bind = \"@folder@/lighttpd.sock\"
";
