//! The command line of `gatewayd dev`: what to build, and words for cargo and for the server.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

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

/// Whether the word behind an option of the server's is its value, or what is wrong with the option, which
/// is none of these either.
pub(crate) type Judge = fn(&str, &[&str]) -> Result<bool, String>;

/// Why nothing is done: help was asked for, or the path leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Instead {
    Help,
    Complaints(Vec<String>),
}

impl Wish {
    /// Reads the words behind `dev`; `judge` knows the server's options. The first word that is neither an
    /// option nor the value of one is the path.
    pub(super) fn parse(args: &[OsString], judge: Judge) -> Result<Self, Instead> {
        let mut wish = Self::default();
        let mut path = None;
        let mut wrong = Vec::new();
        let mut args = args.iter();
        while let Some(word) = args.next() {
            let text = word.to_string_lossy();
            match &*text {
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
                _ if text.starts_with('-') => match judge(&text, &CARGO) {
                    Ok(takes_next) => {
                        wish.server.push(word.clone());
                        if takes_next {
                            wish.server.extend(args.next().cloned());
                        }
                    }
                    Err(why) => wrong.push(why),
                },
                _ if path.is_none() => path = Some(PathBuf::from(word)),
                // Likely the value of an option that there is not.
                _ if !wrong.is_empty() => {}
                _ => wrong.push(format!(
                    "expected one folder, found `{text}` beside another"
                )),
            }
        }
        wish.path = path.unwrap_or_else(|| PathBuf::from("."));
        if wrong.is_empty() {
            Ok(wish)
        } else {
            Err(Instead::Complaints(wrong))
        }
    }

    /// The package's manifest, with every link resolved, as cargo names it.
    pub(super) fn manifest(&self) -> Result<PathBuf, Instead> {
        let manifest = if self.path.file_name() == Some(OsStr::new("Cargo.toml")) {
            self.path.clone()
        } else {
            self.path.join("Cargo.toml")
        };
        std::fs::canonicalize(&manifest).map_err(|error| {
            Instead::Complaints(vec![format!(
                "{}: expected the folder of a cargo package: Cargo.toml: {error}",
                self.path.display(),
            )])
        })
    }
}

/// The long options that are cargo's.
const CARGO: [&str; 5] = [
    "release",
    "profile",
    "features",
    "all-features",
    "no-default-features",
];

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
    use std::path::Path;

    use super::*;

    fn parse(words: &[&str]) -> Result<Wish, Instead> {
        let judge = |word: &str, _: &[&str]| match word {
            "--bind" => Ok(true),
            "--lint" => Ok(false),
            word => Err(format!("{word}: no such option")),
        };
        Wish::parse(&words.iter().map(OsString::from).collect::<Vec<_>>(), judge)
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
    fn the_path_may_stand_behind_options_and_unknown_ones_are_told() {
        let wish = parse(&["--release", "--bind", "x", "--lint", "app"]).unwrap();
        assert_eq!(wish.path, Path::new("app"));
        assert_eq!(wish.server, ["--bind", "x", "--lint"]);
        let wrong = parse(&["--relase", "-z", "app", "b"]).unwrap_err();
        let expected = ["--relase: no such option", "-z: no such option"].map(str::to_owned);
        assert_eq!(wrong, Instead::Complaints(expected.into()));
        let two = Instead::Complaints(vec!["expected one folder, found `b` beside another".into()]);
        assert_eq!(parse(&["a", "b"]), Err(two));
    }

    #[test]
    fn a_folder_without_a_package_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().to_str().unwrap();
        let complaint = parse(&[place]).unwrap().manifest().unwrap_err();
        assert!(matches!(complaint, Instead::Complaints(words) if words[0].contains(place)));
        std::fs::write(folder.path().join("Cargo.toml"), "").unwrap();
        let expected = folder.path().canonicalize().unwrap().join("Cargo.toml");
        assert_eq!(parse(&[place]).unwrap().manifest().unwrap(), expected);
        let direct = folder.path().join("Cargo.toml");
        let wish = parse(&[direct.to_str().unwrap()]).unwrap();
        assert_eq!(wish.manifest().unwrap(), expected);
    }
}
