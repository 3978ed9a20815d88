//! `check-config`: whether a server would accept its configuration, and find what it names.

use std::ffi::OsString;
use std::process::ExitCode;

use super::footing;
use super::grammar::Purpose;
use super::line::{self, Line};
use super::voice::{complain, say, warn};
use crate::app_source::AppSource;
use crate::config::{Problem, Resolved, near_misses};
use crate::sandbox;
use crate::value::Sandbox;

/// Says whether a server would accept its configuration, and find what it names.
pub(super) fn run(title: &str, mut args: Vec<OsString>, source: AppSource) -> ExitCode {
    args.remove(1);
    let resolved = match line::read(title, args, source, Purpose::Check) {
        Ok(Line { resolved, .. }) => resolved,
        Err(code) => return code,
    };
    warn(title, near_misses(std::env::vars_os()));
    let resolved = match resolved {
        Ok(resolved) => resolved,
        Err(problems) => return complain(title, &problems),
    };
    warn(title, resolved.idle_settings());
    let mut problems = footing::problems(&resolved);
    problems.extend(unconfined(title, &resolved));
    if !problems.is_empty() {
        return complain(title, &problems);
    }
    let told = match resolved.config.sandbox {
        Sandbox::Off => String::new(),
        _ => sandbox::report(),
    };
    say(&format!("the configuration is right\n{told}"))
}

/// What the running kernel cannot do of a sandbox that is required; of another it is only told.
fn unconfined(title: &str, resolved: &Resolved) -> Vec<Problem> {
    let gaps = sandbox::gaps(&resolved.config);
    if resolved.config.sandbox != Sandbox::Required {
        warn(title, gaps.iter().map(|gap| format!("sandbox: {gap}")));
        return Vec::new();
    }
    let problem = |gap| Problem::Refused {
        lead: "sandbox".to_owned(),
        expected: "a kernel that can do all of it".to_owned(),
        found: gap,
    };
    gaps.into_iter().map(problem).collect()
}
