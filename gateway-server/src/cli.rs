//! The command line: what was asked for, or everything that is wrong with it.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::app_source::AppSource;
use crate::config::{Config, Given, SETTINGS, Sources, near_misses};
use crate::workbench::Workbench;
use crate::{arbiter, check, dev, logging, worker};

/// Runs the server's command line; `args` begin with the program's name.
///
/// Returns what the process should exit with: 0 after a stop that was asked for, 1 if the server could
/// not run, 2 for a wrong command line, 3 if the application failed to start, 4 if it could not be
/// loaded.
///
/// To be called first thing in `main`: workers are this same program started once more, and a thread
/// that exists before the call does not exist in them.
pub fn run(args: impl IntoIterator<Item = OsString>, source: AppSource) -> ExitCode {
    let mut args: Vec<OsString> = args.into_iter().collect();
    if let [_, role, plan] = args.as_slice()
        && role == worker::ROLE
    {
        return worker::main(plan, source);
    }
    let name = args.first().cloned().unwrap_or_else(|| "gatewayd".into());
    let title = title(&name, source);
    if args.get(1).is_some_and(|word| word == "check") {
        return check::run(&title, &args[2..], source);
    }
    let mut workbench = None;
    if let AppSource::CommandLine = source {
        match args.get(1).and_then(|word| word.to_str()) {
            Some("dev") => return dev::run(&name, &args[2..]),
            Some(dev::ROLE) if args.len() > 2 => {
                let folder = PathBuf::from(args.remove(2));
                args[1] = Workbench::at(&folder).app().into();
                workbench = Some(folder);
            }
            _ => {}
        }
    }
    match parse(&title, args, source) {
        Parsed::Serve(config) if config.workers == 0 && workbench.is_some() => {
            complain(
                &title,
                &["--workers: dev expects at least 1, found 0".to_owned()],
            );
            ExitCode::from(USAGE)
        }
        Parsed::Serve(mut config) => {
            config.workbench = workbench;
            serve(&name, *config, source)
        }
        Parsed::Told(code) => code,
    }
}

fn serve(name: &OsStr, config: Config, source: AppSource) -> ExitCode {
    logging::init(config.log_level);
    for (variable, known) in near_misses(std::env::vars_os().map(|(name, _)| name)) {
        tracing::warn!("{variable} is not a setting; did you mean {known}?");
    }
    match config.workers {
        0 => worker::in_process(config, source),
        _ => arbiter::run(name, config, source),
    }
}

/// What a command line comes to.
enum Parsed {
    /// Serve with this configuration.
    Serve(Box<Config>),
    /// All has been said: help, the version, or what is wrong.
    Told(ExitCode),
}

/// What the program is called in help and messages.
fn title(name: &OsStr, source: AppSource) -> String {
    match source {
        AppSource::CommandLine => "gatewayd".to_owned(),
        AppSource::LinkedIn(_) => {
            let file = Path::new(name).file_name().unwrap_or(name);
            file.to_string_lossy().into_owned()
        }
    }
}

fn parse(title: &str, args: Vec<OsString>, source: AppSource) -> Parsed {
    let (matches, mut problems) = match matches(&mut command(title, source), args) {
        Ok(found) => found,
        Err(told) => return Parsed::Told(told),
    };
    let flags = matches.as_ref().map(given).unwrap_or_default();
    match Sources::new(flags, std::env::vars_os()).resolve() {
        Ok(mut config) => {
            if let Some(matches) = matches.filter(|_| problems.is_empty()) {
                let app = matches.try_get_one::<PathBuf>(APP).ok().flatten();
                config.app = app.and_then(|path| std::path::absolute(path).ok());
                let wanted = matches!(source, AppSource::CommandLine);
                config.app_arguments = matches
                    .get_many(ARGUMENTS)
                    .into_iter()
                    .flatten()
                    .cloned()
                    .collect();
                if config.app.is_some() || !wanted {
                    return Parsed::Serve(Box::new(config));
                }
                problems.push("expected an application to serve: gatewayd [OPTIONS] app.so".into());
            }
        }
        Err(errors) => problems.extend(errors.iter().map(ToString::to_string)),
    }
    complain(title, &problems);
    Parsed::Told(ExitCode::from(USAGE))
}

