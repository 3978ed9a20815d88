//! The access log: a line for each answer, in the combined format.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Write as _};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use super::sink::{PIPE_BUF, Sink};
use crate::value::LogTarget;

/// An open access log. Lines gather in memory and are written whole, at the latest at the next tick
/// of the worker, so that lines of several workers never interleave. Whoever reads them is not waited
/// for: what finds no room gathers, up to [`WAITING_BYTES`], and then lines are lost and counted.
#[derive(Debug)]
pub(crate) struct AccessLog {
    lines: RefCell<Lines>,
    /// None until it has been opened; lines wait for that.
    sink: RefCell<Option<Sink>>,
}

/// What has gathered.
#[derive(Debug, Default)]
struct Lines {
    bytes: Vec<u8>,
    /// Bytes at which writing is tried before the tick.
    write_at: usize,
    /// Lines that were lost since the log could be written.
    lost: u64,
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
    /// The application that it was for, where there are several.
    pub(crate) app: Option<&'a str>,
}

impl AccessLog {
    /// A log on standard output, or on a file that is still to be given: workers open none by name,
    /// which they may have no right to.
    ///
    /// # Errors
    ///
    /// The kernel's: too many open files.
    pub(crate) fn of(target: &LogTarget) -> io::Result<Rc<Self>> {
        let sink = match target {
            LogTarget::Stdout => Some(Sink::stdout()?),
            LogTarget::File(_) => None,
        };
        Ok(Rc::new(Self {
            lines: RefCell::default(),
            sink: RefCell::new(sink),
        }))
    }

    /// Writes to `file` from now on; what has gathered goes to the one before, if that takes it now.
    pub(crate) fn write_to(&self, file: File) {
        self.flush();
        self.sink.replace(Some(Sink::of(file)));
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
        if let Some(app) = request.app {
            let _ = write!(line, " \"{app}\"");
        }
        Visit(line)
    }

    /// Ends a line: `sent` bytes of body.
    pub(crate) fn record(&self, visit: Visit, status: u16, sent: u64) {
        let Visit(line) = visit;
        let split = line
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(line.len());
        let mut lines = self.lines.borrow_mut();
        let start = lines.bytes.len();
        if start >= WAITING_BYTES {
            return lines.lose(1, &"nobody takes them");
        }
        let bytes = &mut lines.bytes;
        bytes.extend_from_slice(&line[..split]);
        let _ = write!(bytes, "{status} {sent} ");
        bytes.extend_from_slice(line.get(split + 1..).unwrap_or_default());
        bytes.truncate(start + PIPE_BUF - 1);
        bytes.push(b'\n');
        let full = bytes.len() >= lines.write_at.max(BUFFER_BYTES);
        drop(lines);
        if full {
            self.flush();
        }
    }

    /// Writes what has gathered, as far as it is taken. A log that cannot be written loses lines, never
    /// requests, and that is told once until it can be written again.
    pub(crate) fn flush(&self) {
        if let Some(sink) = &*self.sink.borrow() {
            self.lines.borrow_mut().write(sink);
        }
    }

    /// The same at the end of the process, when there is a little time for a slow reader.
    pub(crate) fn finish(&self) {
        self.flush();
        let Some(sink) = &*self.sink.borrow() else {
            return;
        };
        let end = Instant::now() + LAST_CHANCE;
        let mut lines = self.lines.borrow_mut();
        while !lines.bytes.is_empty() && Instant::now() < end {
            sink.wait(LAST_CHANCE_STEP);
            lines.write(sink);
        }
        let left = lines.bytes.iter().filter(|byte| **byte == b'\n').count();
        if lines.lost + left as u64 > 0 {
            let count = lines.lost + left as u64;
            tracing::error!("the access log has lost {count} lines at the end");
        }
        *lines = Lines::default();
    }
}

impl Lines {
    fn write(&mut self, sink: &Sink) {
        let mut done = 0;
        while done < self.bytes.len() {
            let rest = &self.bytes[done..];
            // Whole lines, at most a pipe's atomic write at once.
            let limit = rest.len().min(PIPE_BUF);
            let end = memchr::memrchr(b'\n', &rest[..limit]).map_or(limit, |at| at + 1);
            match sink.write(&rest[..end]) {
                Ok(written) => done += written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => {
                    let lost = rest.iter().filter(|byte| **byte == b'\n').count();
                    self.lose(lost as u64, &error);
                    self.bytes.clear();
                    self.write_at = 0;
                    return;
                }
            }
        }
        self.bytes.drain(..done);
        // Whoever had no room now has none for a single line more.
        self.write_at = match self.bytes.len() {
            0 => 0,
            left => left + PIPE_BUF,
        };
        if done > 0 && self.lost > 0 {
            let lost = std::mem::take(&mut self.lost);
            tracing::info!("the access log can be written again; {lost} lines are lost");
        }
    }

    fn lose(&mut self, count: u64, why: &dyn std::fmt::Display) {
        if self.lost == 0 {
            tracing::error!("the access log loses lines: {why}");
        }
        self.lost += count;
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.flush();
    }
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

/// So much waits for a file to be opened, or for a reader; more is lost.
const WAITING_BYTES: usize = 1024 * 1024;
/// So much is gathered before it is written ahead of the tick.
const BUFFER_BYTES: usize = 32 * 1024;
/// For a reader at the end of the process.
const LAST_CHANCE: Duration = Duration::from_secs(1);
/// In milliseconds.
const LAST_CHANCE_STEP: u16 = 100;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::sink::open;
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
            app: None,
        });
        log.record(visit, 200, 13);
        // It waits for the file, and goes to the one that was there before.
        log.flush();
        log.write_to(open(file.path()).unwrap());
        log.write_to(open(Path::new("/dev/null")).unwrap());
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
