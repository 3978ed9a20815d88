//! Building a package with cargo: what it is made of, whether it is an application, and where the
//! shared object is afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::thread;

use serde_json::Value;

use super::error_page::plain;
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

/// A package as cargo sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) name: String,
    /// Whether it makes a shared object.
    is_cdylib: bool,
    /// Where cargo puts what it makes.
    pub(super) target: PathBuf,
    /// The folders of the package and of all that it depends on by path.
    pub(super) folders: BTreeSet<PathBuf>,
}

/// Why there is no build; `output` is what cargo had to say, with colours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) title: String,
    pub(super) output: String,
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

impl Package {
    /// Reads it from what `ask` answers for a manifest: `cargo metadata` of its workspace.
    fn find(
        manifest: &Path,
        mut ask: impl FnMut(&Path) -> Result<Value, Failure>,
    ) -> Result<Self, Failure> {
        let metadata = ask(manifest)?;
        let mut members: BTreeMap<PathBuf, Value> = members(&metadata).collect();
        let Some(ours) = members.get(manifest).cloned() else {
            return Err(Failure {
                title: format!("{} is no package", manifest.display()),
                output: "expected a Cargo.toml with a [package], found a workspace without one: \
                         name the folder of the application, as in `gatewayd dev apps/shop`\n"
                    .to_owned(),
            });
        };
        let mut folders = BTreeSet::new();
        let mut next = vec![manifest.to_owned()];
        while let Some(manifest) = next.pop() {
            let folder = manifest.parent().unwrap_or(&manifest).to_owned();
            if !folders.insert(folder) {
                continue;
            }
            if !members.contains_key(&manifest) {
                members.extend(self::members(&ask(&manifest)?));
            }
            next.extend(members.get(&manifest).into_iter().flat_map(neighbours));
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(Self {
            name: text(&ours["name"]),
            is_cdylib: list(&ours["targets"]).any(is_cdylib),
            target: text(&metadata["target_directory"]).into(),
            folders,
        })
    }
}

/// The packages of a workspace, by manifest.
fn members(metadata: &Value) -> impl Iterator<Item = (PathBuf, Value)> {
    list(&metadata["packages"]).filter_map(|package| {
        let manifest = package["manifest_path"].as_str()?;
        Some((manifest.into(), package.clone()))
    })
}

/// The manifests of what a package depends on by path.
fn neighbours(package: &Value) -> impl Iterator<Item = PathBuf> {
    list(&package["dependencies"])
        .filter(|one| one["kind"] != "dev")
        .filter_map(|one| Some(Path::new(one["path"].as_str()?).join("Cargo.toml")))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn is_cdylib(target: &Value) -> bool {
    let kinds = target["kind"].as_array();
    kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "cdylib"))
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

    #[test]
    fn a_package_knows_the_folders_of_its_path_dependencies() {
        let package = |name: &str, kind: &str, dependencies: Value| {
            serde_json::json!({
                "name": name,
                "manifest_path": format!("/w/{name}/Cargo.toml"),
                "targets": [{"kind": [kind]}],
                "dependencies": dependencies,
            })
        };
        let on = |name: &str| serde_json::json!({"path": format!("/w/{name}"), "kind": null});
        let tests = serde_json::json!({"path": "/w/tests", "kind": "dev"});
        let far = serde_json::json!({"source": "registry", "path": null});
        let near = package("near", "lib", serde_json::json!([on("outside"), on("app")]));
        let app = package("app", "cdylib", serde_json::json!([far, tests, on("near")]));
        let stranger = package("stranger", "lib", serde_json::json!([]));
        let mut asked = Vec::new();
        let mut find = |name: &str| {
            Package::find(Path::new(name), |manifest| {
                asked.push(manifest.to_owned());
                let packages = if manifest.starts_with("/w/outside") {
                    vec![package("outside", "lib", serde_json::json!([]))]
                } else {
                    vec![near.clone(), app.clone(), stranger.clone()]
                };
                Ok(serde_json::json!({"target_directory": "/w/target", "packages": packages}))
            })
        };
        let found = find("/w/app/Cargo.toml").unwrap();
        assert!(found.is_cdylib);
        let folders: Vec<_> = found
            .folders
            .iter()
            .map(|one| one.to_str().unwrap())
            .collect();
        assert_eq!(folders, ["/w/app", "/w/near", "/w/outside"]);
        assert!(!find("/w/stranger/Cargo.toml").unwrap().is_cdylib);
        assert!(
            find("/w/Cargo.toml")
                .unwrap_err()
                .title
                .contains("is no package")
        );
        assert_eq!(asked.len(), 4, "{asked:?}");
    }
}
