//! The requests that a worker holds, a line for each, so that its end can be explained.
//!
//! Only requests whose answer does not come at once stand here. What the worker does this very moment
//! is another matter: see [`super::present`].

use std::cell::Cell;
use std::num::NonZeroU64;
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;

use super::ids::RequestId;
use crate::os::shared_memory::SharedWords;

/// The worker's hand on the table.
#[derive(Debug)]
pub(super) struct Table {
    page: Rc<SharedWords>,
    /// A bit for each line that is taken; kept here, because the page may have been scribbled over.
    taken: Cell<u32>,
}

/// A line of the table, from when the request was begun until nothing of it is left.
#[derive(Debug)]
pub(crate) struct Held {
    table: Rc<Table>,
    /// None if the table was full.
    line: Option<u32>,
}

/// A request, as a worker told of it; nothing of it can be relied on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeldRequest {
    /// Method and path, printable, cut to [`TEXT_BYTES`].
    pub(crate) text: String,
    /// By which the application's log may name it.
    pub(crate) id: RequestId,
    /// When it came, in nanoseconds of the system's monotonic clock.
    pub(crate) since_ns: u64,
    /// Whether the worker is at it.
    pub(crate) running: bool,
}

impl Table {
    pub(super) fn new(page: &Rc<SharedWords>) -> Rc<Self> {
        Rc::new(Self {
            page: Rc::clone(page),
            taken: Cell::new(0),
        })
    }

    /// The worker turns to something else.
    pub(super) fn rest(&self) {
        self.page.word(RUNNING).store(0, Relaxed);
    }
}

impl Held {
    /// Enters a request.
    pub(super) fn enter(table: &Rc<Table>, id: RequestId, since_ns: u64, text: &[u8]) -> Self {
        let number = id.number().map_or(0, NonZeroU64::get);
        let taken = table.taken.get();
        let line = Some((!taken).trailing_zeros()).filter(|line| *line < LINES);
        if let Some(line) = line {
            table.taken.set(taken | 1 << line);
            write(&table.page, line, number, since_ns, text);
        }
        Self {
            table: Rc::clone(table),
            line,
        }
    }

    /// The worker turns to the request, until it turns to another or rests.
    pub(crate) fn attend(&self) {
        let line = self.line.map_or(0, |line| u64::from(line) + 1);
        self.table.page.word(RUNNING).store(line, Relaxed);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(line) = self.line {
            let taken = &self.table.taken;
            taken.set(taken.get() & !(1 << line));
            self.table.page.word(start_of(line)).store(0, Relaxed);
        }
    }
}

/// The id of the request that the worker is at.
pub(super) fn running(page: &SharedWords) -> Option<RequestId> {
    let line = u32::try_from(page.word(RUNNING).load(Relaxed)).ok()?;
    let line = line.checked_sub(1).filter(|line| *line < LINES)?;
    let number = page.word(start_of(line) + 1).load(Relaxed);
    (number != 0).then(|| RequestId::of(number))
}

/// All requests of the table, in no order.
pub(super) fn read(page: &SharedWords) -> Vec<HeldRequest> {
    let word = |at| page.word(at).load(Relaxed);
    let running = word(RUNNING);
    let lines = (0..LINES).filter(|line| word(start_of(*line)) != 0);
    let request = |line| {
        let start = start_of(line);
        let text = (start + TEXT_AT..start + LINE_WORDS).flat_map(|at| word(at).to_le_bytes());
        HeldRequest {
            text: printable(text.take_while(|byte| *byte != 0)),
            id: RequestId::read(page, word(start + 1)),
            since_ns: word(start),
            running: running == u64::from(line) + 1,
        }
    };
    lines.map(request).collect()
}

/// What a worker wrote, for a log: a path has none of the bytes that are replaced.
pub(super) fn printable(text: impl Iterator<Item = u8>) -> String {
    text.map(|byte| match byte {
        b' '..=b'~' => char::from(byte),
        _ => '?',
    })
    .collect()
}

/// First word of the table.
pub(super) const FIRST_WORD: usize = 512;
/// First word behind it.
pub(super) const END: usize = FIRST_WORD + LINES as usize * LINE_WORDS;
/// The line that the worker is at, from 1; 0 for none.
const RUNNING: usize = 3;
/// More requests are counted, not listed; one word has a bit for each.
const LINES: u32 = 32;
const LINE_WORDS: usize = 16;
/// Behind the time and the number.
const TEXT_AT: usize = 2;
/// Longest text.
const TEXT_BYTES: usize = (LINE_WORDS - TEXT_AT) * 8;

fn start_of(line: u32) -> usize {
    FIRST_WORD + line as usize * LINE_WORDS
}

/// The time comes last: a line without one is empty.
fn write(page: &SharedWords, line: u32, number: u64, since_ns: u64, request: &[u8]) {
    let mut text = [0; TEXT_BYTES];
    let at = request.len().min(TEXT_BYTES);
    text[..at].copy_from_slice(&request[..at]);
    let start = start_of(line);
    let (words, _) = text.as_chunks::<8>();
    // One word more than the text fills ends it.
    for (to, word) in words.iter().enumerate().take(at / 8 + 1) {
        let word = u64::from_le_bytes(*word);
        page.word(start + TEXT_AT + to).store(word, Relaxed);
    }
    page.word(start + 1).store(number, Relaxed);
    page.word(start).store(since_ns.max(1), Relaxed);
}

#[cfg(test)]
mod tests {
    use super::super::{Page, Slot};
    use super::*;

    #[test]
    fn the_master_reads_what_is_held_until_it_is_dropped() {
        let page = Page::create().unwrap();
        let slot = Slot::map(&page).unwrap();
        let id = RequestId::next();
        let first = slot.hold(id, 7, b"GET /a");
        let second = slot.hold(RequestId::next(), 8, &[b'x'; 500]);
        first.attend();
        let mut held = page.held();
        held.sort_by_key(|request| request.since_ns);
        assert_eq!(held[0].text, "GET /a");
        assert_eq!((held[0].since_ns, held[0].id), (7, id));
        assert!(held[0].running && !held[1].running);
        assert_eq!(held[1].text, "x".repeat(112));
        slot.rest();
        assert!(page.held().iter().all(|request| !request.running));
        drop(first);
        let shorter = slot.hold(id, 9, b"PUT /");
        let texts = |page: &Page| {
            let held = page.held().into_iter();
            held.map(|request| request.text).collect::<Vec<_>>()
        };
        assert_eq!(texts(&page)[0], "PUT /");
        drop((second, shorter));
        assert_eq!(page.held(), []);
    }

    #[test]
    fn more_requests_than_lines_are_no_harm() {
        let page = Page::create().unwrap();
        let slot = Slot::map(&page).unwrap();
        let held: Vec<_> = (0..100)
            .map(|_| slot.hold(RequestId::next(), 1, b"GET /"))
            .collect();
        assert_eq!(page.held().len(), LINES as usize);
        held.last().unwrap().attend();
        assert!(page.held().iter().all(|request| !request.running));
        drop(held);
        assert_eq!(page.held(), []);
        let _again = slot.hold(RequestId::next(), 1, b"GET /");
        assert_eq!(page.held().len(), 1);
    }

    #[test]
    fn what_a_hostile_application_writes_there_is_printable() {
        let page = Page::create().unwrap();
        for at in FIRST_WORD..END {
            page.words.word(at).store(u64::MAX, Relaxed);
        }
        let held = page.held();
        assert_eq!(held.len(), LINES as usize);
        assert!(held.iter().all(|request| request.text == "?".repeat(112)));
    }
}
