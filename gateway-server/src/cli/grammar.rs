//! The command line as clap sees it, made from the table of settings.

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, Command};

use crate::app_source::AppSource;
use crate::config::{SETTINGS, Setting};

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

/// The command line for one purpose.
pub(super) fn command(title: &str, source: AppSource, purpose: Purpose) -> Command {
    let linked = matches!(source, AppSource::LinkedIn(_));
    let mut command = Command::new(title.to_owned())
        .version(env!("CARGO_PKG_VERSION"))
        .about(about(purpose, linked))
        .override_usage(usage(title, linked, purpose))
        .after_help(AFTER_HELP)
        .args_override_self(true);
    if !linked && purpose != Purpose::Command {
        command = command.arg(
            Arg::new(APP)
                .value_name("APP.SO")
                .value_parser(ValueParser::path_buf())
                .help("The application: a shared object that exports gateway_module_v1"),
        );
    }
    let arguments = Arg::new(ARGUMENTS).value_parser(ValueParser::os_string());
    command = command.arg(match purpose {
        // The application and whatever stands behind it: options there are the command's.
        Purpose::Command if !linked => arguments
            .value_name("APP.SO")
            .num_args(0..)
            .trailing_var_arg(true)
            .allow_hyphen_values(false)
            .help("The application, and the arguments of the command"),
        _ => arguments
            .value_name("ARGS")
            .num_args(0..)
            .last(true)
            .help("Arguments for the application itself"),
    });
    command = command.arg(
        Arg::new(FILE)
            .long(FILE)
            .short('c')
            .value_name("FILE")
            .value_parser(ValueParser::path_buf())
            .help("Read settings from this TOML file; a setting here wins over one there"),
    );
    if purpose == Purpose::Print {
        let switch = |name| Arg::new(name).long(name).action(ArgAction::SetTrue);
        command =
            command
                .arg(switch(REVEAL).help(
                    "Show the application's own settings too, any of which may be a password",
                ))
                .arg(switch(SAMPLE).help(
                    "Print a file to begin with instead: every setting, explained, commented out",
                ));
    }
    command.args(SETTINGS.iter().copied().map(option))
}

/// The option of a setting.
fn option(setting: &Setting) -> Arg {
    let switch = setting.field.placeholder().is_empty();
    let mut help = setting.help.to_owned();
    if !setting.default.is_empty() && !switch {
        help = format!("{help} [default: {}]", setting.default);
    }
    let action = match setting.is_list() {
        true => ArgAction::Append,
        false => ArgAction::Set,
    };
    let option = Arg::new(setting.name)
        .long(setting.name)
        .short(setting.short)
        .help(help)
        .help_heading(setting.group.heading())
        .value_parser(ValueParser::os_string())
        .action(action);
    if !switch {
        return option
            .value_name(setting.field.placeholder())
            .allow_hyphen_values(true);
    }
    option
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("true")
        .value_name("true|false")
        .hide_possible_values(true)
}

fn about(purpose: Purpose, linked: bool) -> &'static str {
    match (purpose, linked) {
        (Purpose::Serve, false) => "Serves a compiled gateway application over HTTP",
        (Purpose::Serve, true) => "Serves the application over HTTP",
        (Purpose::Check, _) => "Tells everything that is wrong with a configuration",
        (Purpose::Print, _) => "Prints every setting with its value and where it comes from",
        (Purpose::Command, _) => "Runs a command of the application; `commands` lists them",
    }
}

/// How the program is called, a line for each way.
pub(super) fn synopsis(title: &str, source: AppSource) -> Vec<String> {
    let linked = matches!(source, AppSource::LinkedIn(_));
    let lines = usage(title, linked, Purpose::Serve);
    lines.lines().map(|line| line.trim().to_owned()).collect()
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
        format!("{title} check [--load] [--config FILE]{app} [-- ARGS]"),
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

/// The application's file.
pub(super) const APP: &str = "app";
/// What stands behind it, or behind `--`.
pub(super) const ARGUMENTS: &str = "arguments";
/// `--config`, the file of settings.
pub(super) const FILE: &str = "config";
/// `--reveal` of `print-config`.
pub(super) const REVEAL: &str = "reveal";
/// `--sample` of `print-config`.
pub(super) const SAMPLE: &str = "sample";
/// `--version`, which is clap's own.
pub(super) const VERSION: &str = "version";
/// Wrapped by whoever prints it.
const AFTER_HELP: &str = "\
Every option can be set in the file and in the environment as well: --worker-timeout is worker-timeout there and \
GATEWAYD_WORKER_TIMEOUT here. A flag wins over the environment, that over the file. Signals: TERM finishes what has begun \
and stops, INT and QUIT stop quickly, a second one at once; HUP reads configuration and application anew, USR1 opens log \
files anew, USR2 replaces the program itself, TTIN and TTOU add and remove a worker.";

#[cfg(test)]
mod tests {
    use super::*;

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
    fn help_lists_every_setting_under_its_heading() {
        let mut serving = command("gatewayd", AppSource::CommandLine, Purpose::Serve);
        let help = serving.render_help().to_string();
        for setting in SETTINGS.iter() {
            assert!(help.contains(&setting.flag()), "{}", setting.name);
            assert!(help.contains(setting.group.heading()));
        }
    }
}
