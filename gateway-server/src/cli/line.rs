//! The command line as a list of words: what was asked for, or everything that is wrong with it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, Command};

use super::commands::stray_word;
use super::grammar::{APP, ARGUMENTS, FILE, Purpose, REVEAL, SAMPLE, VERSION, command};
use crate::app_source::AppSource;
use crate::config::{self, AppPlace, CommandLine, Problem, Resolved, SETTINGS, flag_hint, nearest};

/// A command line that has been read, with all other sources of the configuration.
pub(super) struct Line {
    /// The configuration, or what is wrong with it.
    pub(super) resolved: Result<Resolved, Vec<Problem>>,
    /// Whether [`SAMPLE`] was given.
    pub(super) sample: bool,
    /// Whether [`REVEAL`] was given.
    pub(super) reveal: bool,
}

/// Reads `args`, which begin with the program's name, the environment and the file.
///
/// # Errors
///
/// What to exit with, when help or the version was asked for and has been printed.
pub(super) fn read(
    title: &str,
    args: Vec<OsString>,
    source: AppSource,
    purpose: Purpose,
) -> Result<Line, ExitCode> {
    let stray = stray_word(&args, source);
    let (matches, problems) = match stray {
        Some(problem) => (None, vec![problem]),
        None => matches(&mut command(title, source, purpose), args)?,
    };
    let line = matches.as_ref().map(command_line).unwrap_or_default();
    let mut resolved = config::resolve(line, std::env::vars_os(), place(source), problems);
    // A command of the application may be what makes the folders.
    if let (Purpose::Serve, Ok(found)) = (purpose, &resolved) {
        let mut missing = found.missing_folders();
        missing.extend(found.unknown_hosts());
        if !missing.is_empty() {
            resolved = Err(missing);
        }
    }
    Ok(Line {
        resolved,
        sample: purpose == Purpose::Print
            && matches.as_ref().is_some_and(|found| found.get_flag(SAMPLE)),
        reveal: purpose == Purpose::Print && matches.is_some_and(|found| found.get_flag(REVEAL)),
    })
}

/// Where the configuration is to look for the application.
pub(super) fn place(source: AppSource) -> AppPlace {
    match source {
        AppSource::CommandLine => AppPlace::File,
        AppSource::LinkedIn(_) => AppPlace::Linked,
    }
}

/// Judges a word of a command line that begins with a dash, as an option of the server or one of `more`:
/// whether the next word is its value.
///
/// # Errors
///
/// There is no such option; in words.
pub(super) fn takes_a_value(word: &str, more: &[&str]) -> Result<bool, String> {
    let (option, value) = match word.split_once('=') {
        Some((option, value)) => (option, Some(value)),
        None => (word, None),
    };
    let short = option
        .strip_prefix('-')
        .and_then(|rest| rest.chars().next());
    let (name, behind) = match (option.strip_prefix("--"), short) {
        (Some(name), _) => (name, value.is_some()),
        (None, Some('c')) => (FILE, word.len() > 2),
        (None, Some('V')) => (VERSION, false),
        (None, short) => {
            let found = SETTINGS.iter().find(|one| one.short == short);
            (found.map_or("", |one| one.name), word.len() > 2)
        }
    };
    match SETTINGS.iter().find(|one| one.name == name) {
        Some(setting) => Ok(!behind && !setting.field.placeholder().is_empty()),
        None if name == FILE => Ok(!behind),
        None if name == VERSION => Ok(false),
        None => Err(no_such_option(option, more)),
    }
}

/// What is said of an option that the server does not have, nor any of `more`.
fn no_such_option(option: &str, more: &[&str]) -> String {
    let (dashes, name) = match option.strip_prefix("--") {
        Some(name) => ("--", name),
        None => ("-", option.trim_start_matches('-')),
    };
    let hint = flag_hint(name).unwrap_or_else(|| {
        let others = [FILE, "help", VERSION];
        let known = SETTINGS.iter().map(|one| one.name).chain(others);
        let found = nearest(name, known.chain(more.iter().copied()));
        let found = found.filter(|_| dashes == "--");
        found.map_or(String::new(), |one| format!("; did you mean `--{one}`?"))
    });
    format!("{option} (command line): there is no such option{hint}")
}

/// What the words say.
pub(super) fn command_line(matches: &ArgMatches) -> CommandLine {
    let mut flags = Vec::new();
    for (at, setting) in SETTINGS.iter().enumerate() {
        if let Some(values) = matches.get_many::<OsString>(setting.name) {
            flags.push((at, values.cloned().collect()));
        }
    }
    let path = |name| matches.try_get_one::<PathBuf>(name).ok().flatten().cloned();
    let arguments = matches.get_many(ARGUMENTS);
    CommandLine {
        flags,
        file: path(FILE),
        app: path(APP),
        arguments: arguments.into_iter().flatten().cloned().collect(),
        picks: false,
    }
}

