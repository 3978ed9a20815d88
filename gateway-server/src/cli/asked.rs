//! A command line that asks for a command of the application.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use super::commands::{command_hint, is_stray, stray_word};
use super::grammar::{self, Purpose};
use super::line::{command_line, matches, place};
use super::voice::complain;
use crate::app_source::AppSource;
use crate::command::{self, Patience, Wish};
use crate::config::{self, CommandLine, Config, Problem, Resolved};
use crate::logging;
use crate::os::process;

/// What is wanted of the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The list of its commands.
    List,
    /// A command, to be run.
    Command,
}

/// A command line that asks for a command of the application.
struct Asked {
    /// The configuration, or what is wrong with it.
    resolved: Result<Resolved, Vec<Problem>>,
    /// The command's name and its arguments.
    words: Vec<OsString>,
}

/// Whether the first word can be a command of the application: it is neither an option nor a file.
pub(super) fn may_be_the_applications(args: &[OsString]) -> bool {
    let word = args.get(1).and_then(|word| word.to_str());
    word.is_some_and(is_stray)
}

/// Lists the application's own commands, or runs the one that `args` name.
pub(super) fn run(title: &str, args: Vec<OsString>, source: AppSource, wanted: Wanted) -> ExitCode {
    let asked = match read(title, args, source, wanted) {
        Ok(asked) => asked,
        Err(code) => return code,
    };
    let config = match asked.resolved {
        Ok(Resolved { config, .. }) => config,
        Err(problems) => return complain(title, &problems),
    };
    let hint = asked.words.first().and_then(|word| word.to_str());
    let hint = hint.and_then(|word| command_hint(word, source));
    // Only an application that is there may have a command that is called nearly like one of ours.
    if wanted == Wanted::Command
        && !are_there(&config)
        && let Some(hint) = &hint
    {
        let word = asked.words[0].display();
        let message = format!("there is no command or file `{word}`{hint}");
        return complain(title, &[Problem::Usage(message)]);
    }
    let hint = hint.unwrap_or_default();
    logging::init(config.log_style());
    let patience = Patience {
        start: config.boot_timeout,
        end: config.graceful_timeout,
    };
    let wish = match wanted {
        Wanted::List => Wish::List,
        Wanted::Command => Wish::Run(&asked.words, &hint),
    };
    // One application alone may be called, and may have addresses of its own.
    let pool = config.each_pool().next().map_or(&config, |(_, pool)| pool);
    let options = pool.serve_options();
    process::set_variables(pool.environment());
    match options.apps.first() {
        Some(app) => command::run(title, source, app, wish, patience),
        None => complain(title, &[Problem::NoApp]),
    }
}

/// Whether the applications' files are, as far as they are files.
fn are_there(config: &Config) -> bool {
    let mut paths = config.all_apps().filter_map(|app| app.path.as_ref());
    paths.all(|path| path.is_file())
}

/// Reads a command line whose first word is a command: `init-db [OPTIONS] APP.SO [ARGS]`, and
/// `init-db [ARGS]` where the application is this program; there, options stand in the environment.
///
/// # Errors
///
/// What to exit with, when help or the version was asked for and has been printed.
fn read(
    title: &str,
    mut args: Vec<OsString>,
    source: AppSource,
    wanted: Wanted,
) -> Result<Asked, ExitCode> {
    let stray = stray_word(&args, source);
    let word = args.remove(1);
    let (mut line, words, mut problems) = match source {
        AppSource::LinkedIn(_) if wanted == Wanted::Command => {
            let words = args.split_off(1);
            (CommandLine::default(), words, Vec::new())
        }
        _ => {
            let separator = args.iter().position(|arg| arg == "--");
            let behind = separator.map(|at| args.len() - at - 1);
            let (found, problems) =
                matches(&mut grammar::command(title, source, Purpose::Command), args)?;
            let mut line = found.as_ref().map(command_line).unwrap_or_default();
            let mut words = std::mem::take(&mut line.arguments);
            if matches!(source, AppSource::CommandLine) && behind != Some(words.len()) {
                let mut rest = words.into_iter();
                line.app = rest.next().map(PathBuf::from);
                words = rest.collect();
                if words.first().is_some_and(|first| first == "--") {
                    words.remove(0);
                }
            }
            (line, words, problems)
        }
    };
    if wanted == Wanted::List
        && let Some(word) = words.first()
    {
        let word = word.to_string_lossy();
        problems.push(Problem::Usage(format!(
            "unexpected argument '{word}' found"
        )));
    }
    line.picks = true;
    let mut resolved = config::resolve(line, std::env::vars_os(), place(source), problems);
    // Without an application to ask, a word that means nothing is all that there is to tell.
    if let Err(found) = &mut resolved
        && found.iter().any(|one| matches!(one, Problem::NoApp))
        && let Some(stray) = stray
    {
        *found = vec![stray];
    }
    Ok(Asked {
        resolved,
        words: std::iter::once(word).chain(words).collect(),
    })
}
