//! Word to the service manager that has started us (`sd_notify(3)`): when we serve, reload and stop, how
//! it went, and that we are alive. It is never waited for: what it does not take is lost.

use std::env;
use std::ffi::OsString;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use super::event::Note;

/// The manager's socket, if there is a manager.
#[derive(Debug, Default)]
pub(super) struct Supervisor {
    socket: Option<UnixDatagram>,
    watchdog: Option<Watchdog>,
}

/// How often the manager wants to hear that we are alive.
#[derive(Debug)]
struct Watchdog {
    every: Duration,
    next: Duration,
}

impl Supervisor {
    /// The manager that the environment names.
    pub(super) fn from_environment() -> Self {
        let Some(name) = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
            return Self::default();
        };
        let socket = connect(&name).map_err(|error| {
            tracing::warn!(
                "cannot reach the service manager at {}: {error}",
                name.display()
            );
        });
        let number = |name| env::var(name).ok().and_then(|digits| digits.parse().ok());
        let others = env::var("WATCHDOG_PID").is_ok_and(|pid| pid != process::id().to_string());
        let limit: Option<u64> = number("WATCHDOG_USEC").filter(|micros| *micros > 0 && !others);
        Self {
            socket: socket.ok(),
            watchdog: limit.map(|micros| Watchdog {
                // Half of what is allowed, as the manual asks for.
                every: Duration::from_micros(micros / 2).max(SHORTEST),
                next: Duration::ZERO,
            }),
        }
    }

    /// Passes on what concerns the manager.
    pub(super) fn tell(&self, note: &Note) {
        match note {
            Note::Up { workers, .. } => {
                let plural = if *workers == 1 { "" } else { "s" };
                self.send(&format!(
                    "READY=1\n{}STATUS={workers} worker{plural}",
                    main_pid()
                ));
            }
            Note::Upgraded { .. } => {
                self.send(&format!("{}STATUS={}", main_pid(), line(note)));
            }
            Note::Target { .. } | Note::BootFailed { .. } | Note::Stuck { .. } => {
                self.send(&format!("STATUS={}", line(note)));
            }
            Note::Reloading { generation, .. } => self.send(&format!(
                "RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=loading generation {}",
                monotonic_micros(),
                generation.0
            )),
            Note::Upgrading { generation } => self.send(&format!(
                "RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=checking a new program, generation {}",
                monotonic_micros(),
                generation.0
            )),
            Note::UpgradeFailed { .. } => {
                self.send(&format!("READY=1\nSTATUS=upgrade failed: {}", line(note)));
            }
            // Also the end of a reload that failed: what was ready still is.
            Note::Reloaded { .. } => self.send(&format!("READY=1\nSTATUS={}", line(note))),
            Note::ReloadFailed { .. } => {
                self.send(&format!("READY=1\nSTATUS=reload failed: {}", line(note)));
            }
            Note::Leaving { .. } | Note::Stopping(_) | Note::CannotStart { .. } => {
                self.send(&format!("STOPPING=1\nSTATUS={}", line(note)));
            }
            _ => {}
        }
    }

    /// Says that we are alive, if it is time to.
    pub(super) fn keep_alive(&mut self, now: Duration) {
        if let Some(watchdog) = self.watchdog.as_mut().filter(|one| now >= one.next) {
            watchdog.next = now + watchdog.every;
            self.send("WATCHDOG=1");
        }
    }

    /// When the manager wants to hear from us next.
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.watchdog.as_ref().map(|one| one.next)
    }

    fn send(&self, message: &str) {
        if let Some(socket) = &self.socket
            && let Err(error) = socket.send(message.as_bytes())
        {
            tracing::debug!("the service manager does not take {message:?}: {error}");
        }
    }
}

fn connect(name: &OsString) -> io::Result<UnixDatagram> {
    let address = match name.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.connect_addr(&address)?;
    Ok(socket)
}

/// Who we are, for a manager that has started us by way of a shell or another program. Process 1 of a
/// container has another number outside, which it does not know.
fn main_pid() -> String {
    match process::id() {
        1 => String::new(),
        pid => format!("MAINPID={pid}\n"),
    }
}

/// A note in one line of bounded length.
fn line(note: &Note) -> String {
    let text = note.to_string().replace('\n', " ");
    text[..text.floor_char_boundary(LONGEST)].to_owned()
}

/// The clock by which the manager tells a reload that has begun from one that is over.
fn monotonic_micros() -> u128 {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(0, |now| Duration::from(now).as_micros())
}

/// Longest status text, in bytes.
const LONGEST: usize = 1000;
/// No manager needs to hear from us more often.
const SHORTEST: Duration = Duration::from_millis(10);