/// Runs clap, again without each option it does not know, so that all of them are told at once.
pub(super) fn matches(
    command: &mut Command,
    mut args: Vec<OsString>,
) -> Result<(Option<ArgMatches>, Vec<Problem>), ExitCode> {
    let mut problems = Vec::new();
    loop {
        let error = match command.try_get_matches_from_mut(&args) {
            Ok(matches) => return Ok((Some(matches), problems)),
            Err(error) => error,
        };
        if !error.use_stderr() {
            // Help or the version; whoever closed the pipe has read enough.
            let _ = error.print();
            return Err(ExitCode::SUCCESS);
        }
        let context = |kind| match error.get(kind) {
            Some(ContextValue::String(text)) => Some(text.as_str()),
            Some(ContextValue::Strings(texts)) => texts.first().map(String::as_str),
            _ => None,
        };
        let culprit = context(ContextKind::InvalidArg).unwrap_or_default();
        let unknown = error.kind() == ErrorKind::UnknownArgument;
        if unknown && culprit.starts_with('-') {
            let more: &[&str] = match command.get_arguments().any(|one| one.get_id() == SAMPLE) {
                true => &[SAMPLE, REVEAL],
                false => &[],
            };
            problems.push(Problem::Usage(no_such_option(culprit, more)));
        } else if !unknown || problems.is_empty() {
            // A word too many behind an unknown option is likely that option's value.
            problems.push(Problem::Usage(first_line(&error.to_string())));
        }
        if !(unknown && strike(&mut args, culprit)) {
            return Ok((None, problems));
        }
    }
}

/// Removes the argument that is, or begins with, `option`.
fn strike(args: &mut Vec<OsString>, option: &str) -> bool {
    let at = args.iter().skip(1).position(|arg| {
        let bytes = arg.as_encoded_bytes();
        bytes.strip_prefix(option.as_bytes()).is_some_and(|rest| {
            // A cluster of short options, `-xb`, is struck as a whole.
            rest.is_empty() || rest[0] == b'=' || !option.starts_with("--")
        })
    });
    at.map(|at| args.remove(at + 1)).is_some()
}

fn first_line(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::commands::commands;

    fn serving() -> Command {
        command("gatewayd", AppSource::CommandLine, Purpose::Serve)
    }

    fn words(args: &[&str]) -> Vec<OsString> {
        ["gatewayd"]
            .iter()
            .chain(args)
            .map(OsString::from)
            .collect()
    }

    fn problems(args: &[&str]) -> Vec<String> {
        let (_, problems) = matches(&mut serving(), words(args)).unwrap();
        problems.iter().map(ToString::to_string).collect()
    }

    fn flags(args: &[&str]) -> Vec<(&'static str, Vec<OsString>)> {
        let (found, problems) = matches(&mut serving(), words(args)).unwrap();
        assert_eq!(problems.len(), 0);
        let flags = command_line(&found.unwrap()).flags;
        flags
            .into_iter()
            .map(|(at, texts)| (SETTINGS[at].name, texts))
            .collect()
    }

    #[test]
    fn flags_are_read_in_every_form() {
        let found = flags(&[
            "-b",
            "[::]:1",
            "app.so",
            "--bind=unix:/x",
            "-w4",
            "--lint",
            "--",
            "-x",
        ]);
        assert_eq!(found[0], ("bind", vec!["[::]:1".into(), "unix:/x".into()]));
        assert_eq!(found[1], ("workers", vec!["4".into()]));
        assert_eq!(found[2], ("lint", vec!["true".into()]));
    }

    #[test]
    fn the_last_of_a_repeated_flag_counts() {
        assert_eq!(
            flags(&["-w1", "--workers", "2", "a"]),
            [("workers", vec!["2".into()])]
        );
    }

    #[test]
    fn every_unknown_option_is_told_with_the_nearest_known_one() {
        let told = problems(&["--wokers", "4", "--keepalive=75s", "-z", "app.so"]);
        assert_eq!(told.len(), 3, "{told:?}");
        assert_eq!(
            told[0],
            "--wokers (command line): there is no such option; did you mean `--workers`?"
        );
        assert!(
            told[1].ends_with("did you mean `--keep-alive`?"),
            "{}",
            told[1]
        );
    }

    #[test]
    fn gunicorns_options_are_told_with_ours() {
        let told = problems(&[
            "-w",
            "4",
            "--timeout",
            "30",
            "-k",
            "gthread",
            "-D",
            "app.so",
        ]);
        let [timeout, class, daemon] = &told[..] else {
            panic!("{told:?}");
        };
        let start =
            "--timeout (command line): there is no such option; did you mean `--worker-timeout`?";
        assert!(timeout.starts_with(start), "{timeout}");
        assert!(
            class.starts_with("-k (command line)") && class.contains("one kind"),
            "{class}"
        );
        assert!(daemon.contains("supervisors"), "{daemon}");
        for (theirs, ours) in [
            ("check-config", "check-config"),
            ("print-config", "print-config"),
        ] {
            let told = &problems(&[&format!("--{theirs}"), "app.so"])[0];
            assert!(
                told.ends_with(&format!("did you mean the command `{ours}`?")),
                "{told}"
            );
            assert!(commands(AppSource::CommandLine).any(|(name, _)| name == ours));
        }
    }

    #[test]
    fn an_option_says_whether_the_next_word_is_its_value() {
        for (word, takes) in [
            ("--bind", true),
            ("--bind=x", false),
            ("-b", true),
            ("-bx", false),
            ("-c", true),
            ("--lint", false),
            ("--version", false),
        ] {
            assert_eq!(takes_a_value(word, &[]), Ok(takes), "{word}");
        }
        let told = takes_a_value("--relase", &["release"]).unwrap_err();
        assert!(told.ends_with("; did you mean `--release`?"), "{told}");
        assert!(takes_a_value("-z", &[]).is_err());
    }

    #[test]
    fn a_missing_value_and_a_word_too_many_are_told() {
        assert!(problems(&["app.so", "other.so"])[0].contains("other.so"));
        assert!(problems(&["app.so", "--workers"])[0].contains("--workers"));
    }
}
