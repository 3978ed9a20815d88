//! `cargo xtask soak`: the zero-loss test for minutes instead of one, with release builds.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Runs it with these arguments.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<()> {
    let status = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--release", "--locked"])
        .args(["-p", "gateway-tests", "--bin", "soak", "--"])
        .args(arguments)
        .env("GATEWAY_TEST_PROFILE", "release")
        .current_dir(root)
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "the soak has failed, as told above");
    Ok(())
}
