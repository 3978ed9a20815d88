//! [`Lines`]: lines on their way to a sink, which is not waited for: what finds no room gathers, up to
//! [`WAITING_BYTES`], and then lines are lost and counted.

use std::fmt::Display;
use std::io;

use super::line::{Line, PAGE, PIPE_BUF, Page};
use super::sink::Sink;

/// What has gathered.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// What waits, then whatever was there before.
    memory: Vec<u8>,
    length: usize,
    /// Bytes at which writing is tried before the tick.
    write_at: usize,
    /// Lines that were lost since the log could be written.
    lost: u64,
}

/// Whether it is time to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    Waits,
    Full,
}

impl Added {
    pub(super) fn is_full(self) -> bool {
        self == Self::Full
    }
}

impl Lines {
    /// Adds a line that `write` writes; longer than a pipe takes at once it is cut.
    #[inline(always)]
    pub(super) fn add(&mut self, write: impl FnOnce(&mut Line<'_>)) -> Added {
        if self.length >= WAITING_BYTES {
            self.lose(1, &"nobody takes them");
            return Added::Waits;
        }
        let mut line = Line::on(self.page());
        write(&mut line);
        self.length += line.end();
        match self.length >= self.write_at.max(BUFFER_BYTES) {
            true => Added::Full,
            false => Added::Waits,
        }
    }

    /// What a line begins with that `write` writes, and that is not added yet.
    pub(super) fn draft(&mut self, write: impl FnOnce(&mut Line<'_>)) -> &[u8] {
        let mut line = Line::on(self.page());
        write(&mut line);
        let length = line.len();
        &self.memory[self.length..][..length]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Where the next line is written.
    #[inline(always)]
    fn page(&mut self) -> &mut Page {
        let end = self.length + PAGE;
        if self.memory.len() < end {
            self.grow(end);
        }
        let memory = &mut self.memory[..end];
        memory.last_chunk_mut().expect("there is room for a page")
    }

    #[cold]
    fn grow(&mut self, needed: usize) {
        self.memory.resize(needed.max(2 * self.memory.len()), 0);
    }

    /// Writes as much as is taken now.
    pub(super) fn write(&mut self, sink: &Sink) {
        let mut done = 0;
        while done < self.length {
            let rest = &self.memory[done..self.length];
            // Whole lines, at most a pipe's atomic write at once.
            let limit = rest.len().min(PIPE_BUF);
            let end = match sink.takes_one_by_one() {
                true => memchr::memchr(b'\n', rest).map_or(limit, |at| at + 1),
                false => memchr::memrchr(b'\n', &rest[..limit]).map_or(limit, |at| at + 1),
            };
            match sink.write(&rest[..end]) {
                Ok(written) => done += written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => {
                    let lost = rest.iter().filter(|byte| **byte == b'\n').count();
                    self.lose(lost as u64, &error);
                    self.length = 0;
                    self.write_at = 0;
                    return;
                }
            }
        }
        self.memory.copy_within(done..self.length, 0);
        self.length -= done;
        // Whoever had no room now has none for a single line more.
        self.write_at = match self.length {
            0 => 0,
            left => left + PIPE_BUF,
        };
        if done > 0 && self.lost > 0 {
            let lost = std::mem::take(&mut self.lost);
            tracing::info!("the access log can be written again; {lost} lines are lost");
        }
    }

    /// Nobody will take what is left.
    pub(super) fn give_up(&mut self) {
        let left = self.memory[..self.length]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        let count = self.lost + left as u64;
        if count > 0 {
            tracing::error!("the access log has lost {count} lines at the end");
        }
        *self = Self::default();
    }

    fn lose(&mut self, count: u64, why: &dyn Display) {
        if self.lost == 0 {
            tracing::error!("the access log loses lines: {why}");
        }
        self.lost += count;
    }
}

/// So much waits for a file to be opened, or for a reader; more is lost.
const WAITING_BYTES: usize = 1024 * 1024;
/// So much is gathered before it is written ahead of the tick.
const BUFFER_BYTES: usize = 32 * 1024;
