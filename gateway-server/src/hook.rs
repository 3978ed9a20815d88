//! A hook: an operator's command that is run when something happens, with what has happened in its
//! environment.
//!
//! The master waits for nobody, so the program is started once more for each run: to start the command,
//! to log what it says, to end it when its time is over, and to tell the master how it went.

use std::ffi::{CString, OsString};
use std::io::{self, BufRead, BufReader, PipeReader, Read};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::sys::socket::{MsgFlags, recv, send};
use nix::unistd::Pid;

use crate::logging::{self, printable};
use crate::os::fd::Inherited;
use crate::os::{process, signals};
use crate::value::{LogFormat, LogLevel};

/// The first argument of such a process; the second is a descriptor, and then come the log's level and
/// format, the time in milliseconds, the hook's name and the command.
pub(crate) const ROLE: &str = "--gatewayd-hook";

/// What is to be run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hook<'a> {
    /// `ready`, as in `--hook-ready`.
    pub(crate) name: &'a str,
    /// For `sh -c`.
    pub(crate) command: &'a str,
    /// How long it may take.
    pub(crate) timeout: Duration,
}

/// What every hook finds in its environment: what has happened, in which generation, to which master, and
/// where it listens.
pub(crate) fn facts(
    name: &str,
    generation: u32,
    master: Pid,
    addresses: &[String],
) -> Vec<(&'static str, String)> {
    vec![
        ("GATEWAYD_EVENT", name.to_owned()),
        ("GATEWAYD_EVENT_GENERATION", generation.to_string()),
        ("GATEWAYD_EVENT_MASTER", master.to_string()),
        ("GATEWAYD_EVENT_ADDRESSES", addresses.join(" ")),
    ]
}

/// The arguments for a process whose end of the socket has this number.
///
/// # Errors
///
/// A command that holds a NUL.
pub(crate) fn arguments(
    hook: &Hook<'_>,
    (level, format): (LogLevel, LogFormat),
    socket: RawFd,
) -> io::Result<Vec<CString>> {
    let millis = hook.timeout.as_millis().to_string();
    let words = [
        ROLE,
        &socket.to_string(),
        level.name(),
        &format.to_string(),
        &millis,
        hook.name,
        hook.command,
    ];
    let words: Result<_, _> = words.into_iter().map(CString::new).collect();
    Ok(words?)
}

/// Runs the hook that `words` name, those behind the role.
pub(crate) fn main(words: &[OsString]) -> ExitCode {
    let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    let [number, level, format, millis, name, command] = words[..] else {
        return ExitCode::FAILURE;
    };
    let Ok(socket) = claim(number) else {
        return ExitCode::FAILURE;
    };
    let level = LogLevel::parse(level).unwrap_or_default();
    let format = LogFormat::parse(format).unwrap_or_default();
    logging::init((level, format));
    let timeout = Duration::from_millis(millis.parse().unwrap_or_default());
    let hook = Hook {
        name,
        command,
        timeout,
    };
    let outcome = run(&hook, std::iter::empty());
    let reason = outcome.as_ref().err().map_or("", String::as_str);
    let reason = &reason[..reason.floor_char_boundary(MAX_REASON)];
    // A master that is gone asks no more. The first byte tells it from the end of the socket.
    let word = [&[b'0' + u8::from(outcome.is_err())], reason.as_bytes()].concat();
    let _ = send(socket.as_raw_fd(), &word, MsgFlags::MSG_NOSIGNAL);
    ExitCode::from(u8::from(outcome.is_err()))
}

/// What such a process has said before it ended.
pub(crate) fn outcome(socket: &OwnedFd) -> Result<(), String> {
    let mut packet = [0; MAX_REASON + 1];
    let length = recv(socket.as_raw_fd(), &mut packet, MsgFlags::MSG_DONTWAIT).unwrap_or(0);
    match packet[..length].split_first() {
        Some((b'0', _)) => Ok(()),
        Some((_, reason)) => Err(printable(reason)),
        None => Err("the process that runs it was ended".to_owned()),
    }
}

