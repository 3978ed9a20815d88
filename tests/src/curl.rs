//! curl, as people use it.

use std::process::Command;

/// What curl made of it.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs curl quietly, with its errors shown and a deadline.
///
/// # Panics
/// When curl is not installed.
#[must_use]
pub fn curl(arguments: &[&str]) -> Outcome {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "30"])
        .args(arguments)
        .output()
        .expect("curl to be installed");
    Outcome {
        code: output.status.code().expect("curl to end by itself"),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
