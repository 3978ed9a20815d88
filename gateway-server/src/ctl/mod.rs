//! `gatewayd ctl` and `gatewayd top`: an operator's side of the control socket.

mod health;
mod line;
mod mouth;
mod table;
mod top;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use crate::control::{Command, Reply, Work};
use line::Line;
use mouth::{Mouth, Said};

/// Runs `gatewayd ctl`; `args` are those behind that word.
///
/// Returns 0 if the server has done what it was asked, 1 if it has not or cannot be reached, 2 for a
/// wrong command line or configuration.
pub(crate) fn run(title: &str, args: &[OsString]) -> ExitCode {
    let line = match line::read(&format!("{title} ctl"), args) {
        Ok(line) => line,
        Err(code) => return code,
    };
    match ask(&line) {
        Ok(reply) if line.json => {
            say(&String::from_utf8_lossy(&reply.line()));
            ExitCode::from(u8::from(!reply.ok))
        }
        Ok(reply) if reply.ok => {
            say(&table::told(&line.command, &reply));
            ExitCode::SUCCESS
        }
        Ok(reply) => {
            let why = reply.error.unwrap_or_else(|| "it was refused".to_owned());
            complain(&format!("{title} ctl: {why}"))
        }
        Err(why) => complain(&format!("{title} ctl: {why}")),
    }
}

/// Runs `gatewayd top`; `args` are those behind that word. It returns what `ctl` does.
pub(crate) fn run_top(title: &str, args: &[OsString]) -> ExitCode {
    let (socket, once) = match line::read_top(&format!("{title} top"), args) {
        Ok(read) => read,
        Err(code) => return code,
    };
    match top::run(&socket, once) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => complain(&format!("{title} top: {why}")),
    }
}

/// Runs `gatewayd healthcheck`; `args` are those behind that word.
///
/// Returns 0 if the server is ready, 1 if it is not or cannot be reached, 2 for a wrong command line.
pub(crate) fn run_health(title: &str, args: &[OsString]) -> ExitCode {
    let title = format!("{title} healthcheck");
    let (witness, timeout) = match line::read_health(&title, args) {
        Ok(read) => read,
        Err(code) => return code,
    };
    match health::ask(&witness, timeout) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => complain(&format!("{title}: {why}")),
    }
}

/// The server's answer, after everything that was waited for.
fn ask(line: &Line) -> Result<Reply, String> {
    let mut mouth = Mouth::open(&line.socket, line.timeout)?;
    let until_the_end = matches!(line.command, Command::Stop { wait: true, .. });
    // Known while it lives: later its number may be another's.
    let master = until_the_end.then(|| mouth.master()).flatten();
    let waits_through_an_upgrade = matches!(
        line.command,
        Command::Reload { wait: true, .. } | Command::Upgrade { wait: true } | Command::Wait
    );
    match mouth.ask(&line.command)? {
        Said::Reply(reply) => Ok(*reply),
        Said::Nothing if until_the_end => {
            if let Some(master) = master {
                mouth.await_end(&master)?;
            }
            Ok(Reply::done())
        }
        // The new program has taken over, and listens on a socket of its own.
        Said::Nothing if waits_through_an_upgrade => {
            mouth.open_again()?;
            match mouth.ask(&Command::Wait)? {
                Said::Reply(mut reply) => {
                    // It was not there when the work began.
                    if let Some(operation) = &mut reply.operation {
                        operation.work = Work::Upgrade;
                    }
                    Ok(*reply)
                }
                Said::Nothing => Err("the server has ended".to_owned()),
            }
        }
        Said::Nothing => Err("the server has ended without an answer".to_owned()),
    }
}

/// Whoever closed the pipe has read enough.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn complain(text: &str) -> ExitCode {
    let _ = std::io::stderr().write_all(format!("{text}\n").as_bytes());
    ExitCode::FAILURE
}
