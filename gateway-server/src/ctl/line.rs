//! The command lines of `ctl` and `top`.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command as Clap, value_parser};

use crate::config::{self, AppPlace, CommandLine, Config, SETTINGS};
use crate::control::Command;
use crate::net::ListenAddress;
use crate::value::parse_duration;

/// What `gatewayd ctl` is to do.
#[derive(Debug)]
pub(super) struct Line {
    /// Where the server listens.
    pub(super) socket: PathBuf,
    /// To show the answer as it came.
    pub(super) json: bool,
    /// For everything together.
    pub(super) timeout: Duration,
    pub(super) command: Command,
}

/// Reads the words behind `ctl`.
///
/// # Errors
///
/// What to exit with: help was asked for and printed, or what is wrong was told.
pub(super) fn read(title: &str, args: &[OsString]) -> Result<Line, ExitCode> {
    let found = matches(ctl(title), args)?;
    let (name, words) = found.subcommand().ok_or(ExitCode::from(USAGE))?;
    let flag = |name: &str| words.get_flag(name);
    let text = |name: &str| words.try_get_one::<String>(name).ok().flatten().cloned();
    let number = |name: &str| words.get_one::<u32>(name).copied().unwrap_or_default();
    let command = match name {
        "status" => Command::Status,
        "config" => Command::Config,
        "reload" => Command::Reload {
            app: text(APP),
            wait: flag(WAIT),
        },
        "upgrade" => Command::Upgrade { wait: flag(WAIT) },
        "wait" => Command::Wait,
        "scale" => Command::Scale {
            workers: number("N"),
            app: text(APP).or_else(|| text(POOL)),
        },
        "kill" => Command::Kill {
            worker: number("ID"),
            now: flag(NOW),
        },
        "reopen" => Command::Reopen,
        "drain" => Command::Drain,
        _ => Command::Stop {
            quick: flag(QUICK),
            wait: flag(WAIT),
        },
    };
    Ok(Line {
        socket: socket(title, &found)?,
        json: found.get_flag(JSON),
        timeout: found.get_one(TIMEOUT).copied().unwrap_or(PATIENCE),
        command,
    })
}

/// Reads the words behind `top`: where the server listens, and whether to look once only.
///
/// # Errors
///
/// As [`read`].
pub(super) fn read_top(title: &str, args: &[OsString]) -> Result<(PathBuf, bool), ExitCode> {
    let about = "Shows what a server does, every second, until q or Ctrl-C";
    let command = common(title, about).arg(switch(ONCE, "Look once, and print it"));
    let found = matches(command, args)?;
    Ok((socket(title, &found)?, found.get_flag(ONCE)))
}

/// Whom `gatewayd healthcheck` asks.
#[derive(Debug)]
pub(super) enum Witness {
    /// The admin process, at this path of its own.
    Admin(ListenAddress, &'static str),
    /// The master.
    Master(PathBuf),
}

/// Reads the words behind `healthcheck`: whom to ask, and how long.
///
/// # Errors
///
/// As [`read`].
pub(super) fn read_health(title: &str, args: &[OsString]) -> Result<(Witness, Duration), ExitCode> {
    let about = "Asks whether a server is ready, for containers: the admin address, or else the control \
                 socket, is taken from its configuration";
    let command = common(title, about)
        .arg(
            Arg::new(ADMIN)
                .long(ADMIN)
                .value_name("ADDRESS")
                .value_parser(ValueParser::os_string())
                .help("The server's admin address [variable: GATEWAYD_ADMIN]"),
        )
        .arg(switch(
            LIVE,
            "Ask only whether the master lives, not whether it serves",
        ))
        .arg(timeout("Wait no longer than this [default: 5s]"));
    let found = matches(command, args)?;
    let config = configuration(title, &found)?;
    let path = if found.get_flag(LIVE) {
        "/livez"
    } else {
        "/readyz"
    };
    let witness = match (config.admin, config.control) {
        (Some(admin), _) => Witness::Admin(admin, path),
        (None, Some(control)) => Witness::Master(control),
        (None, None) => {
            return Err(refuse(&format!(
                "{title}: expected the server's --{ADMIN} ADDRESS or --{CONTROL} PATH, here, in the \
                 environment or in the --{CONFIG} FILE; found neither\n"
            )));
        }
    };
    let timeout = found.get_one(TIMEOUT).copied();
    Ok((witness, timeout.unwrap_or(Duration::from_secs(5))))
}

fn timeout(help: &'static str) -> Arg {
    let parser = |text: &str| parse_duration(text).ok_or("expected a time such as 30s or 5m");
    Arg::new(TIMEOUT)
        .long(TIMEOUT)
        .global(true)
        .value_name("TIME")
        .value_parser(parser)
        .help(help)
}

fn ctl(title: &str) -> Clap {
    let wait = |what: &'static str| switch(WAIT, what);
    let number = |name: &'static str, help: &'static str| {
        let parser = value_parser!(u32);
        Arg::new(name)
            .required(true)
            .value_parser(parser)
            .help(help)
    };
    let named = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("NAME").help(help)
    };
    let ended = "Answer when it has ended, with status 1 if it failed";
    common(title, "Tells a running server what to do")
        .subcommand_required(true)
        .arg(switch(JSON, "Show the answer as JSON").global(true))
        .arg(timeout("Wait no longer than this [default: 5m]"))
        .subcommands([
            Clap::new("status")
                .about("What it does: pools, workers, and the requests that have been there for longest"),
            Clap::new("reload")
                .about("Load configuration and applications anew, as HUP does")
                .arg(named(
                    APP,
                    "Load this one of several applications anew, and nothing else",
                ))
                .arg(wait(ended)),
            Clap::new("upgrade")
                .about("Become the program that stands at its path now, as USR2 does")
                .arg(wait(ended)),
            Clap::new("wait").about("Wait until no reload and no upgrade runs"),
            Clap::new("scale")
                .about("Have so many workers, until the configuration says another number")
                .arg(number("N", "How many, 1 to 512"))
                .arg(named(
                    APP,
                    "Those that load this application, if some have workers of their own",
                ))
                .arg(named(POOL, "The same by the pool's name, as status shows it").conflicts_with(APP)),
            Clap::new("kill")
                .about("Replace a worker, once another one is ready")
                .arg(number("ID", "Its number, as status shows it"))
                .arg(switch(NOW, "End it at once, with whatever it works on")),
            Clap::new("reopen").about("Open the log files anew, as USR1 does"),
            Clap::new("drain").about(
                "Have the workers finish and start no others, as WINCH does; reload and scale end it",
            ),
            Clap::new("stop")
                .about("Finish what has begun and stop, as TERM does")
                .arg(switch(QUICK, "Drop what has begun, as QUIT does"))
                .arg(wait("Return when the server has ended")),
            Clap::new("config").about("The values of its settings; not the application's own"),
        ])
}

