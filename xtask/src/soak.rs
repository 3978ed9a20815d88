//! `cargo xtask soak`, the zero-loss test for minutes instead of one, in namespaces and control groups, and
//! `cargo xtask chaos`, a server whose processes are killed; both with release builds.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

/// Runs a program of the tests with these arguments; its exit code is ours.
pub(crate) fn run(root: &Path, program: &str, arguments: &[&str]) -> Result<ExitCode> {
    let status = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--release", "--locked"])
        .args(["-p", "gateway-tests", "--bin", program, "--"])
        .args(arguments)
        .env("GATEWAY_TEST_PROFILE", "release")
        .current_dir(root)
        .status()
        .context("cannot start cargo")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
