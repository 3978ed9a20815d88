//! [`Reader`]: what all sheets say together, for whoever shows it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering::{Acquire, Relaxed};

use gateway_spec::MetricKind;

use super::record::{Placed, Record};
use super::{BOOK_WORDS, FIRST_RECORD, OWNERS, SETTLING, SHEET_WORDS, SHEETS, TOP, USED, sheet_at};
use crate::os::shared_memory::SharedWords;

/// The admin process's view of a book.
#[derive(Debug)]
pub(crate) struct Reader(OwnedFd, SharedWords);

/// All series of one name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Family {
    /// Without the `_total` of a counter.
    pub(crate) name: String,
    pub(crate) help: String,
    pub(crate) kind: MetricKind,
    /// By their labels; the application's name, where there are several, is the first of them.
    pub(crate) series: BTreeMap<Vec<(String, String)>, Value>,
}

/// What a series has come to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Count(u64),
    Level(f64),
    Sizes {
        bounds: Vec<f64>,
        /// How many fell within each bound and not the one before; the last were above all.
        counts: Vec<u64>,
        sum: f64,
    },
}

impl Reader {
    /// Maps what a [`Book`](super::Book) is, for reading.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(crate) fn map(book: OwnedFd) -> io::Result<Self> {
        let cover = SharedWords::map_to_read(&book, super::COVER_WORDS)?;
        Ok(Self(book, cover))
    }

    /// The sums, by name. Where sheets contradict each other, those of workers that live are right.
    pub(crate) fn families(&self) -> Vec<Family> {
        let top = usize::try_from(self.1.word(TOP).load(Acquire)).unwrap_or(SHEETS);
        let owner = |index: &usize| self.1.word(OWNERS + index).load(Acquire);
        let mut sheets: Vec<(usize, u64)> = (0..top.min(SHEETS))
            .map(|index| (index, owner(&index)))
            .collect();
        sheets.sort_by_key(|(_, owner)| *owner == 0);
        let mut sum = Sum::default();
        for (index, owner) in sheets {
            let lives = owner != 0 && owner & SETTLING == 0;
            // Without memory for it, the sheet is left out this time.
            if let Ok(words) = SharedWords::map_part_to_read(&self.0, sheet_at(index), SHEET_WORDS)
            {
                sum.add_sheet(&words, lives);
            }
        }
        sum.families.into_values().collect()
    }
}

#[derive(Default)]
struct Sum {
    families: BTreeMap<String, Family>,
    /// The names of all samples of the families, so that none passes for another's.
    taken: BTreeSet<String>,
}

impl Sum {
    fn add_sheet(&mut self, words: &SharedWords, lives: bool) {
        let end = usize::try_from(words.word(USED).load(Acquire)).unwrap_or(usize::MAX);
        let mut at = FIRST_RECORD;
        while let Some((found, next)) = Placed::read(words, at, end.min(SHEET_WORDS.get())) {
            if let Some(placed) = found {
                self.add(words, placed, lives);
            }
            at = next;
        }
    }

    fn add(&mut self, words: &SharedWords, placed: Placed, lives: bool) {
        let word = |offset: usize| words.word(placed.values + offset).load(Relaxed);
        let number = |offset| Some(f64::from_bits(word(offset))).filter(|value| value.is_finite());
        let record = placed.record;
        let value = match record.kind {
            MetricKind::Counter => Value::Count(word(0)),
            MetricKind::Gauge if lives => Value::Level(number(0).unwrap_or(0.0)),
            MetricKind::Gauge => return,
            _ => Value::Sizes {
                counts: (0..=record.bounds.len()).map(word).collect(),
                sum: number(record.bounds.len() + 1).unwrap_or(0.0),
                bounds: record.bounds.clone(),
            },
        };
        let Some(family) = self.family(&record) else {
            return;
        };
        let app = (!record.app.is_empty()).then(|| ("app".to_owned(), record.app));
        match family
            .series
            .entry(app.into_iter().chain(record.labels).collect())
        {
            Entry::Occupied(known) => known.into_mut().add(&value),
            Entry::Vacant(place) => {
                place.insert(value);
            }
        }
    }

    /// The family of a record; none if its name is that of something else.
    fn family(&mut self, record: &Record) -> Option<&mut Family> {
        let name = match record.kind {
            MetricKind::Counter => record.name.strip_suffix("_total")?,
            _ => &record.name,
        };
        if !self.families.contains_key(name) {
            let endings: &[&str] = match record.kind {
                MetricKind::Counter => &["", "_total", "_created"],
                MetricKind::Gauge => &[""],
                _ => &["", "_bucket", "_sum", "_count", "_created"],
            };
            let names: Vec<String> = endings
                .iter()
                .map(|ending| format!("{name}{ending}"))
                .collect();
            if names.iter().any(|name| self.taken.contains(name)) {
                return None;
            }
            self.taken.extend(names);
            let family = Family {
                name: name.to_owned(),
                help: record.help.clone(),
                kind: record.kind,
                series: BTreeMap::new(),
            };
            self.families.insert(name.to_owned(), family);
        }
        let family = self.families.get_mut(name)?;
        (family.kind == record.kind).then_some(family)
    }
}

impl Value {
    /// Adds another of the same kind; one of other bounds has no part in this.
    fn add(&mut self, other: &Self) {
        match (self, other) {
            (Self::Count(sum), Self::Count(more)) => *sum = sum.saturating_add(*more),
            (Self::Level(sum), Self::Level(more)) if (*sum + more).is_finite() => *sum += more,
            (
                Self::Sizes {
                    bounds,
                    counts,
                    sum,
                },
                Self::Sizes {
                    bounds: same,
                    counts: others,
                    sum: more,
                },
            ) if bounds == same => {
                for (count, other) in counts.iter_mut().zip(others) {
                    *count = count.saturating_add(*other);
                }
                if (*sum + more).is_finite() {
                    *sum += more;
                }
            }
            _ => {}
        }
    }
}

const _: () = assert!(BOOK_WORDS.get() >= sheet_at(SHEETS));
