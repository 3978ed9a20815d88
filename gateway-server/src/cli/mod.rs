//! The command line: which of the program's parts is asked for.

mod asked;
mod completions;
mod footing;
mod line;

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::app_source::AppSource;
use crate::config::{self, Config, Problem, Resolved, Secrets, near_misses};
use crate::os::process;
use crate::sandbox;
use crate::value::Sandbox;
use crate::workbench::Workbench;
use crate::{
    admin, arbiter, check, command, ctl, dev, hook, logging, manual, prepare, watch, worker,
};
use command::{Patience, Wish};
use line::{Line, Purpose};

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
    if let [_, role, plan] = args.as_slice()
        && role == worker::ROLE
    {
        return worker::main(plan, source);
    }
    if let [_, role, argument] = args.as_slice()
        && role == prepare::PART_ROLE
    {
        return prepare::prepare_part(argument);
    }
    if args.len() > 2 && args[1] == hook::ROLE {
        return hook::main(&args[2..]);
    }
    if let [_, role, plan] = args.as_slice()
        && role == admin::ROLE
    {
        return admin::main(plan);
    }
    if args.len() > 2 && args[1] == watch::ROLE {
        return watch::main(&args[2..]);
    }
    let mut desk = None;
    if args.len() > 2 && args[1] == prepare::ROLE {
        match prepare::Desk::claim(&args[2]) {
            Ok(claimed) => desk = Some(claimed),
            Err(_) => return ExitCode::FAILURE,
        }
        args.drain(1..3);
    }
    let name = args.first().cloned().unwrap_or_else(|| "gatewayd".into());
    let mut check = None;
    if args.len() > 2 && args[1] == arbiter::CHECK_ROLE {
        match arbiter::Check::claim(&args[2], &name) {
            Ok(claimed) => check = Some(claimed),
            Err(code) => return code,
        }
        args.drain(1..3);
    }
    if args.len() > 2 && args[1] == arbiter::ADOPT_ROLE {
        let words = args.split_off(3);
        return arbiter::adopt(&args[2], name, words, source);
    }
    let words = args.iter().skip(1).cloned().collect();
    let title = title(&name, source);
    let mut workbench = None;
    match (args.get(1).and_then(|word| word.to_str()), source) {
        (Some("check"), _) => return check::run(&title, &args[2..], source),
        (Some("check-config"), _) => return check_config(&title, args, source),
        (Some("print-config"), _) => return print_config(&title, args, source),
        (Some("man"), _) => return man(&title, &args[2..], source),
        (Some("completions"), _) => return complete(&title, &args[2..], source),
        (Some("commands"), _) => return of_application(&title, args, source, true),
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
            return of_application(&title, args, source, false);
        }
        _ => {}
    }
    let resolved = match line::read(&title, args, source, Purpose::Serve) {
        Ok(Line { resolved, .. }) => resolved,
        Err(code) => return code,
    };
    let served = |resolved: Resolved| {
        logging::init(resolved.config.log_style());
        warn_of_idle(&resolved);
        let mut config = resolved.config;
        config.set_workbench(workbench.as_deref());
        prepare::look_at_files(&mut config);
        config
    };
    if desk.is_some() || check.is_some() {
        let told = |problems: Vec<Problem>| problems.iter().map(ToString::to_string).collect();
        let config = resolved.map_err(told).map(served);
        return match (desk, check) {
            (Some(desk), _) => desk.answer(config, source),
            (None, Some(check)) => check.answer(config, source),
            (None, None) => ExitCode::FAILURE,
        };
    }
    match resolved {
        Ok(resolved) if resolved.config.workers == 0 && workbench.is_some() => {
            let words = "--workers: dev expects at least 1, found 0";
            complain(&title, &[Problem::Usage(words.to_owned())])
        }
        Ok(resolved) => serve(&name, words, served(resolved), source),
        Err(problems) => complain(&title, &problems),
    }
}

