//! `gatewayd top`: the status, drawn anew every second.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{self, LocalFlags, SetArg, Termios};

use super::mouth::{Mouth, Said};
use super::table;
use crate::control::{Command, Status};

/// Draws until q or Ctrl-C, or once.
pub(super) fn run(socket: &Path, once: bool) -> Result<(), String> {
    let first = look(socket)?;
    if once || !io::stdout().is_terminal() {
        return print(&table::status(&first));
    }
    let screen = Screen::open();
    let mut before = (Instant::now(), first);
    draw(&table::status(&before.1), None)?;
    while !is_over(SECOND) {
        match look(socket) {
            Ok(status) => {
                let now = Instant::now();
                let rate = rate(&before.1, &status, now.duration_since(before.0));
                draw(&table::status(&status), Some(rate))?;
                before = (now, status);
            }
            // It may be another program in a moment.
            Err(why) => draw(&format!("{why}\n"), None)?,
        }
    }
    drop(screen);
    Ok(())
}

fn look(socket: &Path) -> Result<Status, String> {
    match Mouth::open(socket, PATIENCE)?.ask(&Command::Status)? {
        Said::Reply(reply) => match (reply.status, reply.error) {
            (Some(status), _) => Ok(status),
            (None, Some(why)) => Err(why),
            (None, None) => Err("the server does not say what it does".to_owned()),
        },
        Said::Nothing => Err("the server has closed the connection".to_owned()),
    }
}

/// Requests a second.
fn rate(before: &Status, after: &Status, passed: Duration) -> f64 {
    let answered = after.requests.saturating_sub(before.requests);
    #[expect(clippy::cast_precision_loss, reason = "for people, of one second")]
    let answered = answered as f64;
    answered / passed.as_secs_f64().max(0.001)
}

fn draw(text: &str, rate: Option<f64>) -> Result<(), String> {
    let mut page = String::from(HOME);
    for line in text.lines() {
        let _ = write!(page, "{line}{REST_OF_LINE}\r\n");
    }
    if let Some(rate) = rate {
        let _ = write!(
            page,
            "{REST_OF_LINE}\r\n{rate:.0} requests a second{REST_OF_LINE}\r\n"
        );
    }
    let _ = write!(
        page,
        "{REST_OF_LINE}\r\nq ends{REST_OF_LINE}{REST_OF_SCREEN}"
    );
    print(&page)
}

fn print(text: &str) -> Result<(), String> {
    let mut out = io::stdout();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match written {
        // Whoever closed the pipe has read enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(()),
    }
}

/// Waits so long, or for a key that ends it.
fn is_over(time: Duration) -> bool {
    let stdin = io::stdin();
    let mut fds = [PollFd::new(
        std::os::fd::AsFd::as_fd(&stdin),
        PollFlags::POLLIN,
    )];
    let timeout = PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX);
    let mut key = [0; 16];
    match poll(&mut fds, timeout) {
        Ok(0) => false,
        Ok(_) => match nix::unistd::read(&stdin, &mut key) {
            Ok(count) => count == 0 || key[..count].iter().any(|byte| ENDING.contains(byte)),
            Err(_) => true,
        },
        Err(nix::errno::Errno::EINTR) => false,
        Err(_) => true,
    }
}

/// The terminal, with a page of its own and keys that come at once; as it was on drop.
struct Screen {
    before: Option<Termios>,
}

impl Screen {
    fn open() -> Self {
        let stdin = io::stdin();
        let before = termios::tcgetattr(&stdin).ok();
        if let Some(before) = &before {
            let mut raw = before.clone();
            raw.local_flags
                .remove(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG);
            // A terminal that cannot do it is left as it is.
            let _ = termios::tcsetattr(&stdin, SetArg::TCSANOW, &raw);
        }
        let _ = print(OWN_PAGE);
        Self { before }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = print(FORMER_PAGE);
        if let Some(before) = &self.before {
            let _ = termios::tcsetattr(io::stdin(), SetArg::TCSANOW, before);
        }
    }
}

const SECOND: Duration = Duration::from_secs(1);
/// For an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// q, Q, Ctrl-C, Ctrl-D, Escape.
const ENDING: [u8; 5] = [b'q', b'Q', 3, 4, 27];
/// Sequences that terminals understand (ECMA-48).
const OWN_PAGE: &str = "\x1b[?1049h\x1b[?25l";
const FORMER_PAGE: &str = "\x1b[?25h\x1b[?1049l";
const HOME: &str = "\x1b[H";
const REST_OF_LINE: &str = "\x1b[K";
const REST_OF_SCREEN: &str = "\x1b[J";
