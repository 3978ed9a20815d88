//! `cargo xtask ...`: the project's own chores.

mod bench;
mod ci;
mod docs;
mod fuzz;
mod layers;
mod matrix;
mod miri;
mod soak;
mod spec;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["layers"] => layers::run(&root()),
        ["spec"] => spec::run(&root(), spec::Mode::Write),
        ["spec", "--check"] => spec::run(&root(), spec::Mode::Check),
        ["docs"] => docs::run(&root()),
        ["bench"] => bench::run(&root()),
        ["fuzz", arguments @ ..] => fuzz::run(&root(), arguments),
        ["matrix"] => matrix::run(&root()),
        ["miri"] => miri::run(&root()),
        [program @ ("chaos" | "soak"), arguments @ ..] => {
            match soak::run(&root(), program, arguments) {
                Ok(code) => return code,
                Err(error) => Err(error),
            }
        }
        ["ci"] => ci::run(&root()),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

const USAGE: &str = "usage: cargo xtask COMMAND

  bench   instructions and CPU time per request, beside hyper and axum (needs valgrind)
  ci      everything that a change must pass: format, clippy, layers, tests, documentation
  chaos   a minute of load while workers and the admin process are killed at random, then the master: whether
          counters fall, anybody is left, the next start waits; [--seconds 60] [--workers 4] [--seed 1]
  docs    writes docs/configuration.md from the table of settings
  fuzz    the fuzz targets, all or those that are named, with coverage feedback, and AddressSanitizer where there
          is a nightly toolchain; [--seconds 60] each
  layers  the import table of ARCHITECTURE.md against the sources
  matrix  the same files under every server behind nginx, as a table (needs what tests/run installs)
  miri    the round trips through the C ABI under miri (needs nightly with miri)
  soak    minutes of load while all is reloaded, upgraded, scaled, recycled and paused, in namespaces and
          control groups: what is lost (needs nginx, iproute2, root); [--seconds 300] [--workers 32] [--rate
          1000]; exit code 3 if nothing was lost but this machine does not permit all of it
  spec    the rules of SPEC.md from the sources; with --check only compares them";
