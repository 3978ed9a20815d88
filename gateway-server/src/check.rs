//! `gatewayd check`: what an application's file says of itself, read without running it; and, when
//! asked, whether it starts.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::future::poll_fn;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use gateway_spec::abi::host::{Config, Descriptor, Module};
use gateway_spec::abi::load::{self, Linkage};
use gateway_spec::abi::{ABI_MAJOR, ABI_MINOR, module_flag};
use nix::time::{ClockId, clock_gettime};

use crate::app_source::{self, AppSource};
use crate::config::{self, AppConfig, AppPlace, CommandLine, Problem};
use crate::logging;
use crate::os::process;

/// Runs the command; `args` are those behind its name, `name` is what the program is called.
///
/// Returns 0 if this server could serve the application, 2 for a wrong command line, 3 if it failed
/// to start, 4 if it could not be loaded.
pub(crate) fn run(name: &str, args: &[OsString], source: AppSource) -> ExitCode {
    let matches = match command(name, source).try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(told) => {
            // Whoever closed the pipe has read enough.
            let _ = told.print();
            return ExitCode::from(if told.use_stderr() { USAGE } else { 0 });
        }
    };
    let load = matches.get_flag(LOAD);
    let candidates = match candidates(&matches, source) {
        Ok(candidates) => candidates,
        Err(problems) => {
            for problem in problems {
                complain(name, &problem.to_string());
            }
            return ExitCode::from(USAGE);
        }
    };
    if load {
        logging::init(Default::default());
        let variables = candidates.iter().flat_map(|one| &one.variables);
        process::set_variables(variables.map(|(name, value)| (&**name, &**value)));
    }
    for candidate in candidates {
        if let Err(failure) = candidate.check(name, source, load) {
            complain(name, &failure.message);
            return ExitCode::from(failure.code);
        }
    }
    ExitCode::SUCCESS
}

/// An application as it would be served.
struct Candidate {
    app: AppConfig,
    /// Of its workers.
    variables: Vec<(String, String)>,
    /// As long as its start may take.
    start: Duration,
    /// As long as its end may take.
    end: Duration,
}

/// What the words name; to be started, or from a file, with everything that a server would read.
fn candidates(matches: &ArgMatches, source: AppSource) -> Result<Vec<Candidate>, Vec<Problem>> {
    let path = |name| matches.try_get_one::<PathBuf>(name).ok().flatten().cloned();
    let arguments = matches.get_many::<OsString>(ARGUMENTS);
    let line = CommandLine {
        file: path(FILE),
        app: path(APP),
        arguments: arguments.into_iter().flatten().cloned().collect(),
        ..CommandLine::default()
    };
    let is_there = line.app.is_some() || matches!(source, AppSource::LinkedIn(_));
    if is_there && line.file.is_none() && !matches.get_flag(LOAD) {
        return Ok(vec![Candidate {
            app: AppConfig::at(line.app),
            variables: Vec::new(),
            start: Duration::ZERO,
            end: Duration::ZERO,
        }]);
    }
    let place = match source {
        AppSource::CommandLine => AppPlace::File,
        AppSource::LinkedIn(_) => AppPlace::Linked,
    };
    let config = config::resolve(line, std::env::vars_os(), place, Vec::new())?.config;
    let mut candidates = Vec::new();
    for (_, pool) in config.each_pool() {
        candidates.extend(pool.apps.iter().map(|app| {
            Candidate {
                app: app.clone(),
                variables: pool
                    .environment()
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect(),
                start: pool.boot_timeout,
                end: pool.graceful_timeout,
            }
        }));
    }
    Ok(candidates)
}

impl Candidate {
    fn check(&self, name: &str, source: AppSource, load: bool) -> Result<(), Failure> {
        let subject = match source {
            AppSource::LinkedIn(module) => Module::linked(module)
                .map(Subject::Linked)
                .map_err(|refusal| refusal.to_string()),
            AppSource::CommandLine => Subject::read(self.app.path.clone().unwrap_or_default()),
        };
        let subject = subject.map_err(|message| Failure::new(CANNOT_LOAD, message))?;
        say(&subject.report());
        for warning in subject.warnings() {
            complain(name, &format!("warning: {warning}"));
        }
        if load { subject.live(self) } else { Ok(()) }
    }
}

fn command(name: &str, source: AppSource) -> Command {
    let mut command = Command::new(format!("{name} check"))
        .no_binary_name(true)
        .about("Tells what an application says of itself, without running it")
        .arg(
            Arg::new(LOAD)
                .long(LOAD)
                .action(ArgAction::SetTrue)
                .help("Load and start the application too, and stop it again"),
        )
        .arg(
            Arg::new(FILE)
                .long(FILE)
                .short('c')
                .value_name("FILE")
                .value_parser(ValueParser::path_buf())
                .help("Check the applications of this configuration, and start them with their part of it"),
        );
    if matches!(source, AppSource::CommandLine) {
        command = command.arg(
            Arg::new(APP)
                .value_name("APP.SO")
                .value_parser(ValueParser::path_buf())
                .help("The application: a shared object that exports gateway_module_v1"),
        );
    }
    command.arg(
        Arg::new(ARGUMENTS)
            .value_name("ARGS")
            .value_parser(ValueParser::os_string())
            .num_args(0..)
            .last(true)
            .help("Arguments for the application itself, with --load"),
    )
}

/// What is checked.
enum Subject {
    /// A file.
    File {
        path: PathBuf,
        bytes: u64,
        descriptor: Descriptor,
        linkage: Linkage,
    },
    /// This program.
    Linked(Module),
}

/// Why the check has failed, and what to exit with.
struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    fn new(code: u8, message: impl ToString) -> Self {
        let message = message.to_string();
        Self { code, message }
    }
}

