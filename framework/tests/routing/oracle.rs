//! Asking Werkzeug.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value as Json;

use crate::spec::Spec;

/// Werkzeug's answers, one for each set of rules.
pub(crate) fn answers(specs: &[Spec]) -> Vec<Json> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("../target/oracle/bin/python");
    let mut child = Command::new(&python)
        .arg(root.join("tests/oracle/routing.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}: {INSTALL}", python.display()));
    let mut input = child.stdin.take().unwrap();
    let question = serde_json::to_vec(specs).unwrap();
    let writer = std::thread::spawn(move || input.write_all(&question));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "the oracle failed; {INSTALL}");
    let answers: Vec<Json> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answers.len(), specs.len());
    answers
}

const INSTALL: &str = "Werkzeug is installed by: python3 -m venv target/oracle && \
    target/oracle/bin/pip install -r framework/tests/oracle/requirements.txt";
