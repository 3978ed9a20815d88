//! The command line of `gatewayd dev`: what to build, and words for cargo and for the server.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wish {
    /// The package's folder, or its `Cargo.toml`.
    path: PathBuf,
    /// For `cargo build`.
    pub(super) cargo: Vec<OsString>,
    /// For the server, the application's own arguments behind `--` included.
    pub(super) server: Vec<OsString>,
}

/// Why nothing is done: help was asked for, or the path leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Instead {
    Help,
    Complaint(String),
}

impl Wish {
    /// Reads the words behind `dev`. A word that is neither the path nor cargo's is the server's.
    pub(super) fn parse(args: &[OsString]) -> Result<Self, Instead> {
        let mut wish = Self {
            path: PathBuf::from("."),
            ..Self::default()
        };
        let mut args = args.iter().peekable();
        if let Some(path) = args.next_if(|word| !word.as_encoded_bytes().starts_with(b"-")) {
            wish.path = path.into();
        }
        while let Some(word) = args.next() {
            let text = word.to_str().unwrap_or_default();
            match text {
                "--" => {
                    wish.server.push(word.clone());
                    wish.server.extend(args.by_ref().cloned());
                }
                "-h" | "--help" => return Err(Instead::Help),
                "-r" | "--release" | "--all-features" | "--no-default-features" => {
                    wish.cargo.push(word.clone());
                }
                "-F" | "--features" | "--profile" => {
                    wish.cargo.push(word.clone());
                    wish.cargo.extend(args.next().cloned());
                }
                _ if text.starts_with("--features=") || text.starts_with("--profile=") => {
                    wish.cargo.push(word.clone());
                }
                _ => wish.server.push(word.clone()),
            }
        }
        Ok(wish)
    }

    /// The package's manifest, with every link resolved, as cargo names it.
    pub(super) fn manifest(&self) -> Result<PathBuf, Instead> {
        let manifest = if self.path.file_name() == Some(OsStr::new("Cargo.toml")) {
            self.path.clone()
        } else {
            self.path.join("Cargo.toml")
        };
        std::fs::canonicalize(&manifest).map_err(|error| {
            Instead::Complaint(format!(
                "{}: expected the folder of a cargo package: {}: {error}",
                self.path.display(),
                Path::new("Cargo.toml").display()
            ))
        })
    }
}

/// What `gatewayd dev --help` prints.
pub(super) const HELP: &str = "\
Builds the cargo package at PATH, serves it, and builds it again whenever its sources change

Usage: gatewayd dev [PATH] [CARGO OPTIONS] [SERVER OPTIONS] [-- ARGS]

  PATH             The package's folder [default: .]

For cargo: -r, --release, --profile NAME, -F, --features LIST, --all-features, --no-default-features.
For the server: everything that `gatewayd --help` lists; --workers is 1 unless told otherwise.

The last good build serves until the next one is ready. A compile error, or a start-up that fails, shows
in the terminal and to browsers; other clients get the last good build, with `gatewayd-dev: stale` in the
answer. Before the first good build every answer is 503 with what is wrong.
";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Wish, Instead> {
        Wish::parse(&words.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn words_go_to_cargo_and_to_the_server() {
        let wish = parse(&[
            "app",
            "--release",
            "--bind",
            "[::]:1",
            "-F",
            "a,b",
            "--profile=x",
            "--",
            "--release",
        ])
        .unwrap();
        assert_eq!(wish.path, Path::new("app"));
        assert_eq!(wish.cargo, ["--release", "-F", "a,b", "--profile=x"]);
        assert_eq!(wish.server, ["--bind", "[::]:1", "--", "--release"]);
    }

    #[test]
    fn without_a_path_it_is_this_folder() {
        let wish = parse(&["--bind", "x"]).unwrap();
        assert_eq!((wish.path, wish.server.len()), (PathBuf::from("."), 2));
        assert_eq!(parse(&["app", "-h"]), Err(Instead::Help));
    }

    #[test]
    fn a_folder_without_a_package_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().to_str().unwrap();
        let complaint = parse(&[place]).unwrap().manifest().unwrap_err();
        assert!(matches!(complaint, Instead::Complaint(words) if words.contains(place)));
        std::fs::write(folder.path().join("Cargo.toml"), "").unwrap();
        let expected = folder.path().canonicalize().unwrap().join("Cargo.toml");
        assert_eq!(parse(&[place]).unwrap().manifest().unwrap(), expected);
        let direct = folder.path().join("Cargo.toml");
        let wish = parse(&[direct.to_str().unwrap()]).unwrap();
        assert_eq!(wish.manifest().unwrap(), expected);
    }
}
