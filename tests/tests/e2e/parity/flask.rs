//! The Flask application under Gunicorn.

use std::process::Command;

use gateway_tests::address::Address;
use gateway_tests::artefacts::root;
use gateway_tests::process::Process;

/// A running Flask application, killed on drop.
pub(super) struct Flask {
    pub(super) address: Address,
    _process: Process,
}

impl Flask {
    /// Starts it and waits until it takes connections.
    pub(super) fn serve() -> Self {
        let gunicorn = root().join("target/oracle/bin/gunicorn");
        assert!(gunicorn.exists(), "no {}: {INSTALL}", gunicorn.display());
        let mut command = Command::new(gunicorn);
        command
            .args(["--bind", "127.0.0.1:0", "--workers", "1", "--chdir"])
            .arg(root().join("examples/parity"))
            .args(["app:app"])
            .env("PYTHONDONTWRITEBYTECODE", "1");
        let process = Process::start(&mut command);
        let line = process.line_with("Listening at: http://", 0);
        let words = line.split_whitespace();
        let address = words.filter_map(|word| word.strip_prefix("http://")).next();
        let address = address.and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("no address in {line:?}"));
        process.line_with("Booting worker", 0);
        Self {
            address: Address::Tcp(address),
            _process: process,
        }
    }
}

const INSTALL: &str = "Flask is installed by: python3 -m venv target/oracle && \
    target/oracle/bin/pip install -r framework/tests/oracle/requirements.txt";
