//! What a worker tells while it works: a heartbeat, its counters, the requests that it holds, in
//! memory that it shares with the master.
//!
//! Each worker has a page of its own and maps no other; the page names its counters, so that a master
//! of another version can read it. A worker runs foreign code that may write anything there: the
//! master takes numbers from it, and nothing that could mislead it.

mod complaints;
mod counter;
mod held;
mod ids;
mod in_flight;
mod present;
mod trace;

use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

pub(crate) use complaints::{Complaint, Complaints};
pub(crate) use counter::{BOUNDS, Class, Counter, Deadline, Method, Refusal};
pub(crate) use held::{Held, HeldRequest};
pub(crate) use ids::RequestId;
pub(crate) use in_flight::InFlight;

use crate::os::last_words;
use crate::os::shared_memory::SharedWords;
use held::Table;
use present::Presence;

/// What is counted of an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answered {
    pub(crate) method: Method,
    pub(crate) class: Class,
    /// Bytes of the request's body.
    pub(crate) received: u64,
    /// Bytes of the response's body.
    pub(crate) sent: u64,
    /// From when the request was there; none if that is no time of an answer.
    pub(crate) took_ns: Option<u64>,
}

/// The worker's hand on its page. Everything is written by the one thread of the event loop, with
/// plain stores: no other writer exists to race with.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    page: Rc<SharedWords>,
    /// The beat is counted here as well: the page may have been scribbled over.
    beat: Rc<Cell<u64>>,
    table: Rc<Table>,
}

impl Slot {
    /// Maps the page that the master created.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(crate) fn map(page: impl AsFd) -> io::Result<Self> {
        let page = Rc::new(SharedWords::map(page, PAGE_WORDS)?);
        ids::sign(&page);
        // A process has one page; a second one is a test's.
        PAGE.with(|known| drop(known.set(Rc::clone(&page))));
        Ok(Self {
            table: Table::new(&page),
            page,
            beat: Rc::default(),
        })
    }

    /// Says that the event loop is turning.
    pub(crate) fn beat(&self) {
        self.beat.set(self.beat.get() + 1);
        self.page.word(BEAT).store(self.beat.get(), Relaxed);
    }

    /// Counts one more.
    pub(crate) fn add(&self, counter: Counter) {
        self.add_many(counter, 1);
    }

    /// Counts so many more.
    pub(crate) fn add_many(&self, counter: Counter, count: u64) {
        let word = self.page.word(word_of(counter));
        word.store(word.load(Relaxed).wrapping_add(count), Relaxed);
    }

    /// Counts an answer: what each request pays for where somebody reads the counters, so the page is
    /// looked up once for all of it.
    #[inline]
    pub(crate) fn count_answer(&self, answered: &Answered) {
        let words: &[AtomicU64; COUNTERS_END] = self.page.words(0);
        let add = |counter: Counter, count: u64| {
            let word = &words[word_of(counter)];
            word.store(word.load(Relaxed).wrapping_add(count), Relaxed);
        };
        add(Counter::Answers(answered.method, answered.class), 1);
        add(Counter::BytesOut, answered.sent);
        if answered.received > 0 {
            add(Counter::BytesIn, answered.received);
        }
        if let Some(took_ns) = answered.took_ns {
            add(Counter::took(took_ns), 1);
            add(Counter::Took, took_ns);
        }
    }

    /// Enters a request whose answer does not come at once; `text` is its method and its path.
    pub(crate) fn hold(&self, id: RequestId, since_ns: u64, text: &[u8]) -> Held {
        Held::enter(&self.table, id, since_ns, text)
    }

    /// The id that somebody has asked for in the call that has just returned.
    pub(crate) fn named(&self) -> Option<RequestId> {
        present::named(&self.page)
    }

    /// The worker is at none of the requests that it holds.
    pub(crate) fn rest(&self) {
        self.table.rest();
    }

    /// Does work on behalf of the request with this head, before which a name and `: ` may stand. What it
    /// begins with stands in the page until the work returns, so that even a death without a word names the
    /// request.
    #[inline(always)]
    pub(crate) fn at<T>(&self, head: &[u8], work: impl FnOnce() -> T) -> T {
        let _presence = Presence::enter(&self.page, head);
        work()
    }

    /// Counts one less; for what is open or running now.
    pub(crate) fn subtract(&self, counter: Counter) {
        let word = self.page.word(word_of(counter));
        word.store(word.load(Relaxed).wrapping_sub(1), Relaxed);
    }
}

