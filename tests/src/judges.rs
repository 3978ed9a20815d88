//! Programs of others that read what the server says, as `tests/run` installs them.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::artefacts::root;

/// The samples of metrics as Prometheus' own parser reads them, by name and labels:
/// `gatewayd_workers{state=ready}`. `form` is `prometheus` or `openmetrics`.
///
/// # Panics
/// When the parser is not installed or refuses the text.
#[must_use]
pub fn metrics(text: &str, form: &str) -> BTreeMap<String, f64> {
    let script: PathBuf = root().join("tests/tools/read_metrics.py");
    let mut child = python()
        .arg(script)
        .arg(form)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python to start");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(text.as_bytes()).expect("python to read");
    drop(input);
    let output = child.wait_with_output().expect("python to end");
    assert!(
        output.status.success(),
        "{form} is not what it should be: {text}"
    );
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The Python that has what the judges need.
///
/// # Panics
/// When it is not installed.
#[must_use]
pub fn python() -> Command {
    let python = root().join("target/judges/bin/python");
    assert!(
        python.exists(),
        "the judges are not installed: run tests/run, or python3 -m venv target/judges && \
         target/judges/bin/pip install -r tests/requirements.txt"
    );
    Command::new(python)
}
