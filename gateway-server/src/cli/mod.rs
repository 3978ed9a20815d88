//! The command line: which of the program's parts is asked for.

mod asked;
mod check_config;
mod commands;
mod completions;
mod footing;
mod grammar;
mod line;
mod reader;
mod roles;
mod voice;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::app_source::AppSource;
use crate::config::{self, Config, Problem, Resolved, Secrets, near_misses};
use crate::workbench::Workbench;
use crate::{arbiter, check, ctl, dev, logging, manual, prepare, worker};
use asked::Wanted;
use grammar::Purpose;
use line::Line;
use reader::Reader;
use voice::{complain, say};

/// Runs the server's command line; `args` begin with the program's name.
///
/// Returns what the process should exit with: 0 after a stop that was asked for, 1 if the server could
/// not run, 2 for a wrong command line or configuration, 3 if the application failed to start, 4 if it
/// could not be loaded.
///
/// To be called first thing in `main`: workers are this same program started once more, and a thread
/// that exists before the call does not exist in them.
pub fn run(args: impl IntoIterator<Item = OsString>, source: AppSource) -> ExitCode {
    let mut args: Vec<OsString> = args.into_iter().collect();
    if let Some(code) = roles::play(&args, source) {
        return code;
    }
    let name = args.first().cloned().unwrap_or_else(|| "gatewayd".into());
    let reader = match Reader::claim(&mut args, &name) {
        Ok(reader) => reader,
        Err(code) => return code,
    };
    let words = args.iter().skip(1).cloned().collect();
    let title = title(&name, source);
    let mut workbench = None;
    match (args.get(1).and_then(|word| word.to_str()), source) {
        (Some("check"), _) => return check::run(&title, &args[2..], source),
        (Some("check-config"), _) => return check_config::run(&title, args, source),
        (Some("print-config"), _) => return print_config(&title, args, source),
        (Some("man"), _) => return man(&title, &args[2..], source),
        (Some("completions"), _) => return complete(&title, &args[2..], source),
        (Some("commands"), _) => return asked::run(&title, args, source, Wanted::List),
        (Some("ctl"), _) => return ctl::run(&title, &args[2..]),
        (Some("healthcheck"), _) => return ctl::run_health(&title, &args[2..]),
        (Some("top"), _) => return ctl::run_top(&title, &args[2..]),
        (Some("dev"), AppSource::CommandLine) => {
            return dev::run(&name, &args[2..], line::takes_a_value);
        }
        (Some(dev::ROLE), AppSource::CommandLine) if args.len() > 2 => {
            let folder = PathBuf::from(args.remove(2));
            args[1] = Workbench::at(&folder).app().into();
            workbench = Some(folder);
        }
        _ if asked::may_be_the_applications(&args) => {
            return asked::run(&title, args, source, Wanted::Command);
        }
        _ => {}
    }
    let resolved = match line::read(&title, args, source, Purpose::Serve) {
        Ok(Line { resolved, .. }) => resolved,
        Err(code) => return code,
    };
    if let Some(reader) = reader {
        let told = |problems: Vec<Problem>| problems.iter().map(ToString::to_string).collect();
        let read = resolved.map_err(told);
        let read = read.map(|resolved| ready(resolved, workbench.as_deref()));
        return reader.answer(read, source);
    }
    match resolved {
        Ok(resolved) if resolved.config.workers == 0 && workbench.is_some() => {
            let words = "--workers: dev expects at least 1, found 0";
            complain(&title, &[Problem::Usage(words.to_owned())])
        }
        Ok(resolved) => serve(&name, words, ready(resolved, workbench.as_deref()), source),
        Err(problems) => complain(&title, &problems),
    }
}

/// The configuration that is served by, once the log has begun and been told which settings do nothing.
fn ready(resolved: Resolved, workbench: Option<&Path>) -> Config {
    logging::init(resolved.config.log_style());
    for line in resolved.idle_settings() {
        tracing::warn!("{line}");
    }
    let mut config = resolved.config;
    config.set_workbench(workbench);
    prepare::look_at_files(&mut config);
    config
}

/// Serves until the end: in this process, or as the master of others.
fn serve(name: &OsStr, words: Vec<OsString>, config: Config, source: AppSource) -> ExitCode {
    for miss in near_misses(std::env::vars_os()) {
        tracing::warn!("{miss}");
    }
    // Said at once, and not behind a wait for an address that is in use.
    if let Err(error) = prepare::find_apps(&config, source) {
        tracing::error!("{error}");
        return ExitCode::from(CANNOT_LOAD);
    }
    match config.workers {
        0 => worker::in_process(config, source),
        _ => arbiter::run(name, words, config, source),
    }
}

/// Prints what the configuration comes to.
fn print_config(title: &str, mut args: Vec<OsString>, source: AppSource) -> ExitCode {
    args.remove(1);
    match line::read(title, args, source, Purpose::Print) {
        Err(code) => code,
        Ok(Line { sample: true, .. }) => say(&config::sample(title)),
        Ok(Line {
            resolved, reveal, ..
        }) => match resolved {
            Err(problems) => complain(title, &problems),
            Ok(resolved) if reveal => say(&config::print(&resolved, Secrets::Shown)),
            Ok(resolved) => say(&config::print(&resolved, Secrets::Hidden)),
        },
    }
}

/// Prints the manual page; `words` should be none.
fn man(title: &str, words: &[OsString], source: AppSource) -> ExitCode {
    if let Some(word) = words.first() {
        let message = format!("man: expected no words, found `{}`", word.display());
        return complain(title, &[Problem::Usage(message)]);
    }
    let commands: Vec<_> = commands::commands(source).collect();
    let synopsis = grammar::synopsis(title, source);
    say(&manual::page(title, &synopsis, &commands))
}

/// Prints a script for a shell.
fn complete(title: &str, words: &[OsString], source: AppSource) -> ExitCode {
    match completions::script(title, words, source) {
        Ok(script) => say(&script),
        Err(message) => complain(title, &[Problem::Usage(format!("completions: {message}"))]),
    }
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

/// The exit code for an application that is not there.
const CANNOT_LOAD: u8 = 4;
