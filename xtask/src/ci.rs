//! `cargo xtask ci`: everything that a change must pass, in the order in which it fails soonest.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::{layers, spec};

/// Runs every check on the workspace at `root` and stops at the first that fails.
pub(crate) fn run(root: &Path) -> Result<()> {
    let start = Instant::now();
    cargo(root, &["fmt", "--all", "--check"], &[])?;
    layers::run(root)?;
    spec::run(root, spec::Mode::Check)?;
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ];
    cargo(root, &clippy, &[])?;
    let doc = [
        "doc",
        "--workspace",
        "--no-deps",
        "--locked",
        "--document-private-items",
    ];
    cargo(root, &doc, &[("RUSTDOCFLAGS", "-D warnings")])?;
    cargo(root, &["test", "--workspace", "--locked"], &[])?;
    println!("ci: all of it passed in {} s", start.elapsed().as_secs());
    Ok(())
}

fn cargo(root: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Result<()> {
    let start = Instant::now();
    println!("ci: cargo {}", arguments.join(" "));
    let status = Command::new(env!("CARGO"))
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(root)
        .status()
        .context("cannot start cargo")?;
    ensure!(
        status.success(),
        "cargo {} failed: {status}",
        arguments.join(" ")
    );
    println!(
        "ci: cargo {} took {} s",
        arguments[0],
        start.elapsed().as_secs()
    );
    Ok(())
}
