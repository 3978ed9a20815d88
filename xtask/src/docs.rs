//! `cargo xtask docs`: the pages of the documentation that are made from the sources.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Writes docs/configuration.md. The server's own test knows how, since the table of settings is its
/// own; without the variable it compares.
pub(crate) fn run(root: &Path) -> Result<()> {
    let status = Command::new(env!("CARGO"))
        .args(["test", "--quiet", "-p", "gateway-server", "--lib", TEST])
        // One of its tests reads what another writes.
        .args(["--", "--test-threads=1"])
        .env("GATEWAY_WRITE_DOCS", "1")
        .current_dir(root)
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "the test {TEST} failed: {status}");
    Ok(())
}

const TEST: &str = "config::reference";