/// The command line as clap sees it, made from the table of settings.
fn command(title: &str, source: AppSource) -> Command {
    let linked = matches!(source, AppSource::LinkedIn(_));
    let mut command = Command::new(title.to_owned())
        .version(env!("CARGO_PKG_VERSION"))
        .about("Serves a compiled gateway application over HTTP")
        .override_usage(if linked {
            format!("{title} [OPTIONS] [-- ARGS]\n       {title} check [--load] [-- ARGS]")
        } else {
            format!(
                "{title} [OPTIONS] APP.SO [-- ARGS]\n       {title} check [--load] APP.SO [-- ARGS]\n       {title} dev [PATH] [OPTIONS] [-- ARGS]"
            )
        })
        .after_help(AFTER_HELP)
        .args_override_self(true);
    if linked {
        command = command.about("Serves the application over HTTP");
    } else {
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
    command = command.arg(arguments.num_args(0..).last(true).help(help));
    for setting in SETTINGS {
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
                .hide_possible_values(true)
        } else {
            arg.value_name(setting.field.placeholder())
                .allow_hyphen_values(true)
        };
        command = command.arg(arg);
    }
    command
}

/// What the flags say.
fn given(matches: &ArgMatches) -> Vec<Given> {
    let mut flags = Vec::new();
    for (at, setting) in SETTINGS.iter().enumerate() {
        if let Some(values) = matches.get_many::<OsString>(setting.name) {
            flags.push(Given {
                setting: at,
                texts: values.cloned().collect(),
            });
        }
    }
    flags
}

/// Runs clap, again without each option it does not know, so that all of them are told at once.
fn matches(
    command: &mut Command,
    mut args: Vec<OsString>,
) -> Result<(Option<ArgMatches>, Vec<String>), ExitCode> {
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
            let hint = context(ContextKind::SuggestedArg)
                .map_or(String::new(), |known| format!("; did you mean `{known}`?"));
            problems.push(format!(
                "{culprit} (command line): there is no such option{hint}"
            ));
        } else if !unknown || problems.is_empty() {
            // A word too many behind an unknown option is likely that option's value.
            problems.push(first_line(&error.to_string()));
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

/// Writes what is wrong to standard error; if that is closed, nobody wants to know.
fn complain(title: &str, problems: &[String]) {
    let mut text = String::new();
    for problem in problems {
        text.push_str(title);
        text.push_str(": ");
        text.push_str(problem);
        text.push('\n');
    }
    text.push_str("Try `");
    text.push_str(title);
    text.push_str(" --help`.\n");
    let _ = std::io::stderr().write_all(text.as_bytes());
}

const APP: &str = "app";
const ARGUMENTS: &str = "arguments";
/// The exit code for a wrong command line.
const USAGE: u8 = 2;
const AFTER_HELP: &str = "\
Every option can be set in the environment as well: --worker-timeout is GATEWAYD_WORKER_TIMEOUT.
A flag wins over the environment. Signals: TERM finishes what has begun and stops, INT and QUIT stop
quickly, a second one at once; HUP loads the application anew, TTIN and TTOU add and remove a worker.";

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(args: &[&str]) -> Vec<String> {
        let args = ["gatewayd"]
            .iter()
            .chain(args)
            .map(OsString::from)
            .collect();
        matches(&mut command("gatewayd", AppSource::CommandLine), args)
            .unwrap()
            .1
    }

    fn flags(args: &[&str]) -> Vec<(&'static str, Vec<OsString>)> {
        let args = ["gatewayd"]
            .iter()
            .chain(args)
            .map(OsString::from)
            .collect();
        let found = matches(&mut command("gatewayd", AppSource::CommandLine), args).unwrap();
        assert_eq!(found.1, [""; 0]);
        let flags = given(&found.0.unwrap());
        flags
            .into_iter()
            .map(|given| (SETTINGS[given.setting].name, given.texts))
            .collect()
    }

    #[test]
    fn the_command_is_well_formed() {
        command("gatewayd", AppSource::CommandLine).debug_assert();
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
    fn a_missing_value_and_a_word_too_many_are_told() {
        assert!(problems(&["app.so", "other.so"])[0].contains("other.so"));
        assert!(problems(&["app.so", "--workers"])[0].contains("--workers"));
    }

    #[test]
    fn help_lists_every_setting_under_its_heading() {
        let help = command("gatewayd", AppSource::CommandLine)
            .render_help()
            .to_string();
        for setting in SETTINGS {
            assert!(help.contains(&setting.flag()), "{}", setting.name);
            assert!(help.contains(setting.group.heading()));
        }
    }
}
