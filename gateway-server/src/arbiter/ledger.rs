//! [`Ledger`]: what the master remembers for whoever looks at its figures: counters of workers that are
//! gone, how often what has happened, what went wrong.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, SystemTime};

use super::event::{Loudness, Note, PoolId, WorkerId};
use super::recycling::Spent;
use crate::board::{Mishap, Outcome};
use crate::scoreboard::{Complaint, Counter, Page};

/// The memory of a server, which lives as long as that does.
#[derive(Debug)]
pub(super) struct Ledger {
    /// When the server started, since the epoch.
    pub(super) started: Duration,
    /// The counters of workers that are gone, by their places, in each pool.
    totals: BTreeMap<PoolId, Vec<u64>>,
    /// How often what has happened.
    tallies: BTreeMap<String, u64>,
    pub(super) last_reload: Option<Outcome>,
    errors: VecDeque<Mishap>,
    /// What workers that are gone have complained of.
    complaints: VecDeque<Mishap>,
}

impl Ledger {
    /// That of a server that started so long ago.
    pub(super) fn new(age: Duration) -> Self {
        let nothing = TALLIES.map(|name| (name.to_owned(), 0));
        Self {
            started: now().saturating_sub(age),
            totals: BTreeMap::new(),
            tallies: nothing.into(),
            last_reload: None,
            errors: VecDeque::new(),
            complaints: VecDeque::new(),
        }
    }

    /// Goes on from what a program before has left. Names that this program does not know it cannot show.
    pub(super) fn succeed(age: Duration, left: Vec<(String, u64)>) -> Self {
        let mut ledger = Self::new(age);
        let left: BTreeMap<String, u64> = left.into_iter().collect();
        if let Some(started) = left.get(STARTED) {
            ledger.started = Duration::from_millis(*started);
        }
        for (name, total) in &left {
            // What is of all pools is the first one's, but for what is said of another.
            let (name, pool) = match name.split_once(OF_POOL) {
                Some((name, pool)) => (name, pool.parse().map_or(PoolId::MAIN, PoolId)),
                None => (name.as_str(), PoolId::MAIN),
            };
            if let Some(counter) = Counter::all().find(|counter| counter.name() == name) {
                let place = &mut ledger.of_pool(pool)[counter.index()];
                *place = place.wrapping_add(*total);
                if pool != PoolId::MAIN {
                    let rest = &mut ledger.of_pool(PoolId::MAIN)[counter.index()];
                    *rest = rest.wrapping_sub(*total);
                }
            }
        }
        for (name, count) in &mut ledger.tallies {
            *count = left.get(name).copied().unwrap_or_default();
        }
        ledger
    }

    /// What a successor needs to go on: the counters of all pools together, which is all that a program of
    /// before knows, and those of each but the first.
    pub(super) fn leave(&self) -> Vec<(String, u64)> {
        let totals =
            Counter::all().map(|counter| (counter.name().into_owned(), self.total(counter)));
        let others = self.totals.iter().filter(|(id, _)| **id != PoolId::MAIN);
        let others = others.flat_map(|(id, totals)| {
            let name = |counter: Counter| format!("{}{OF_POOL}{}", counter.name(), id.0);
            Counter::all().map(move |counter| (name(counter), totals[counter.index()]))
        });
        let started = u64::try_from(self.started.as_millis()).unwrap_or(u64::MAX);
        let started = std::iter::once((STARTED.to_owned(), started));
        let totals = totals.chain(others);
        totals.chain(self.tallies()).chain(started).collect()
    }

    /// A worker of a pool is gone: what it has counted and complained of stays.
    pub(super) fn fold(&mut self, worker: WorkerId, pool: PoolId, page: &Page) {
        for Complaint { at, text } in page.complaints() {
            let text = format!("{worker}: {text}");
            remember(&mut self.complaints, Mishap { at, text });
        }
        let totals = self.of_pool(pool);
        for counter in Counter::all().filter(|counter| !counter.is_gauge()) {
            let total = &mut totals[counter.index()];
            *total = total.wrapping_add(page.counter(counter));
        }
    }

    /// A counter of all workers that are gone.
    pub(super) fn total(&self, counter: Counter) -> u64 {
        let totals = self.totals.values();
        let each = totals.map(|totals| totals[counter.index()]);
        each.fold(0, u64::wrapping_add)
    }

    /// The counters of workers that are gone, by their places, in each pool that has had any.
    pub(super) fn totals(&self) -> &BTreeMap<PoolId, Vec<u64>> {
        &self.totals
    }

    /// How often what has happened.
    pub(super) fn tallies(&self) -> impl Iterator<Item = (String, u64)> {
        self.tallies
            .iter()
            .map(|(name, count)| (name.clone(), *count))
    }

    fn of_pool(&mut self, pool: PoolId) -> &mut Vec<u64> {
        let totals = self.totals.entry(pool);
        totals.or_insert_with(|| vec![0; Counter::COUNT])
    }

