//! The access log: a line for each answer, in the combined format.

use std::cell::{Cell, RefCell};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::rc::Rc;
use std::time::SystemTime;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;

use crate::value::LogTarget;

/// An open access log. Lines gather in memory and are written whole, at the latest at the next tick
/// of the worker, so that lines of several workers never interleave.
#[derive(Debug)]
pub(crate) struct AccessLog {
    lines: RefCell<Vec<u8>>,
    /// None until it has been opened; lines wait for that.
    file: RefCell<Option<File>>,
    /// It cannot be written, and the server's log says so.
    broken: Cell<bool>,
}

/// What a line says of a request; taken when the head is read.
#[derive(Debug)]
pub(crate) struct Visit(Vec<u8>);

/// What a line is made of.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) client: &'a dyn std::fmt::Display,
    pub(crate) method: &'a [u8],
    pub(crate) target: &'a [u8],
    pub(crate) version: &'a str,
    pub(crate) referer: Option<&'a [u8]>,
    pub(crate) user_agent: Option<&'a [u8]>,
}

impl AccessLog {
    /// A log on standard output, or on a file that is still to be given: workers open none by name,
    /// which they may have no right to.
    ///
    /// # Errors
    ///
    /// The kernel's: too many open files.
    pub(crate) fn of(target: &LogTarget) -> io::Result<Rc<Self>> {
        let file = match target {
            LogTarget::Stdout => Some(File::from(io::stdout().as_fd().try_clone_to_owned()?)),
            LogTarget::File(_) => None,
        };
        Ok(Rc::new(Self {
            lines: RefCell::default(),
            file: RefCell::new(file),
            broken: Cell::new(false),
        }))
    }

    /// Writes to `file` from now on, and what has gathered to the one before.
    pub(crate) fn write_to(&self, file: File) {
        self.flush();
        self.file.replace(Some(file));
    }

    /// Begins a line.
    pub(crate) fn visit(&self, request: &Request<'_>) -> Visit {
        let mut line = Vec::with_capacity(160);
        let now = log_time(SystemTime::now());
        // Writing into memory cannot fail.
        let _ = write!(line, "{} - - [{now}] \"", request.client);
        escape(&mut line, request.method);
        line.push(b' ');
        escape(&mut line, request.target);
        let _ = write!(line, " {}\" \0\"", request.version);
        escape(&mut line, request.referer.unwrap_or(b"-"));
        line.extend_from_slice(b"\" \"");
        escape(&mut line, request.user_agent.unwrap_or(b"-"));
        line.extend_from_slice(b"\"");
        Visit(line)
    }

    /// Ends a line: `bytes` of body were sent.
    pub(crate) fn record(&self, visit: Visit, status: u16, bytes: u64) {
        let Visit(line) = visit;
        let split = line
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(line.len());
        let mut lines = self.lines.borrow_mut();
        let start = lines.len();
        lines.extend_from_slice(&line[..split]);
        let _ = write!(lines, "{status} {bytes} ");
        lines.extend_from_slice(line.get(split + 1..).unwrap_or_default());
        lines.truncate(start + LINE_BYTES - 1);
        lines.push(b'\n');
        let full = lines.len() >= BUFFER_BYTES;
        drop(lines);
        if full {
            self.flush();
        }
    }

    /// Writes what has gathered. A log that cannot be written loses lines, never requests, and that is
    /// told once until it can be written again.
    pub(crate) fn flush(&self) {
        let mut lines = self.lines.borrow_mut();
        let file = self.file.borrow();
        let Some(mut file) = file.as_ref() else {
            if lines.len() >= WAITING_BYTES {
                lines.clear();
            }
            return;
        };
        let mut rest = &lines[..];
        // Whole lines, at most a pipe's atomic write at once.
        while !rest.is_empty() {
            let limit = rest.len().min(LINE_BYTES);
            let end = memchr::memrchr(b'\n', &rest[..limit]).map_or(limit, |at| at + 1);
            let (now, later) = rest.split_at(end);
            if let Err(error) = file.write_all(now) {
                if !self.broken.replace(true) {
                    tracing::error!("the access log loses lines: {error}");
                }
                break;
            }
            if self.broken.replace(false) {
                tracing::info!("the access log can be written again");
            }
            rest = later;
        }
        lines.clear();
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.flush();
    }
}

/// Opens a file for a log, and creates it if it is not there.
///
/// # Errors
///
/// The kernel's; a pipe that nobody reads is refused rather than waited for.
pub(crate) fn open_log(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)?;
    // From here on writing waits; whole lines would be lost otherwise where a reader is slow.
    let flags = OFlag::from_bits_retain(fcntl(&file, FcntlArg::F_GETFL)?);
    fcntl(&file, FcntlArg::F_SETFL(flags & !OFlag::O_NONBLOCK))?;
    Ok(file)
}

/// Nothing that a client sends ends a line or a quoted part.
fn escape(line: &mut Vec<u8>, text: &[u8]) {
    for &byte in text {
        match byte {
            b'"' | b'\\' => line.extend_from_slice(&[b'\\', byte]),
            b' '..=b'~' => line.push(byte),
            _ => {
                let _ = write!(line, "\\x{byte:02x}");
            }
        }
    }
}

/// `22/Nov/2026:05:18:49 +0000`, from the IMF-fixdate that the HTTP library makes.
fn log_time(now: SystemTime) -> String {
    let text = httpdate::fmt_http_date(now);
    let part = |range| text.get(range).unwrap_or_default();
    format!(
        "{}/{}/{}:{} +0000",
        part(5..7),
        part(8..11),
        part(12..16),
        part(17..25)
    )
}

/// A longer line is cut: writes to a pipe of up to this size are atomic.
const LINE_BYTES: usize = 4096;
/// So much waits for a file to be opened; more is lost.
const WAITING_BYTES: usize = 4 * BUFFER_BYTES;
/// So much is gathered before it is written ahead of the tick.
const BUFFER_BYTES: usize = 32 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_in_the_combined_format_and_cannot_be_forged() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let log = AccessLog::of(&LogTarget::File(file.path().to_owned())).unwrap();
        let visit = log.visit(&Request {
            client: &"127.0.0.1",
            method: b"GET",
            target: b"/\"\n\xff",
            version: "HTTP/1.1",
            referer: None,
            user_agent: Some(b"curl\0"),
        });
        log.record(visit, 200, 13);
        // It waits for the file, and goes to the one that was there before.
        log.flush();
        log.write_to(open_log(file.path()).unwrap());
        log.write_to(open_log(Path::new("/dev/null")).unwrap());
        drop(log);
        let text = std::fs::read_to_string(file.path()).unwrap();
        let (start, rest) = text.split_once('[').unwrap();
        let (time, rest) = rest.split_once(']').unwrap();
        assert_eq!(start, "127.0.0.1 - - ");
        assert_eq!(time.len(), "22/Nov/2026:05:18:49 +0000".len(), "{time}");
        assert_eq!(
            rest,
            " \"GET /\\\"\\x0a\\xff HTTP/1.1\" 200 13 \"-\" \"curl\\x00\"\n"
        );
    }
}