/// The id of the request that this thread is at work for, made if it is in a call and nobody has asked
/// for one; none if this is no thread of an event loop, or the worker is at none.
pub(crate) fn id_at_work() -> Option<RequestId> {
    let page = PAGE.with(|page| page.get().cloned())?;
    if present::is_within(&page) {
        return Some(id_of_call());
    }
    held::running(&page)
}

/// An id for a request, or the one that it has been given within this call.
pub(crate) fn id_of_call() -> RequestId {
    let known = PAGE.with(|page| {
        let page = page.get().filter(|page| present::is_within(page))?;
        present::named(page)
    });
    known.unwrap_or_else(new_id)
}

/// An id for a request. If it is asked for on the event loop's thread within a call, the page says that it
/// is that of the request which the worker is at.
pub(crate) fn new_id() -> RequestId {
    let id = RequestId::next();
    PAGE.with(|page| {
        if let Some(page) = page.get() {
            present::name(page, id);
        }
    });
    id
}

thread_local! {
    /// The page, on the thread of the event loop.
    static PAGE: OnceCell<Rc<SharedWords>> = const { OnceCell::new() };
}

/// Has this process, a worker, write down where it is when it is aborted or crashes.
///
/// # Errors
///
/// The kernel's.
pub(crate) fn prepare_last_words(page: File) -> io::Result<()> {
    last_words::prepare(page, (TRACE * 8) as u64)
}

/// Where in a page things are. A master that takes over the workers of another program finds their
/// counters by name, and is told this by that program: what stands in the page itself is the worker's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    words: NonZeroUsize,
    beat: usize,
    /// The form of what else there is.
    form: u32,
    counters: Vec<(String, usize)>,
    /// The words of the counters that this program knows, by their places among all.
    known: Vec<Option<usize>>,
}

impl Layout {
    /// That of the pages which this program makes.
    pub(crate) fn ours() -> Self {
        let named = |counter: Counter| (counter.name().into_owned(), word_of(counter));
        let counters = Counter::all().map(named).collect();
        Self::new(PAGE_WORDS, BEAT, FORM, counters)
    }

    fn new(words: NonZeroUsize, beat: usize, form: u32, counters: Vec<(String, usize)>) -> Self {
        let words_by_name: BTreeMap<&str, usize> = counters
            .iter()
            .map(|(name, word)| (&**name, *word))
            .collect();
        let known = Counter::all()
            .map(|counter| words_by_name.get(&*counter.name()).copied())
            .collect();
        Self {
            words,
            beat,
            form,
            counters,
            known,
        }
    }

    /// Reads what the layout shows itself as; none if it points beyond its page.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split(',');
        let (words, rest) = fields.next()?.split_once('/')?;
        let (beat, form) = rest.split_once('/')?;
        let words = NonZeroUsize::new(words.parse().ok()?)?;
        let within = |text: &str| text.parse().ok().filter(|word| *word < words.get());
        let counter = |field: &str| {
            let (name, word) = field.split_once(':')?;
            Some((name.to_owned(), within(word)?))
        };
        let counters = fields.map(counter).collect::<Option<_>>()?;
        Some(Self::new(
            words,
            within(beat)?,
            form.parse().ok()?,
            counters,
        ))
    }

    /// Whether what is no counter stands where this program has it.
    fn is_like_ours(&self) -> bool {
        self.form == FORM && self.words == PAGE_WORDS
    }

    fn word(&self, counter: Counter) -> Option<usize> {
        *self.known.get(counter.index())?
    }
}

