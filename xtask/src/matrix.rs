//! `cargo xtask matrix`: the swap matrix of docs/servers.md.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Builds the servers, asks them, prints the table.
pub(crate) fn run(root: &Path) -> Result<()> {
    let arguments = [
        "run",
        "--quiet",
        "--locked",
        "-p",
        "gateway-tests",
        "--bin",
        "matrix",
    ];
    let status = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root)
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "servers differ beyond their limits");
    Ok(())
}
