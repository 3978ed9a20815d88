//! What the program says by itself, outside of its log.

use std::io::Write;
use std::process::ExitCode;

use crate::config::Problem;

/// Writes to standard output; whoever closed the pipe has read enough.
pub(super) fn say(text: &str) -> ExitCode {
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

/// Writes what is wrong to standard error, a line each, and answers what to exit with; if that is closed,
/// nobody wants to know.
pub(super) fn complain(title: &str, problems: &[Problem]) -> ExitCode {
    let mut text = String::new();
    for problem in problems {
        text += &format!("{title}: {problem}\n");
    }
    // A line that is wrong in the file is not mended by help about options.
    if problems
        .iter()
        .any(|problem| matches!(problem, Problem::Usage(_) | Problem::NoApp))
    {
        text += &format!("Try `{title} --help`.\n");
    }
    let _ = std::io::stderr().write_all(text.as_bytes());
    ExitCode::from(USAGE)
}

/// Writes to standard error what is no reason to stop, a line each.
pub(super) fn warn(title: &str, warnings: impl IntoIterator<Item = String>) {
    let lines = warnings
        .into_iter()
        .map(|warning| format!("{title}: warning: {warning}\n"));
    let _ = std::io::stderr().write_all(lines.collect::<String>().as_bytes());
}

/// The exit code for a wrong command line or configuration.
const USAGE: u8 = 2;
