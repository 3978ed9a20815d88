//! Standard error for a process that must not wait for whoever reads it: a line goes out whole and at
//! once, or is counted as lost.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::poll::PollTimeout;
use tracing_subscriber::fmt::MakeWriter;

use super::line::PIPE_BUF;
use super::sink::has_room;

/// Where every line goes; one for the process.
#[derive(Debug)]
pub(super) struct PatientStderr {
    /// Lines that found no room.
    lost: AtomicU64,
    /// Longest piece that is written at once. A longer one to a pipe would be torn by what another
    /// process writes, and could wait.
    longest: usize,
}

impl PatientStderr {
    pub(super) fn new() -> Self {
        let pipe = io::stderr()
            .as_fd()
            .try_clone_to_owned()
            .and_then(|fd| File::from(fd).metadata())
            .is_ok_and(|found| found.file_type().is_fifo());
        let longest = if pipe { PIPE_BUF } else { usize::MAX };
        Self {
            lost: AtomicU64::new(0),
            longest,
        }
    }

    /// Writes a line if that takes no waiting. A disk that is full or a reader that has gone loses
    /// lines like a pipe that is full; there is nobody left to tell.
    fn put(&self, line: &[u8]) {
        let lost = self.lost.load(Ordering::Relaxed);
        let reported = lost == 0 || self.try_put(format!("({lost} lines lost)\n").as_bytes());
        if !reported {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.lost.fetch_sub(lost, Ordering::Relaxed);
        let mark_at = self.longest.saturating_sub(CUT_MARK.len());
        let written = if line.len() <= self.longest {
            self.try_put(line)
        } else {
            self.try_put(&[&line[..mark_at], CUT_MARK].concat())
        };
        self.lost.fetch_add(u64::from(!written), Ordering::Relaxed);
    }

    fn try_put(&self, piece: &[u8]) -> bool {
        has_room(io::stderr().as_fd(), PollTimeout::ZERO)
            && io::stderr().lock().write_all(piece).is_ok()
    }
}

impl<'a> MakeWriter<'a> for PatientStderr {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self)
    }
}

/// Takes one line.
#[derive(Debug)]
pub(super) struct Line<'a>(&'a PatientStderr);

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.put(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const CUT_MARK: &[u8] = b" ... (cut)\n";
