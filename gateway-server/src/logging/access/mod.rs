//! The access log: a line for each answer, in a format of the operator's choice.

mod composer;
mod ending;
mod opening;
mod visit;

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use self::composer::Composer;
use self::ending::Ending;
use super::format::Format;
use super::line::Line;
use super::lines::Lines;
use super::request::Request;
use super::selection::Selection;
use super::sink::Sink;
use crate::value::LogTarget;

pub(crate) use self::ending::Ended;
pub(crate) use self::visit::Visit;

/// An open access log. Lines gather in memory and are written whole, at the latest at the next tick
/// of the worker, so that lines of several workers never interleave.
#[derive(Debug)]
pub(crate) struct AccessLog {
    composer: Composer,
    selection: Selection,
    /// Whether lines show the ids of requests.
    pub(crate) names_ids: bool,
    /// Whether it matters how long requests took.
    pub(crate) names_times: bool,
    /// What is to be kept of responses.
    response_fields: Rc<[Box<[u8]>]>,
    lines: RefCell<Lines>,
    /// None until it has been opened; lines wait for that.
    sink: RefCell<Option<Sink>>,
    /// Memory for a line that is begun before its request has ended.
    spare: RefCell<Option<Visit>>,
}

/// How an access log is written.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    pub(crate) format: Format,
    pub(crate) selection: Selection,
}

impl AccessLog {
    /// A log on standard output or to a system's log, or on a file that is still to be given: workers
    /// open none by name, which they may have no right to.
    ///
    /// # Errors
    ///
    /// The kernel's: too many open files; nobody takes the lines.
    pub(crate) fn of(target: &LogTarget, manner: Manner) -> io::Result<Rc<Self>> {
        let sink = match target {
            LogTarget::Stdout => Some(Sink::stdout()?),
            LogTarget::Syslog(place) => Some(Sink::syslog(place)?),
            LogTarget::File(_) => None,
        };
        let Manner { format, selection } = manner;
        Ok(Rc::new(Self {
            names_ids: format.names_ids(),
            names_times: format.names_times() || selection.asks_for_time(),
            response_fields: format.response_fields().map(Box::from).collect(),
            composer: Composer::new(format),
            selection,
            lines: RefCell::default(),
            sink: RefCell::new(sink),
            spare: RefCell::default(),
        }))
    }

    /// Says who writes the lines: the number of the worker, and what its application calls itself.
    pub(crate) fn introduce(&self, worker: u32, app: &str) {
        self.composer.introduce(worker, app);
    }

    /// Writes to `file` from now on; what has gathered goes to the one before, if that takes it now.
    pub(crate) fn write_to(&self, file: File) {
        self.flush();
        self.sink.replace(Some(Sink::of(file)));
    }

    /// The fields of responses that lines show, by their names in small letters, if any.
    pub(crate) fn response_fields(&self) -> Option<Rc<[Box<[u8]>]>> {
        let names = &self.response_fields;
        (!names.is_empty()).then(|| Rc::clone(names))
    }

    /// Writes a line whose end is known with its beginning.
    pub(crate) fn write(&self, request: &impl Request, ended: &Ended<'_>) {
        if self.selection.takes(ended.status, ended.took_ns) {
            let mut ending = Ending::new(ended, self.composer.quoting);
            self.add(|line| {
                let end = |line: &mut Line<'_>, late: &_| ending.push(line, late);
                self.composer.compose(line, request, end);
            });
        }
    }

    /// Begins a line.
    pub(crate) fn visit(&self, request: &impl Request) -> Visit {
        let mut visit = self.spare.borrow_mut().take().unwrap_or_default();
        visit.begin(&self.composer, &mut self.lines.borrow_mut(), request);
        visit
    }

    /// Ends a line.
    pub(crate) fn record(&self, visit: Visit, ended: &Ended<'_>) {
        if self.selection.takes(ended.status, ended.took_ns) {
            let mut ending = Ending::new(ended, self.composer.quoting);
            self.add(|line| visit.push(line, &self.composer, &mut ending));
        }
        *self.spare.borrow_mut() = Some(visit);
    }

    #[inline(always)]
    fn add(&self, write: impl FnOnce(&mut Line<'_>)) {
        let added = self.lines.borrow_mut().add(write);
        if added.is_full() {
            self.flush();
        }
    }

    /// Writes what has gathered, as far as it is taken. A log that cannot be written loses lines, never
    /// requests, and that is told once until it can be written again.
    pub(crate) fn flush(&self) {
        self.composer.refresh();
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
        while !lines.is_empty() && Instant::now() < end {
            sink.wait(LAST_CHANCE_STEP);
            lines.write(sink);
        }
        lines.give_up();
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.flush();
    }
}

/// For a reader at the end of the process.
const LAST_CHANCE: Duration = Duration::from_secs(1);
/// In milliseconds.
const LAST_CHANCE_STEP: u16 = 100;

#[cfg(test)]
mod tests;
