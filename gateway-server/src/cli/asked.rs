//! A command line that asks for a command of the application.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use super::line::{Purpose, command, command_line, is_stray, matches, stray_word};
use crate::app_source::AppSource;
use crate::config::{self, AppPlace, CommandLine, Problem, Resolved};

/// A command line that asks for a command of the application.
pub(super) struct Asked {
    /// The configuration, or what is wrong with it.
    pub(super) resolved: Result<Resolved, Vec<Problem>>,
    /// The command's name and its arguments.
    pub(super) words: Vec<OsString>,
}

/// Whether the first word can be a command of the application: it is neither an option nor a file.
pub(super) fn may_be_the_applications(args: &[OsString]) -> bool {
    let word = args.get(1).and_then(|word| word.to_str());
    word.is_some_and(is_stray)
}

/// Reads a command line whose first word is a command: `init-db [OPTIONS] APP.SO [ARGS]`, and
/// `init-db [ARGS]` where the application is this program; there, options stand in the environment.
///
/// # Errors
///
/// What to exit with, when help or the version was asked for and has been printed.
pub(super) fn read(
    title: &str,
    mut args: Vec<OsString>,
    source: AppSource,
    lists: bool,
) -> Result<Asked, ExitCode> {
    let stray = stray_word(&args, source);
    let word = args.remove(1);
    let (mut line, words, mut problems, place) = match source {
        AppSource::LinkedIn(_) if !lists => {
            let words = args.split_off(1);
            (CommandLine::default(), words, Vec::new(), AppPlace::Linked)
        }
        _ => {
            let separator = args.iter().position(|arg| arg == "--");
            let behind = separator.map(|at| args.len() - at - 1);
            let (found, problems) = matches(&mut command(title, source, Purpose::Command), args)?;
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
            let place = match source {
                AppSource::CommandLine => AppPlace::File,
                AppSource::LinkedIn(_) => AppPlace::Linked,
            };
            (line, words, problems, place)
        }
    };
    if lists && let Some(word) = words.first() {
        let word = word.to_string_lossy();
        problems.push(Problem::Usage(format!(
            "unexpected argument '{word}' found"
        )));
    }
    line.picks = true;
    let mut resolved = config::resolve(line, std::env::vars_os(), place, problems);
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