impl Subject {
    fn read(path: PathBuf) -> Result<Self, String> {
        app_source::refuse_folder(&path)
            .map_err(|message| format!("{}: {message}", path.display()))?;
        let descriptor = load::inspect(&path).map_err(|error| error.to_string())?;
        let linkage = load::linkage(&path).map_err(|error| error.to_string())?;
        let bytes =
            std::fs::metadata(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self::File {
            path,
            bytes: bytes.len(),
            descriptor,
            linkage,
        })
    }

    fn descriptor(&self) -> &Descriptor {
        match self {
            Self::File { descriptor, .. } => descriptor,
            Self::Linked(module) => module.descriptor(),
        }
    }

    /// A line for each fact.
    fn report(&self) -> String {
        let descriptor = self.descriptor();
        let (major, minor) = descriptor.abi;
        let flags = descriptor.flag_names();
        let list = |words: &[String]| match words {
            [] => "nothing".to_owned(),
            words => words.join(", "),
        };
        let mut lines = vec![
            ("application", descriptor.to_string()),
            ("builder", descriptor.builder.clone()),
            (
                "ABI",
                format!(
                    "{major}.{minor}, host {ABI_MAJOR}.{} or later; this host is {ABI_MAJOR}.{ABI_MINOR}",
                    descriptor.min_host_minor
                ),
            ),
            (
                "flags",
                match flags.as_slice() {
                    [] if descriptor.flags == 0 => "none".to_owned(),
                    names => format!("{:#x} {}", descriptor.flags, names.join(" ")),
                },
            ),
        ];
        match self {
            Self::File {
                path,
                bytes,
                linkage,
                ..
            } => {
                lines.insert(0, ("file", path.display().to_string()));
                lines.push(("size", format!("{bytes} bytes")));
                lines.extend(linkage.soname.clone().map(|name| ("soname", name)));
                lines.push(("needs", list(&linkage.needed)));
            }
            Self::Linked(_) => lines.insert(0, ("file", "this program".to_owned())),
        }
        lines.iter().fold(String::new(), |mut text, (key, value)| {
            let value = logging::printable(value.as_bytes());
            let _ = writeln!(text, "{key:<12} {}", value.trim_end());
            text
        })
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.descriptor().flags & module_flag::PANIC_ABORT != 0 {
            warnings.push(
                "PANIC_ABORT: one panicking request ends the worker and all of its connections"
                    .to_owned(),
            );
        }
        if let Self::File { linkage, .. } = self
            && let Some(place) = linkage.search.iter().find(|place| is_relative(place))
        {
            warnings.push(format!(
                "it looks for libraries in {place}: workers load a copy in memory, from which \
                 $ORIGIN leads elsewhere; serve it with --workers 0 or link those libraries in"
            ));
        }
        warnings
    }

    /// The whole life of an instance without requests.
    fn live(&self, candidate: &Candidate) -> Result<(), Failure> {
        let (shown, module) = match self {
            Self::Linked(module) => (String::new(), module.clone()),
            Self::File { path, .. } => {
                // A name without a slash would be looked for where libraries are.
                let file = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                let load = || load::load(&file).map_err(|error| Failure::new(CANNOT_LOAD, error));
                (format!("{}: ", path.display()), timed("load", load)?)
            }
        };
        let failed =
            |what: &dyn std::fmt::Display| Failure::new(CANNOT_START, format!("{shown}{what}"));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::new(1, error))?;
        let host = logging::application_host(
            None,
            None,
            |code| {
                tracing::info!("the application asks for the end, with code {code}");
            },
            || None,
        );
        let config = Config {
            check_only: true,
            settings: candidate.app.settings.0.clone(),
            argument: candidate.app.arguments.join(OsStr::new(" ")).into_vec(),
            mount: candidate.app.mount.as_str().as_bytes().to_vec(),
            ..Config::default()
        };
        let app = timed("create", || module.create(host, &config)).map_err(|why| failed(&why))?;
        timed("start-up", || {
            runtime.block_on(async {
                let started = poll_fn(|cx| app.poll_startup(cx));
                let most = candidate.start;
                match tokio::time::timeout(most, started).await {
                    Ok(started) => started.map_err(|why| failed(&why)),
                    Err(_) => Err(failed(&format_args!("start-up is not over after {most:?}"))),
                }
            })
        })?;
        timed("shutdown", || {
            runtime.block_on(async {
                let most = candidate.end;
                let deadline = monotonic_ns(most);
                let ended = poll_fn(|cx| app.poll_shutdown(cx, deadline));
                let ended = tokio::time::timeout(most, ended).await;
                ended.map_err(|_| failed(&format_args!("shutdown is not over after {most:?}")))
            })
        })?;
        timed("destroy", || app.destroy());
        Ok(())
    }
}

/// Does the work and prints how long it took.
fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let before = Instant::now();
    let outcome = work();
    let took = before.elapsed().as_secs_f64() * 1000.0;
    say(&format!("{what:<12} {took:.3} ms\n"));
    outcome
}

fn is_relative(place: &str) -> bool {
    place.contains("$ORIGIN") || place.contains("${ORIGIN}")
}

/// The monotonic clock's nanoseconds, so far ahead.
fn monotonic_ns(ahead: Duration) -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from);
    u64::try_from((now + ahead).as_nanos()).unwrap_or(u64::MAX)
}

fn say(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

fn complain(name: &str, message: &str) {
    let _ = io::stderr().write_all(format!("{name}: {message}\n").as_bytes());
}

const APP: &str = "app";
const ARGUMENTS: &str = "arguments";
const FILE: &str = "config";
const LOAD: &str = "load";
const USAGE: u8 = 2;
const CANNOT_START: u8 = 3;
const CANNOT_LOAD: u8 = 4;
