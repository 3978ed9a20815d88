//! `cargo xtask fuzz`: the fuzz targets with the compiler's word on what each input has reached, for as long as
//! one likes.
//!
//! libFuzzer and coverage need no nightly compiler: the flags that cargo-fuzz sets are set here.
//! AddressSanitizer does, and is used where there is one.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, bail, ensure};

/// Runs the targets that are named, or all, one after another.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<()> {
    let (names, seconds) = asked(root, arguments)?;
    let toolchain = Toolchain::found(root)?;
    println!("fuzz: {}, {seconds} s each", toolchain.name());
    adopt_versions(root)?;
    toolchain.build(root)?;
    for name in names {
        toolchain.fuzz(root, &name, seconds)?;
    }
    Ok(())
}

/// The targets' names and the seconds that each is given.
fn asked(root: &Path, arguments: &[&str]) -> Result<(Vec<String>, u64)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(root.join("fuzz/fuzz_targets")).context("cannot read fuzz_targets")? {
        let path = entry?.path();
        all.extend(
            path.file_stem()
                .map(|name| name.to_string_lossy().into_owned()),
        );
    }
    all.sort();
    let (mut names, mut seconds) = (Vec::new(), SECONDS);
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if *word == "--seconds" {
            let number = words.next().and_then(|text| text.parse().ok());
            seconds = number.context("expected a number behind --seconds")?;
        } else if all.iter().any(|name| name == word) {
            names.push((*word).to_owned());
        } else {
            bail!("expected one of {}, found {word}", all.join(", "));
        }
    }
    Ok((if names.is_empty() { all } else { names }, seconds))
}

/// Takes the versions that the workspace has settled on; cargo adds what the targets need beside them.
fn adopt_versions(root: &Path) -> Result<()> {
    let [from, to] = ["Cargo.lock", "fuzz/Cargo.lock"].map(|name| root.join(name));
    let changed = |path: &Path| fs::metadata(path).and_then(|file| file.modified());
    let is_old = changed(&to).map_or(true, |adopted| {
        changed(&from).is_ok_and(|now| now > adopted)
    });
    if is_old {
        fs::copy(&from, &to).with_context(|| format!("cannot write {}", to.display()))?;
    }
    Ok(())
}

/// What the targets are built with.
struct Toolchain {
    /// The machine's own: build scripts are built without the flags if it is named.
    triple: String,
    /// With AddressSanitizer.
    nightly: bool,
}

impl Toolchain {
    fn found(root: &Path) -> Result<Self> {
        let told = Command::new("rustc").arg("-vV").current_dir(root).output();
        let told = String::from_utf8(told.context("cannot start rustc")?.stdout)?;
        let triple = told.lines().find_map(|line| line.strip_prefix("host: "));
        let triple = triple.context("expected a host in `rustc -vV`")?.to_owned();
        let compiler = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
        let runs = |output: std::io::Result<Output>| output.is_ok_and(|it| it.status.success());
        ensure!(
            runs(Command::new(&compiler).arg("--version").output()),
            "expected a C++ compiler for libFuzzer, found none as {}: apt-get install g++",
            compiler.display()
        );
        let probe = Command::new("rustup")
            .args(["run", "nightly", "rustc", "-V"])
            .output();
        let nightly = runs(probe);
        Ok(Self { triple, nightly })
    }

    fn name(&self) -> &'static str {
        match self.nightly {
            true => "nightly, with coverage and AddressSanitizer",
            false => {
                "stable, with coverage; for AddressSanitizer too: rustup toolchain install nightly"
            }
        }
    }

    fn build(&self, root: &Path) -> Result<()> {
        let mut flags = COVERAGE.to_owned();
        let mut command = Command::new(if self.nightly { "rustup" } else { "cargo" });
        if self.nightly {
            flags.push_str(" -Zsanitizer=address");
            command.args(["run", "nightly", "cargo"]);
        }
        command
            .args(["build", "--release", "--target", &self.triple])
            .arg("--manifest-path")
            .arg(root.join("fuzz/Cargo.toml"))
            .env("RUSTFLAGS", flags)
            // What the cargo that runs us has set would choose its own compiler.
            .env_remove("CARGO")
            .env_remove("RUSTC");
        let status = command.status().context("cannot start cargo")?;
        ensure!(status.success(), "the fuzz targets do not build: {status}");
        Ok(())
    }

    fn fuzz(&self, root: &Path, name: &str, seconds: u64) -> Result<()> {
        let fuzz = root.join("fuzz");
        let (corpus, artifacts) = (
            fuzz.join("corpus").join(name),
            fuzz.join("artifacts").join(name),
        );
        for folder in [&corpus, &artifacts] {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let program = fuzz
            .join("target")
            .join(&self.triple)
            .join("release")
            .join(name);
        let mut command = Command::new(program);
        command
            .args([
                format!("-max_total_time={seconds}"),
                "-max_len=4096".to_owned(),
            ])
            .args(["-timeout=10", "-print_final_stats=1"])
            // Descriptors and hosts are made for the life of a process. What has to be given back, the
            // targets count themselves.
            .arg("-detect_leaks=0")
            .env("ASAN_OPTIONS", "detect_leaks=0")
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .arg(corpus);
        // Inputs that were found go into the first folder alone.
        let own = fuzz.join("seeds").join(name);
        let requests = root.join("tests/corpus/http1");
        command.arg(if own.exists() { own } else { requests });
        let status = command.status().context("cannot start a fuzz target")?;
        ensure!(
            status.success(),
            "{name} breaks: the input is in {}; once it is mended, make it a seed",
            artifacts.display()
        );
        Ok(())
    }
}

/// Time for each target if none is asked for.
const SECONDS: u64 = 60;
/// SanitizerCoverage as libFuzzer reads it.
const COVERAGE: &str = "--cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
