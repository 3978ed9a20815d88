//! `cargo xtask miri`: the C ABI's round trips under miri, which knows what undefined behaviour is.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Runs the tests of `gateway-spec` that cross the ABI, on the nightly toolchain.
pub(crate) fn run(root: &Path) -> Result<()> {
    let probe = nightly(root)
        .args(["miri", "--version"])
        .output()
        .context("cannot start rustup")?;
    ensure!(
        probe.status.success(),
        "expected the nightly toolchain with miri: \
         rustup toolchain install nightly -c miri -c rust-src"
    );
    // The table of names has no pointers, and millions of cases. The interposer leaks what it
    // watches, so that uses of what has ended are seen; the round trips must leak nothing.
    let inner = ["--lib", "abi::", "--", "--skip", "abi::names"];
    for (tests, flags) in [
        (&["--test", "roundtrip"][..], ""),
        (&inner, "-Zmiri-ignore-leaks"),
    ] {
        let status = nightly(root)
            .args(["miri", "test", "-p", "gateway-spec", "--features", "lint"])
            .args(tests)
            // Temporary files and clocks are the machine's.
            .env("MIRIFLAGS", format!("-Zmiri-disable-isolation {flags}"))
            .status()
            .context("cannot start cargo")?;
        ensure!(
            status.success(),
            "miri {} failed: {status}",
            tests.join(" ")
        );
    }
    Ok(())
}

fn nightly(root: &Path) -> Command {
    let mut command = Command::new("rustup");
    command
        .args(["run", "nightly", "cargo"])
        .current_dir(root)
        // What the cargo that runs us has set would choose its own compiler.
        .env_remove("CARGO")
        .env_remove("RUSTC");
    command
}