/// `512/2/1,requests_total:19`: words in all, the heartbeat, the form of the rest, the counters.
impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.words, self.beat, self.form)?;
        for (name, word) in &self.counters {
            write!(f, ",{name}:{word}")?;
        }
        Ok(())
    }
}

/// The master's view of one worker's page, from the worker's start until it is reaped.
#[derive(Debug)]
pub(crate) struct Page {
    file: File,
    words: SharedWords,
    layout: Layout,
}

impl Page {
    /// A fresh page with its header.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(crate) fn create() -> io::Result<Self> {
        let file = SharedWords::create("gatewayd-slot", PAGE_WORDS.get())?;
        let words = SharedWords::map(&file, PAGE_WORDS)?;
        words.word(MAGIC).store(MAGIC_VALUE, Relaxed);
        words.word(COUNT).store(Counter::COUNT as u64, Relaxed);
        for counter in Counter::all() {
            for (at, word) in name_words(&counter.name()).into_iter().enumerate() {
                words
                    .word(word_of(counter) - NAME_WORDS + at)
                    .store(word, Relaxed);
            }
        }
        let layout = Layout::ours();
        Ok(Self {
            file,
            words,
            layout,
        })
    }

    /// The page of a worker that another program has started.
    ///
    /// # Errors
    ///
    /// The kernel's, and `UnexpectedEof` if the page is smaller than its layout says.
    pub(crate) fn adopt(file: OwnedFd, layout: Layout) -> io::Result<Self> {
        let file = File::from(file);
        let words = SharedWords::map(&file, layout.words)?;
        Ok(Self {
            file,
            words,
            layout,
        })
    }

    /// The same for reading alone, in a process that is no master.
    ///
    /// # Errors
    ///
    /// The kernel's, and `UnexpectedEof` if the page is smaller than its layout says.
    pub(crate) fn adopt_to_read(file: OwnedFd, layout: Layout) -> io::Result<Self> {
        let file = File::from(file);
        let words = SharedWords::map_to_read(&file, layout.words)?;
        Ok(Self {
            file,
            words,
            layout,
        })
    }

    /// Where things are in it.
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// A number that changes as long as the worker's event loop turns; its value means nothing.
    pub(crate) fn beat(&self) -> u64 {
        self.words.word(self.layout.beat).load(Relaxed)
    }

    /// A counter, as the worker claims; 0 if the worker's program does not know it.
    pub(crate) fn counter(&self, counter: Counter) -> u64 {
        let word = self.layout.word(counter);
        word.map_or(0, |word| self.words.word(word).load(Relaxed))
    }

    /// The requests that the worker holds, as it claims, in no order; none if another program has
    /// written them in a form that this one does not know.
    pub(crate) fn held(&self) -> Vec<HeldRequest> {
        if !self.layout.is_like_ours() {
            return Vec::new();
        }
        held::read(&self.words)
    }

    /// Method and path of the request whose call has not returned, and its id if anybody knows that, as
    /// the worker claims.
    pub(crate) fn present(&self) -> Option<(String, Option<RequestId>)> {
        self.layout
            .is_like_ours()
            .then(|| present::read(&self.words))?
    }

    /// The last errors that the worker has logged, as it claims, the oldest first.
    pub(crate) fn complaints(&self) -> Vec<Complaint> {
        if !self.layout.is_like_ours() {
            return Vec::new();
        }
        complaints::read(&self.words)
    }

    /// The calls that the worker was in when it was aborted or crashed, the innermost first, as the C
    /// library shows them and as the worker claims.
    pub(crate) fn trace(&self) -> Vec<String> {
        if !self.layout.is_like_ours() {
            return Vec::new();
        }
        trace::read(&self.words, TRACE, PAGE_WORDS.get())
    }
}

