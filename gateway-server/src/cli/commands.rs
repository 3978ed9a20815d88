//! What the program can do besides serving, and words that are none of it.

use std::ffi::OsString;
use std::path::Path;

use crate::app_source::AppSource;
use crate::config::{Problem, hint, nearest};

/// What the program can do besides serving: names, and what they are for.
pub(super) fn commands(source: AppSource) -> impl Iterator<Item = (&'static str, &'static str)> {
    let linked = matches!(source, AppSource::LinkedIn(_));
    let known = COMMANDS.into_iter();
    // A program builds no packages that is an application itself.
    known.filter(move |(name, _)| !(linked && *name == "dev"))
}

/// A first word that can be neither a command nor an application: a misspelt command.
pub(super) fn stray_word(args: &[OsString], source: AppSource) -> Option<Problem> {
    let word = args.get(1)?.to_str()?;
    if !is_stray(word) {
        return None;
    }
    let what = match source {
        AppSource::CommandLine => "command or file",
        AppSource::LinkedIn(_) => "command",
    };
    let words = command_hint(word, source).unwrap_or_else(|| {
        let known: Vec<&str> = commands(source).map(|(name, _)| name).collect();
        format!("; commands are {}", known.join(", "))
    });
    Some(Problem::Usage(format!(
        "there is no {what} `{word}`{words}"
    )))
}

/// Words for the end of a message about a command that there is not, if it resembles one.
pub(super) fn command_hint(word: &str, source: AppSource) -> Option<String> {
    let known = || commands(source).map(|(name, _)| name);
    nearest(word, known()).map(|_| hint(word, known()))
}

/// Whether a word is neither an option nor a file.
pub(super) fn is_stray(word: &str) -> bool {
    let path = Path::new(word);
    let is_path = word.contains('/') || path.extension().is_some() || path.exists();
    !is_path && !word.starts_with('-') && !word.is_empty()
}

/// Commands of the server, and what they are for.
const COMMANDS: [(&str, &str); 10] = [
    ("check", "Tells what an application's file says of itself"),
    (
        "check-config",
        "Tells everything that is wrong with a configuration",
    ),
    (
        "print-config",
        "Prints every setting with its value and where it comes from",
    ),
    (
        "dev",
        "Builds a package, serves it, and builds it again on change",
    ),
    ("commands", "Lists the application's own commands"),
    ("ctl", "Asks or tells a server that runs"),
    ("top", "Shows a server that runs, live"),
    (
        "healthcheck",
        "Says whether a server is ready, for containers",
    ),
    ("man", "Prints the manual page"),
    (
        "completions",
        "Prints what bash, zsh or fish need to complete this command line",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_command_is_told_with_the_one_that_was_meant() {
        let told = |word: &str| {
            stray_word(
                &["gatewayd", word, "app.so"].map(OsString::from),
                AppSource::CommandLine,
            )
        };
        let chekc = told("chekc").unwrap().to_string();
        assert_eq!(
            chekc,
            "there is no command or file `chekc`; did you mean `check`?"
        );
        let start = told("start").unwrap().to_string();
        assert!(
            start.ends_with(
                "commands are check, check-config, print-config, dev, commands, ctl, top, healthcheck, \
                 man, completions"
            ),
            "{start}"
        );
        for app in ["app.so", "./chekc", "--chekc", "src"] {
            assert!(told(app).is_none(), "{app}");
        }
    }
}
