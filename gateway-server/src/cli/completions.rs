//! What a shell offers behind the program's name, from the table of settings and the list of commands.

use std::ffi::OsString;

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command, ValueHint};
use clap_complete::{Shell, generate};

use super::commands::commands;
use super::grammar::{Purpose, command};
use crate::app_source::AppSource;
use crate::config::{SETTINGS, Setting};

/// The script for the shell that the first word names.
///
/// # Errors
///
/// What is wrong with the words, for whoever wrote them.
pub(super) fn script(title: &str, words: &[OsString], source: AppSource) -> Result<String, String> {
    let [word] = words else {
        return Err(format!("expected {NAMES}, found {} words", words.len()));
    };
    let shell = match word.to_str() {
        Some("bash") => Shell::Bash,
        Some("zsh") => Shell::Zsh,
        Some("fish") => Shell::Fish,
        _ => return Err(format!("expected {NAMES}, found `{}`", word.display())),
    };
    let mut script = Vec::new();
    generate(shell, &mut whole(title, source), title, &mut script);
    String::from_utf8(script).map_err(|error| error.to_string())
}

/// The command line with its commands, as shells see it.
fn whole(title: &str, source: AppSource) -> Command {
    let whole = offering(command(title, source, Purpose::Serve));
    let mut whole = whole.disable_help_subcommand(true);
    for (name, about) in commands(source) {
        let part = match name {
            "check-config" => offering(command(title, source, Purpose::Check)),
            "print-config" => offering(command(title, source, Purpose::Print)),
            "commands" => offering(command(title, source, Purpose::Command)),
            "completions" => Command::new(name).arg(
                Arg::new("shell").value_parser(PossibleValuesParser::new(["bash", "zsh", "fish"])),
            ),
            "check" | "dev" => Command::new(name).arg(
                Arg::new("path")
                    .num_args(0..)
                    .value_hint(ValueHint::AnyPath),
            ),
            _ => Command::new(name),
        };
        whole = whole.subcommand(part.name(name).about(about));
    }
    whole
}

/// The same with the values that settings accept, and with paths where they are paths.
fn offering(mut command: Command) -> Command {
    for setting in SETTINGS.iter() {
        command = command.mut_arg(setting.name, |arg| with_values(arg, setting));
    }
    command.mut_args(|arg| match arg.get_value_hint() {
        ValueHint::Unknown if ["app", "config"].contains(&arg.get_id().as_str()) => {
            arg.value_hint(ValueHint::FilePath)
        }
        _ => arg,
    })
}

fn with_values(arg: Arg, setting: &Setting) -> Arg {
    let choices = setting.field.choices();
    match (choices.is_empty(), setting.field.placeholder()) {
        (false, _) => arg.value_parser(PossibleValuesParser::new(choices)),
        (true, "PATH") => arg.value_hint(ValueHint::AnyPath),
        (true, "USER") => arg.value_hint(ValueHint::Username),
        (true, _) => arg.value_hint(ValueHint::Other),
    }
}

const NAMES: &str = "`bash`, `zsh` or `fish`";