    /// Remembers what an operator is told.
    pub(super) fn note(&mut self, note: &Note) {
        if let Some(tally) = tally(note) {
            *self.tallies.entry(tally.to_owned()).or_default() += 1;
        }
        if let Some(good) = outcome(note) {
            self.last_reload = Some(Outcome {
                at: now(),
                good,
                text: cut(note),
            });
        }
        if matches!(note.loudness(), Loudness::Error | Loudness::Warn) {
            let (at, text) = (now(), cut(note));
            remember(&mut self.errors, Mishap { at, text });
        }
    }

    /// What went wrong lately, for the master and for workers that are gone, the oldest first.
    pub(super) fn errors(&self) -> Vec<Mishap> {
        let mut all: Vec<_> = self
            .errors
            .iter()
            .chain(&self.complaints)
            .cloned()
            .collect();
        all.sort_by_key(|one| one.at);
        all
    }
}

/// Forgets the oldest if there are too many.
fn remember(all: &mut VecDeque<Mishap>, one: Mishap) {
    if all.len() == ERRORS {
        all.pop_front();
    }
    all.push_back(one);
}

/// Under what a note is counted: what it is, and which of its kind.
fn tally(note: &Note) -> Option<&'static str> {
    Some(match note {
        Note::WorkerLost { .. } => "restart died",
        Note::Stuck { .. } => "restart stuck",
        Note::BootFailed { .. } => "restart boot_failed",
        Note::WorkerSpent { why, .. } => match why {
            Spent::Requests(_) => "restart max_requests",
            Spent::Age(_) => "restart max_age",
            Spent::Memory(_) => "restart max_rss",
            Spent::Asked | Spent::Retired => "restart asked",
        },
        Note::Reloaded { .. } => "reload ok",
        Note::ReloadFailed { .. } => "reload failed",
        Note::Upgraded { .. } => "upgrade ok",
        Note::UpgradeFailed { .. } => "upgrade failed",
        _ => return None,
    })
}

/// All of them, so that each is shown before it has happened.
const TALLIES: [&str; 11] = [
    "restart asked",
    "restart died",
    "restart stuck",
    "restart boot_failed",
    "restart max_requests",
    "restart max_age",
    "restart max_rss",
    "reload ok",
    "reload failed",
    "upgrade ok",
    "upgrade failed",
];

/// Whether a reload or an upgrade that has ended went well.
fn outcome(note: &Note) -> Option<bool> {
    match note {
        Note::Reloaded { .. } | Note::Upgraded { .. } => Some(true),
        Note::ReloadFailed { .. } | Note::UpgradeFailed { .. } => Some(false),
        _ => None,
    }
}

fn cut(note: &Note) -> String {
    let text = note.to_string();
    text[..text.floor_char_boundary(LONGEST)].to_owned()
}

fn now() -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap_or_default()
}

/// The name of the start, in milliseconds since the epoch, among what is left.
const STARTED: &str = "started_ms";
/// Between the name of a counter and the number of a pool, among what is left.
const OF_POOL: char = '@';
/// Errors that are remembered, of the master and of workers each.
const ERRORS: usize = 20;
/// Longest text that is remembered of one, in bytes.
const LONGEST: usize = 500;

#[cfg(test)]
mod tests {
    use super::super::event::Generation;
    use super::*;
    use crate::scoreboard::Slot;

    #[test]
    fn what_workers_counted_survives_them_and_their_master() {
        let mut ledger = Ledger::new(Duration::ZERO);
        for pool in [PoolId::MAIN, PoolId(3)] {
            let page = Page::create().unwrap();
            let slot = Slot::map(&page).unwrap();
            slot.add_many(Counter::BytesOut, 21);
            slot.add(Counter::ConnectionsActive);
            ledger.fold(WorkerId(1), pool, &page);
        }
        let generation = Generation(2);
        ledger.note(&Note::Reloaded { generation });
        let mut left = ledger.leave();
        left.push(("of another version".to_owned(), 1));
        let heir = Ledger::succeed(Duration::ZERO, left);
        assert_eq!(heir.total(Counter::BytesOut), 42);
        let bytes = |pool| heir.totals()[&pool][Counter::BytesOut.index()];
        assert_eq!([PoolId::MAIN, PoolId(3)].map(bytes), [21, 21]);
        assert_eq!(heir.total(Counter::ConnectionsActive), 0);
        assert!(heir.tallies().any(|one| one == ("reload ok".into(), 1)));
        assert_eq!(heir.tallies().count(), TALLIES.len());
    }

    #[test]
    fn the_last_errors_are_remembered_and_no_more() {
        let mut ledger = Ledger::new(Duration::ZERO);
        for number in 0..100 {
            ledger.note(&Note::WorkerLost {
                worker: WorkerId(number),
                how: "x".repeat(1_000),
            });
        }
        assert_eq!(ledger.errors.len(), ERRORS);
        assert!(ledger.errors[ERRORS - 1].text.starts_with("worker 99 x"));
        assert!(ledger.errors.iter().all(|one| one.text.len() <= LONGEST));
        assert!(
            ledger
                .tallies()
                .any(|one| one == ("restart died".into(), 100))
        );
    }
}
