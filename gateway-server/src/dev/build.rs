//! Running cargo: what a package is made of, and its build.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::thread;

use serde_json::Value;

use super::error_page::plain;
use super::package::{Failure, Package, is_cdylib};
use crate::os::process;

/// What to build, and how.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    /// The package's `Cargo.toml`.
    pub(super) manifest: PathBuf,
    /// More words for `cargo build`: `--release`, `--features`.
    pub(super) options: Vec<OsString>,
    /// Whether the terminal takes colours.
    pub(super) coloured: bool,
}

impl Recipe {
    /// Asks cargo what the package is made of. `started` is told of each process of cargo's.
    ///
    /// # Errors
    ///
    /// A manifest is missing or wrong.
    pub(super) fn package(&self, started: impl Fn(u32)) -> Result<Package, Failure> {
        Package::find(&self.manifest, |manifest| self.metadata(manifest, &started))
    }

    /// What cargo says of the workspace of `manifest`. Without the dependencies of others, so that
    /// nothing is resolved or downloaded.
    fn metadata(&self, manifest: &Path, started: impl Fn(u32)) -> Result<Value, Failure> {
        let mut command = self.cargo("metadata", manifest);
        command.args(["--no-deps", "--format-version", "1"]);
        let (found, output) = self.run(command, started, |stdout| {
            let mut text = Vec::new();
            stdout.read_to_end(&mut text).map(|_| text)
        })?;
        let text = found.map_err(|()| Failure {
            title: format!("cargo cannot read {}", manifest.display()),
            output,
        })?;
        Ok(serde_json::from_slice(&text).unwrap_or_default())
    }

    /// Builds the package's shared object. `started` is told cargo's process.
    ///
    /// # Errors
    ///
    /// It is no application, or does not compile.
    pub(super) fn build(
        &self,
        package: &Package,
        started: impl FnOnce(u32),
    ) -> Result<PathBuf, Failure> {
        if !package.is_cdylib {
            return Err(Failure {
                title: format!("{} makes no shared object", package.name),
                output: format!(
                    "expected a library of type cdylib; add these two lines to {}:\n\n    [lib]\n    \
                     crate-type = [\"cdylib\"]\n",
                    self.manifest.display()
                ),
            });
        }
        let mut command = self.cargo("build", &self.manifest);
        command
            .args(["--lib", "--message-format=json-render-diagnostics"])
            .args(&self.options);
        let (module, output) = self.run(command, started, |stdout| self.module(stdout))?;
        let output = without_progress(&output);
        match module {
            Ok(Some(module)) => Ok(module),
            Ok(None) => Err(Failure {
                title: format!("{} was built without a shared object", package.name),
                output,
            }),
            Err(()) => Err(Failure {
                title: format!("{} does not compile", package.name),
                output,
            }),
        }
    }

    fn cargo(&self, word: &str, manifest: &Path) -> Command {
        let mut command =
            Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
        command
            .arg(word)
            .arg("--manifest-path")
            .arg(manifest)
            .env("CARGO_TERM_COLOR", "always");
        command
    }

    /// Runs cargo; passes on what it says to the terminal and keeps it. The first of the pair is what
    /// `read` found, if cargo was successful.
    fn run<T>(
        &self,
        mut command: Command,
        started: impl FnOnce(u32),
        read: impl FnOnce(&mut ChildStdout) -> io::Result<T>,
    ) -> Result<(Result<T, ()>, String), Failure> {
        process::ends_with_us(&mut command);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let program = command.get_program().to_owned();
        let failed = |error: io::Error| Failure {
            title: "cargo cannot be run".to_owned(),
            output: format!("{}: {error}\n", program.display()),
        };
        let mut child = command.spawn().map_err(failed)?;
        started(child.id());
        let stderr = child.stderr.take().expect("it was asked to be a pipe");
        let mut stdout = child.stdout.take().expect("it was asked to be a pipe");
        let coloured = self.coloured;
        let ear = thread::spawn(move || pass_on(stderr, coloured));
        let found = read(&mut stdout).map_err(failed)?;
        let output = ear.join().unwrap_or_default();
        let status = child.wait().map_err(failed)?;
        Ok((status.success().then_some(found).ok_or(()), output))
    }

    /// Finds, in cargo's messages, the shared object of this very package.
    fn module(&self, stdout: &mut ChildStdout) -> io::Result<Option<PathBuf>> {
        let mut module = None;
        for line in BufReader::new(stdout).lines() {
            let message: Value = serde_json::from_str(&line?).unwrap_or_default();
            let ours = message["manifest_path"].as_str().map(Path::new) == Some(&self.manifest);
            if ours && message["reason"] == "compiler-artifact" && is_cdylib(&message["target"]) {
                let files = message["filenames"].as_array().into_iter().flatten();
                let mut files = files.filter_map(Value::as_str).map(PathBuf::from);
                module = files.find(|file| file.extension().is_some_and(|end| end == "so"));
            }
        }
        Ok(module)
    }
}

/// Copies cargo's words to standard error, line by line, and keeps them up to a limit.
fn pass_on(stderr: impl Read, coloured: bool) -> String {
    let mut kept = String::new();
    for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
        let mut line = String::from_utf8_lossy(&line).into_owned();
        line.push('\n');
        let shown = if coloured { line.clone() } else { plain(&line) };
        let _ = io::stderr().write_all(shown.as_bytes());
        if kept.len() + line.len() <= KEPT_BYTES {
            kept.push_str(&line);
        }
    }
    kept
}

/// Leaves out the lines that only tell how far cargo is: a word in the first twelve columns.
fn without_progress(output: &str) -> String {
    let is_progress = |line: &str| {
        let line = plain(line);
        let word = line.get(..12).map(str::trim_start).unwrap_or_default();
        line.as_bytes().get(12) == Some(&b' ')
            && word.starts_with(|first: char| first.is_ascii_uppercase())
            && word.chars().all(|letter| letter.is_ascii_alphabetic())
    };
    let lines = output.split_inclusive('\n');
    lines.filter(|line| !is_progress(line)).collect()
}

/// More than this of cargo's output nobody reads in a page.
const KEPT_BYTES: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_leaves_out_how_far_cargo_is() {
        let output = "\u{1b}[1m\u{1b}[92m   Compiling\u{1b}[0m app v0.1.0\nerror: no\n --> a.rs:1:2\n12 | x\n";
        assert_eq!(
            without_progress(output),
            "error: no\n --> a.rs:1:2\n12 | x\n"
        );
    }
}