fn common(title: &str, about: &'static str) -> Clap {
    let path = |name: &'static str, place: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name(place)
            .global(true)
            .value_parser(ValueParser::os_string())
            .help(help)
    };
    Clap::new(title.to_owned())
        .bin_name(title)
        .no_binary_name(true)
        .about(about)
        .arg(path(
            CONTROL,
            "PATH",
            "The server's control socket [variable: GATEWAYD_CONTROL]",
        ))
        .arg(
            path(
                CONFIG,
                "FILE",
                "Read the path from the server's configuration",
            )
            .short('c'),
        )
}

fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .action(ArgAction::SetTrue)
        .help(help)
}

fn matches(command: Clap, args: &[OsString]) -> Result<ArgMatches, ExitCode> {
    command.try_get_matches_from(args).map_err(|told| {
        // Whoever closed the pipe has read enough.
        let _ = told.print();
        ExitCode::from(if told.use_stderr() { USAGE } else { 0 })
    })
}

/// The path of the socket, from where the server has it.
fn socket(title: &str, found: &ArgMatches) -> Result<PathBuf, ExitCode> {
    configuration(title, found)?.control.ok_or_else(|| {
        refuse(&format!(
            "{title}: expected the server's control socket: --{CONTROL} PATH, GATEWAYD_CONTROL, or \
             --{CONFIG} FILE where `{CONTROL}` is set; found none of them\n"
        ))
    })
}

/// What the server's configuration says, as far as it is read here.
fn configuration(title: &str, found: &ArgMatches) -> Result<Config, ExitCode> {
    let given = |name: &str| {
        let at = SETTINGS.iter().position(|one| one.name == name);
        let value = found.try_get_one::<OsString>(name).ok().flatten().cloned();
        at.zip(value.map(|value| vec![value]))
    };
    let line = CommandLine {
        flags: [CONTROL, ADMIN].into_iter().filter_map(given).collect(),
        file: found.get_one::<OsString>(CONFIG).map(PathBuf::from),
        // Which one is of no interest here.
        app: Some(PathBuf::from("app.so")),
        ..CommandLine::default()
    };
    config::resolve(line, std::env::vars_os(), AppPlace::File, Vec::new())
        .map(|resolved| resolved.config)
        .map_err(|problems| {
            let lines = problems.iter();
            refuse(
                &lines
                    .map(|problem| format!("{title}: {problem}\n"))
                    .collect::<String>(),
            )
        })
}

fn refuse(text: &str) -> ExitCode {
    let _ = std::io::stderr().write_all(text.as_bytes());
    ExitCode::from(USAGE)
}

const CONTROL: &str = "control";
const ADMIN: &str = "admin";
const LIVE: &str = "live";
const CONFIG: &str = "config";
const APP: &str = "app";
const POOL: &str = "pool";
const JSON: &str = "json";
const TIMEOUT: &str = "timeout";
const WAIT: &str = "wait";
const NOW: &str = "now";
const QUICK: &str = "quick";
const ONCE: &str = "once";
/// How long an answer may take, if nobody says.
const PATIENCE: Duration = Duration::from_secs(300);
/// The exit code for a wrong command line or configuration.
const USAGE: u8 = 2;
