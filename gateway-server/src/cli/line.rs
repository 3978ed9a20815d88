//! The command line as a list of words: what was asked for, or everything that is wrong with it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::app_source::AppSource;
use crate::config::{
    self, AppPlace, CommandLine, Problem, Resolved, SETTINGS, flag_hint, hint, nearest,
};

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
    let place = match source {
        AppSource::CommandLine => AppPlace::File,
        AppSource::LinkedIn(_) => AppPlace::Linked,
    };
    let mut resolved = config::resolve(line, std::env::vars_os(), place, problems);
    // A command of the application may be what makes the folders.
    if let (Purpose::Serve, Ok(found)) = (purpose, &resolved) {
        let missing = found.missing_folders();
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

/// What the options are read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To serve.
    Serve,
    /// To say whether they are right.
    Check,
    /// To show what they come to.
    Print,
    /// To run a command of the application.
    Command,
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

/// What the program can do besides serving: names, and what they are for.
pub(super) fn commands(source: AppSource) -> impl Iterator<Item = (&'static str, &'static str)> {
    let linked = matches!(source, AppSource::LinkedIn(_));
    let known = COMMANDS.into_iter();
    // A program builds no packages that is an application itself.
    known.filter(move |(name, _)| !(linked && *name == "dev"))
}

/// How the program is called, a line for each way.
pub(super) fn synopsis(title: &str, source: AppSource) -> Vec<String> {
    let linked = matches!(source, AppSource::LinkedIn(_));
    let lines = usage(title, linked, Purpose::Serve);
    lines.lines().map(|line| line.trim().to_owned()).collect()
}

/// Whether a word is neither an option nor a file.
pub(super) fn is_stray(word: &str) -> bool {
    let path = Path::new(word);
    let is_path = word.contains('/') || path.extension().is_some() || path.exists();
    !is_path && !word.starts_with('-') && !word.is_empty()
}

/// The command line as clap sees it, made from the table of settings.
pub(super) fn command(title: &str, source: AppSource, purpose: Purpose) -> Command {
    let linked = matches!(source, AppSource::LinkedIn(_));
    let mut command = Command::new(title.to_owned())
        .version(env!("CARGO_PKG_VERSION"))
        .about(match (purpose, linked) {
            (Purpose::Serve, false) => "Serves a compiled gateway application over HTTP",
            (Purpose::Serve, true) => "Serves the application over HTTP",
            (Purpose::Check, _) => "Tells everything that is wrong with a configuration",
            (Purpose::Print, _) => "Prints every setting with its value and where it comes from",
            (Purpose::Command, _) => "Runs a command of the application; `commands` lists them",
        })
        .override_usage(usage(title, linked, purpose))
        .after_help(AFTER_HELP)
        .args_override_self(true);
    if !linked && purpose != Purpose::Command {
        let path = ValueParser::path_buf();
        let help = "The application: a shared object that exports gateway_module_v1";
        command = command.arg(
            Arg::new(APP)
                .value_name("APP.SO")
                .value_parser(path)
                .help(help),
        );
    }
    let help = "Arguments for the application itself";
    let arguments = Arg::new(ARGUMENTS)
        .value_name("ARGS")
        .value_parser(ValueParser::os_string());
    let arguments = match purpose {
        // The application and whatever stands behind it: options there are the command's.
        Purpose::Command if !linked => arguments
            .value_name("APP.SO")
            .num_args(0..)
            .trailing_var_arg(true)
            .allow_hyphen_values(false)
            .help("The application, and the arguments of the command"),
        _ => arguments.num_args(0..).last(true).help(help),
    };
    command = command.arg(arguments).arg(
        Arg::new(FILE)
            .long(FILE)
            .short('c')
            .value_name("FILE")
            .value_parser(ValueParser::path_buf())
            .help("Read settings from this TOML file; a setting here wins over one there"),
    );
    if purpose == Purpose::Print {
        command = command.arg(
            Arg::new(REVEAL)
                .long(REVEAL)
                .action(ArgAction::SetTrue)
                .help("Show the application's own settings too, any of which may be a password"),
        );
        command = command.arg(
            Arg::new(SAMPLE)
                .long(SAMPLE)
                .action(ArgAction::SetTrue)
                .help(
                    "Print a file to begin with instead: every setting, explained, commented out",
                ),
        );
    }
    for setting in SETTINGS.iter() {
        let mut help = setting.help.to_owned();
        let switch = setting.field.placeholder().is_empty();
        if !setting.default.is_empty() && !switch {
            help = format!("{help} [default: {}]", setting.default);
        }
        let mut arg = Arg::new(setting.name)
            .long(setting.name)
            .help(help)
            .help_heading(setting.group.heading())
            .value_parser(ValueParser::os_string())
            .action(if setting.is_list() {
                ArgAction::Append
            } else {
                ArgAction::Set
            });
        if let Some(short) = setting.short {
            arg = arg.short(short);
        }
        arg = if switch {
            arg.num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
                .value_name("true|false")
                .hide_possible_values(true)
        } else {
            arg.value_name(setting.field.placeholder())
                .allow_hyphen_values(true)
        };
        command = command.arg(arg);
    }
    command
}

fn usage(title: &str, linked: bool, purpose: Purpose) -> String {
    let app = if linked { "" } else { " [APP.SO]" };
    match purpose {
        Purpose::Check => return format!("{title} check-config [OPTIONS]{app} [-- ARGS]"),
        Purpose::Print => {
            return format!("{title} print-config [--reveal|--sample] [OPTIONS]{app} [-- ARGS]");
        }
        Purpose::Command if linked => return format!("{title} COMMAND [ARGS]"),
        Purpose::Command => return format!("{title} COMMAND [OPTIONS] APP.SO [ARGS]"),
        Purpose::Serve => {}
    }
    let app = if linked { "" } else { " APP.SO" };
    let mut lines = vec![
        format!("{title} [OPTIONS]{app} [-- ARGS]"),
        format!("{title} check [--load]{app} [-- ARGS]"),
        format!("{title} check-config|print-config [OPTIONS]{app} [-- ARGS]"),
        format!("{title} ctl --control PATH COMMAND"),
        format!("{title} top --control PATH"),
        format!("{title} healthcheck --admin ADDRESS|--control PATH"),
        format!("{title} man"),
        format!("{title} completions bash|zsh|fish"),
    ];
    if !linked {
        lines.insert(1, format!("{title} [OPTIONS] --config FILE [-- ARGS]"));
        lines.push(format!("{title} dev [PATH] [OPTIONS] [-- ARGS]"));
        lines.push(format!("{title} commands [OPTIONS] APP.SO"));
        lines.push(format!("{title} COMMAND [OPTIONS] APP.SO [ARGS]"));
    } else {
        lines.push(format!("{title} commands"));
        lines.push(format!("{title} COMMAND [ARGS]"));
    }
    lines.join("\n       ")
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

const APP: &str = "app";
const ARGUMENTS: &str = "arguments";
const FILE: &str = "config";
const REVEAL: &str = "reveal";
const SAMPLE: &str = "sample";
const VERSION: &str = "version";
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
const AFTER_HELP: &str = "\
Every option can be set in the file and in the environment as well: --worker-timeout is worker-timeout
there and GATEWAYD_WORKER_TIMEOUT here. A flag wins over the environment, that over the file. Signals:
TERM finishes what has begun and stops, INT and QUIT stop quickly, a second one at once; HUP reads
configuration and application anew, USR1 opens log files anew, USR2 replaces the program itself, TTIN
and TTOU add and remove a worker.";

#[cfg(test)]
mod tests {
    use super::*;

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
    fn the_commands_are_well_formed() {
        for purpose in [
            Purpose::Serve,
            Purpose::Check,
            Purpose::Print,
            Purpose::Command,
        ] {
            command("gatewayd", AppSource::CommandLine, purpose).debug_assert();
        }
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
            assert!(COMMANDS.iter().any(|(name, _)| *name == ours));
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

    #[test]
    fn a_misspelt_command_is_told_with_the_one_that_was_meant() {
        let told = |word: &str| stray_word(&words(&[word, "app.so"]), AppSource::CommandLine);
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

    #[test]
    fn help_lists_every_setting_under_its_heading() {
        let help = serving().render_help().to_string();
        for setting in SETTINGS.iter() {
            assert!(help.contains(&setting.flag()), "{}", setting.name);
            assert!(help.contains(setting.group.heading()));
        }
    }
}