fn serve(name: &OsStr, words: Vec<OsString>, config: Config, source: AppSource) -> ExitCode {
    for (variable, known) in near_misses(std::env::vars_os().map(|(name, _)| name)) {
        tracing::warn!("{variable} is not a setting; did you mean {known}?");
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

/// Logs which settings do nothing.
fn warn_of_idle(resolved: &Resolved) {
    for line in resolved.idle_settings() {
        tracing::warn!("{line}");
    }
}

/// Says whether a server would accept its configuration, and find what it names.
fn check_config(title: &str, mut args: Vec<OsString>, source: AppSource) -> ExitCode {
    args.remove(1);
    let resolved = match line::read(title, args, source, Purpose::Check) {
        Ok(Line { resolved, .. }) => resolved,
        Err(code) => return code,
    };
    let mut warnings = String::new();
    for (variable, known) in near_misses(std::env::vars_os().map(|(name, _)| name)) {
        warnings +=
            &format!("{title}: warning: {variable} is not a setting; did you mean {known}?\n");
    }
    let idle = resolved
        .as_ref()
        .map_or(Vec::new(), Resolved::idle_settings);
    for line in idle {
        warnings += &format!("{title}: warning: {line}\n");
    }
    let _ = std::io::stderr().write_all(warnings.as_bytes());
    let mut sandbox = false;
    let problems = match resolved {
        Err(problems) => problems,
        Ok(resolved) => {
            sandbox = resolved.config.sandbox != Sandbox::Off;
            let mut problems = footing::problems(&resolved);
            problems.extend(unconfined(title, &resolved));
            problems
        }
    };
    if !problems.is_empty() {
        return complain(title, &problems);
    }
    let told = match sandbox {
        true => sandbox::report(),
        false => String::new(),
    };
    say(&format!("the configuration is right\n{told}"))
}

/// Lists the application's own commands, or runs the one that `args` name.
fn of_application(title: &str, args: Vec<OsString>, source: AppSource, lists: bool) -> ExitCode {
    let asked = match asked::read(title, args, source, lists) {
        Ok(asked) => asked,
        Err(code) => return code,
    };
    let config = match asked.resolved {
        Ok(Resolved { config, .. }) => config,
        Err(problems) => return complain(title, &problems),
    };
    let hint = asked.words.first().and_then(|word| word.to_str());
    let hint = hint.and_then(|word| line::command_hint(word, source));
    // Only an application that is there may have a command that is called nearly like one of ours.
    let there = config
        .all_apps()
        .all(|app| app.path.as_ref().is_none_or(|path| path.is_file()));
    if !lists
        && !there
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
    let wish = if lists {
        Wish::List
    } else {
        Wish::Run(&asked.words, &hint)
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

/// What the running kernel cannot do of a sandbox that is required; of another it is only told.
fn unconfined(title: &str, resolved: &Resolved) -> Vec<Problem> {
    let gaps = sandbox::gaps(&resolved.config);
    if resolved.config.sandbox == Sandbox::Required {
        let problem = |gap| Problem::Refused {
            lead: "sandbox".to_owned(),
            expected: "a kernel that can do all of it".to_owned(),
            found: gap,
        };
        return gaps.into_iter().map(problem).collect();
    }
    let lines = gaps
        .iter()
        .map(|gap| format!("{title}: warning: sandbox: {gap}\n"));
    let _ = std::io::stderr().write_all(lines.collect::<String>().as_bytes());
    Vec::new()
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
    let commands: Vec<_> = line::commands(source).collect();
    let synopsis = line::synopsis(title, source);
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

/// Writes to standard output; whoever closed the pipe has read enough.
fn say(text: &str) -> ExitCode {
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

/// Writes what is wrong to standard error; if that is closed, nobody wants to know.
fn complain(title: &str, problems: &[Problem]) -> ExitCode {
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

/// The exit code for an application that is not there.
const CANNOT_LOAD: u8 = 4;
/// The exit code for a wrong command line or configuration.
const USAGE: u8 = 2;