impl AsFd for Page {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// `"gwslot01"`.
const MAGIC_VALUE: u64 = u64::from_le_bytes(*b"gwslot01");
/// Longest name of a counter.
const NAME_BYTES: usize = NAME_WORDS * 8;
const NAME_WORDS: usize = 3;
/// A counter is its name and its value.
const COUNTER_WORDS: usize = NAME_WORDS + 1;

const MAGIC: usize = 0;
const COUNT: usize = 1;
const BEAT: usize = 2;
/// Raised when the requests, the complaints or the trace change their form or place.
const FORM: u32 = 4;
const FIRST_COUNTER: usize = 8;
/// Where the trace begins.
const TRACE: usize = complaints::END;
/// Where a counter stands in a page that this program makes.
#[inline(always)]
const fn word_of(counter: Counter) -> usize {
    FIRST_COUNTER + counter.index() * COUNTER_WORDS + NAME_WORDS
}

/// First word behind the counters.
const COUNTERS_END: usize = FIRST_COUNTER + Counter::COUNT * COUNTER_WORDS;

const PAGE_WORDS: NonZeroUsize = NonZeroUsize::new(5 * 4096 / 8).expect("not zero");

fn name_words(name: &str) -> [u64; NAME_WORDS] {
    let mut bytes = [0; NAME_BYTES];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    let (words, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|at| u64::from_le_bytes(words[at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_master_sees_what_the_worker_counts() {
        let page = Page::create().unwrap();
        let slot = Slot::map(&page).unwrap();
        slot.add(Counter::Requests);
        slot.add(Counter::ConnectionsActive);
        slot.add(Counter::Requests);
        slot.subtract(Counter::ConnectionsActive);
        let before = page.beat();
        slot.clone().beat();
        assert_ne!(page.beat(), before);
        let counted = Counter::all().filter(|counter| page.counter(*counter) > 0);
        assert_eq!(counted.collect::<Vec<_>>(), [Counter::Requests]);
        assert_eq!(page.counter(Counter::Requests), 2);
    }

    #[test]
    fn the_page_names_its_counters_and_holds_them_all() {
        let page = Page::create().unwrap();
        for counter in Counter::all() {
            assert!(counter.name().len() <= NAME_BYTES);
            assert!(word_of(counter) < held::FIRST_WORD);
            let name: Vec<u8> = (1..=NAME_WORDS)
                .rev()
                .flat_map(|back| {
                    page.words
                        .word(word_of(counter) - back)
                        .load(Relaxed)
                        .to_le_bytes()
                })
                .take_while(|byte| *byte != 0)
                .collect();
            assert_eq!(name, counter.name().as_bytes());
        }
    }

    #[test]
    fn a_page_of_another_program_is_read_by_the_names_of_its_counters() {
        let page = SharedWords::create("test", 64).unwrap();
        let words = SharedWords::map(&page, NonZeroUsize::new(64).unwrap()).unwrap();
        words.word(7).store(70, Relaxed);
        words.word(63).store(630, Relaxed);
        let layout = Layout::parse("64/7/0,unheard_of:5,requests_total:63").unwrap();
        assert_eq!(Layout::parse(&layout.to_string()), Some(layout.clone()));
        let page = Page::adopt(page.into(), layout).unwrap();
        assert_eq!(page.beat(), 70);
        assert_eq!(page.counter(Counter::Requests), 630);
        assert_eq!(page.counter(Counter::Connections), 0);
    }

    #[test]
    fn a_layout_that_points_beyond_the_page_is_none() {
        for text in [
            "",
            "64/7",
            "0/0/1",
            "64/64/1",
            "64/7/1,a:64",
            "64/7/1,a",
            "64/7/x",
        ] {
            assert_eq!(Layout::parse(text), None, "{text}");
        }
        let page = SharedWords::create("test", 64).unwrap();
        let larger = Layout::parse("65/7/1").unwrap();
        assert!(Page::adopt(page.into(), larger).is_err());
    }

    #[test]
    fn a_page_cannot_be_shrunk_under_the_master() {
        let page = Page::create().unwrap();
        assert!(page.file.set_len(0).is_err());
    }
}