fn claim(number: &str) -> io::Result<OwnedFd> {
    let number = number.parse().map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut inherited = Inherited::claim(vec![number])?;
    let socket = inherited.take(number).ok_or(io::ErrorKind::InvalidInput)?;
    signals::disregard()?;
    process::end_with_parent(&socket);
    process::set_name("gatewayd/hook");
    Ok(socket)
}

/// Runs a hook to its end, with `facts` in its environment, and logs what it says.
///
/// # Errors
///
/// Why it has failed: what it exited with, and its last line.
pub(crate) fn run<'f>(
    hook: &Hook<'_>,
    facts: impl Iterator<Item = (&'f str, String)>,
) -> Result<(), String> {
    let (reader, writer) = io::pipe().map_err(|error| error.to_string())?;
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(hook.command).envs(facts);
    let writer_too = writer.try_clone().map_err(|error| error.to_string())?;
    command
        .stdin(Stdio::null())
        .stdout(writer_too)
        .stderr(writer);
    process::ends_with_us(&mut command);
    let mut child = command
        .spawn()
        .map_err(|error| format!("cannot start /bin/sh: {error}"))?;
    drop(command);
    let leader = Pid::from_raw(i32::try_from(child.id()).unwrap_or_default());
    let said = listen(hook.name.to_owned(), reader);
    let (tell, ended) = mpsc::channel();
    thread::spawn(move || tell.send(child.wait()));
    let status = ended.recv_timeout(hook.timeout);
    if status.is_err() {
        process::send_group(leader, Signal::SIGKILL);
    }
    // What it has left behind may hold the pipe for ever.
    let last = said.recv_timeout(LAST_WORDS).unwrap_or_default();
    let how = match status {
        Ok(Ok(status)) if status.success() => return Ok(()),
        Ok(Ok(status)) => words(status),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!(
            "took longer than {} s and was killed",
            hook.timeout.as_secs_f32()
        ),
    };
    Err(match last.is_empty() {
        true => how,
        false => format!("{how}: {last}"),
    })
}

/// Logs each line; the last one is sent once there are no more.
fn listen(name: String, reader: PipeReader) -> Receiver<String> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(reader);
        let (mut last, mut logged) = (String::new(), 0);
        loop {
            let mut line = Vec::new();
            match (&mut reader).take(MAX_LINE).read_until(b'\n', &mut line) {
                Ok(1..) => {}
                _ => break,
            }
            let line = printable(line.trim_ascii_end());
            if logged < MAX_OUTPUT {
                tracing::info!("hook {name}: {line}");
            } else if logged < MAX_OUTPUT + line.len() {
                tracing::warn!("hook {name} says more than is logged");
            }
            logged += line.len() + 1;
            last = line;
        }
        let _ = tell.send(last);
    });
    told
}

fn words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

/// Longest line that is logged in one piece, in bytes.
const MAX_LINE: u64 = 1024;
/// How much of what one run says is logged, in bytes.
const MAX_OUTPUT: usize = 64 * 1024;
/// Longest reason that the master is told, in bytes.
const MAX_REASON: usize = 2048;
/// How long what a command has said last may be on its way.
const LAST_WORDS: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    fn told(command: &str) -> Result<(), String> {
        let hook = Hook {
            name: "test",
            command,
            timeout: Duration::from_millis(300),
        };
        run(&hook, [("FACT", "a b".to_owned())].into_iter())
    }

    #[test]
    fn a_command_succeeds_fails_with_its_last_line_or_takes_too_long() {
        assert_eq!(told("test \"$FACT\" = 'a b'"), Ok(()));
        let why = told("echo one; echo two >&2; exit 7").unwrap_err();
        assert_eq!(why, "exited with code 7: two");
        let why = told("echo begun; sleep 600").unwrap_err();
        assert_eq!(why, "took longer than 0.3 s and was killed: begun");
    }
}
