//! `gatewayd init-db app.so`: what an application can do besides serving, by the extension `gw.commands/1`.
//!
//! An instance is made and started as for serving, but gets no request. The command has the terminal
//! to itself: everything here is said on standard error, or before and after it.

use std::ffi::{OsStr, OsString};
use std::future::{Future, poll_fn};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, absolute};
use std::process::ExitCode;
use std::time::Duration;

use gateway_spec::ErrorKind;
use gateway_spec::abi::host::{App, Commands, Config, Module};
use gateway_spec::abi::load;
use nix::time::{ClockId, clock_gettime};
use tokio::runtime::Runtime;

use crate::app_source::{self, AppSource};
use crate::logging;
use crate::options::AppOptions;

/// What is asked of the application.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wish<'a> {
    /// To tell its commands.
    List,
    /// To run one: its name and its arguments, and what to say at the end of a message if there is none of
    /// that name: the server's own that may have been meant, or nothing.
    Run(&'a [OsString], &'a str),
}

/// How long the parts around a command may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// The start-up.
    pub(crate) start: Duration,
    /// The shutdown.
    pub(crate) end: Duration,
}

/// Starts the application, grants the wish, and ends it again.
///
/// Returns the command's own status; 1 if it failed without a word, 2 if there is none of that name,
/// 3 if the application failed to start, 4 if it could not be loaded.
pub(crate) fn run(
    name: &str,
    source: AppSource,
    options: &AppOptions,
    wish: Wish<'_>,
    patience: Patience,
) -> ExitCode {
    let app = options.path.as_deref();
    let ended = module(app, source)
        .map_err(|what| Failure::new(CANNOT_LOAD, what))
        .and_then(|module| live(name, &module, options, wish, patience));
    match ended {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            let place = app.map_or_else(String::new, |path| format!("{}: ", path.display()));
            complain(name, &format!("{place}{}", failure.message));
            ExitCode::from(failure.code)
        }
    }
}

/// Why there was no command to run.
struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    fn new(code: u8, what: impl ToString) -> Self {
        let message = what.to_string();
        Self { code, message }
    }
}

fn module(app: Option<&Path>, source: AppSource) -> Result<Module, String> {
    match (source, app) {
        (AppSource::LinkedIn(module), _) => {
            Module::linked(module).map_err(|refusal| refusal.to_string())
        }
        (AppSource::CommandLine, app) => {
            let path = app.unwrap_or_else(|| Path::new(""));
            app_source::refuse_folder(path)?;
            // A name without a slash would be looked for where libraries are.
            let file = absolute(path).unwrap_or_else(|_| path.to_owned());
            load::load(&file).map_err(|error| error.cause.to_string())
        }
    }
}

/// The whole life of an instance that gets a command instead of requests.
fn live(
    name: &str,
    module: &Module,
    options: &AppOptions,
    wish: Wish<'_>,
    patience: Patience,
) -> Result<u8, Failure> {
    let failed = |what: &dyn std::fmt::Display| {
        Failure::new(CANNOT_START, logging::printable_lines(&what.to_string()))
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(FAILED, error))?;
    // A command ends by itself; what it asks of a server means nothing here.
    let host = logging::application_host(None, None, |_| {}, || None);
    let argument = options.arguments.join(OsStr::new(" "));
    let config = Config {
        settings: options.settings.0.clone(),
        mount: options.mount.as_str().as_bytes().to_vec(),
        argument: argument.as_bytes().to_vec(),
        commands_only: true,
        ..Config::default()
    };
    let app = module.create(host, &config).map_err(|why| failed(&why))?;
    let started = poll_fn(|cx| app.poll_startup(cx));
    match within(&runtime, patience.start, started) {
        Some(started) => started.map_err(|why| failed(&why))?,
        None => {
            let longest = patience.start;
            return Err(failed(&format_args!(
                "start-up is not over after {longest:?}"
            )));
        }
    }
    // Not inside of the runtime above: a command may block, and may bring one of its own.
    let status = granted(name, &app, wish);
    let deadline = monotonic_ns(patience.end);
    let ended = poll_fn(|cx| app.poll_shutdown(cx, deadline));
    if within(&runtime, patience.end, ended).is_none() {
        complain(
            name,
            &format!("shutdown is not over after {:?}", patience.end),
        );
    }
    app.destroy();
    status
}

fn within<T>(runtime: &Runtime, longest: Duration, work: impl Future<Output = T>) -> Option<T> {
    runtime.block_on(async { tokio::time::timeout(longest, work).await.ok() })
}

fn granted(name: &str, app: &App, wish: Wish<'_>) -> Result<u8, Failure> {
    let commands = app.commands();
    match wish {
        Wish::List => {
            say(&commands.as_ref().map_or_else(String::new, table));
            Ok(0)
        }
        Wish::Run(words, hint) => {
            let word = words.first().cloned().unwrap_or_default();
            let unknown = || {
                let known = commands.as_ref().map_or_else(Vec::new, first_words);
                Failure::new(USAGE, no_such_command(name, &word, &known, hint))
            };
            let Some(found) = &commands else {
                return Err(unknown());
            };
            match found.run(words) {
                Ok(status) => Ok(status),
                Err(ErrorKind::Invalid) => Err(unknown()),
                Err(kind) => {
                    let word = word.to_string_lossy();
                    Err(Failure::new(FAILED, format!("{word} failed ({kind:?})")))
                }
            }
        }
    }
}

/// What there is: a line for each.
fn table(commands: &Commands<'_>) -> String {
    let left = |command: &gateway_spec::Command| {
        let words = format!("{} {}", command.name, command.arguments);
        logging::printable(words.trim_end().as_bytes())
    };
    let widest = commands.list().iter().map(|one| left(one).chars().count());
    let width = widest.max().unwrap_or(0).min(WIDEST);
    let line = |command: &gateway_spec::Command| {
        let about = logging::printable(command.about.as_bytes());
        let line = format!("{:width$}  {about}", left(command));
        format!("{}\n", line.trim_end())
    };
    commands.list().iter().map(line).collect()
}

fn first_words(commands: &Commands<'_>) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for command in commands.list() {
        let first = command.name.split(' ').next().unwrap_or_default();
        let first = logging::printable(first.as_bytes());
        if !words.contains(&first) {
            words.push(first);
        }
    }
    words
}

fn no_such_command(name: &str, word: &OsStr, known: &[String], hint: &str) -> String {
    let word = logging::printable(word.as_bytes());
    match known {
        _ if !hint.is_empty() => format!("the application has no command `{word}`{hint}"),
        [] => format!("the application has no command `{word}`, nor any other"),
        known => format!(
            "the application has no command `{word}`; it has {}. See `{name} commands`",
            known.join(", ")
        ),
    }
}

/// The monotonic clock's nanoseconds, so far ahead.
fn monotonic_ns(ahead: Duration) -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from);
    u64::try_from((now + ahead).as_nanos()).unwrap_or(u64::MAX)
}

/// Whoever closed the pipe has read enough.
fn say(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

fn complain(name: &str, message: &str) {
    let _ = io::stderr().write_all(format!("{name}: {message}\n").as_bytes());
}

/// Columns for names and arguments, unless they are longer.
const WIDEST: usize = 40;
const FAILED: u8 = 1;
const USAGE: u8 = 2;
const CANNOT_START: u8 = 3;
const CANNOT_LOAD: u8 = 4;
