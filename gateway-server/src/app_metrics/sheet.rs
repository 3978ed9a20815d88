//! [`Sheet`]: where a worker counts for its applications.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gateway_spec::abi::host::{Instrument, Metric, Recorder};
use gateway_spec::{ErrorKind, MetricDefinition, MetricKind};

use super::record::{self, Placed, Record};
use super::{
    COVER_WORDS, FIRST_RECORD, MAGIC, MAGIC_VALUE, OWNERS, SETTLING, SHEET_WORDS, SHEETS, TOP,
    USED, sheet_at,
};
use crate::os::shared_memory::SharedWords;

/// The sheet that this process writes in.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    words: Arc<SharedWords>,
    series: Arc<Mutex<Series>>,
}

/// What keeps the metrics of one application.
#[derive(Debug)]
pub(crate) struct AppRecorder {
    sheet: Sheet,
    /// The application's name, where there are several.
    app: String,
    /// Most series.
    most: usize,
}

/// What stands in the sheet. The lock is taken to define a metric, and never to count.
#[derive(Default)]
struct Series {
    used: usize,
    /// What others have left here, by what tells series apart.
    left: HashMap<Key, (usize, Placed)>,
    /// What was asked for in this process.
    known: HashMap<Key, (Record, &'static Metric)>,
    /// The kind and the bounds of each name of an application, and how many series each application has.
    forms: HashMap<(String, String), (MetricKind, Vec<f64>)>,
    counts: HashMap<String, usize>,
}

type Key = (String, String, Vec<(String, String)>);

impl Sheet {
    /// Takes a sheet that nobody writes in, for this process, and goes on with what stands there; none if
    /// there is no such sheet.
    ///
    /// # Errors
    ///
    /// The kernel's, and `InvalidData` if the file is no book of this program's.
    pub(crate) fn claim(book: impl AsFd) -> io::Result<Option<Self>> {
        let cover = SharedWords::map(&book, COVER_WORDS)?;
        if cover.word(MAGIC).load(Acquire) != MAGIC_VALUE {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let pid = u64::from(std::process::id());
        let free = |index: &usize| {
            let owner = cover.word(OWNERS + index);
            let claim = owner.compare_exchange(0, pid | SETTLING, AcqRel, Relaxed);
            claim.is_ok()
        };
        let Some(index) = (0..SHEETS).find(free) else {
            return Ok(None);
        };
        cover.word(TOP).fetch_max(index as u64 + 1, AcqRel);
        let words = SharedWords::map_part(&book, sheet_at(index), SHEET_WORDS)?;
        let series = Series::settle(&words);
        cover.word(OWNERS + index).store(pid, Release);
        Ok(Some(Self {
            words: Arc::new(words),
            series: Arc::new(Mutex::new(series)),
        }))
    }

    /// What keeps the metrics of an application with this name, or of the only one; at most so many series.
    pub(crate) fn recorder(&self, app: Option<&str>, most: usize) -> AppRecorder {
        AppRecorder {
            sheet: self.clone(),
            app: app.unwrap_or_default().to_owned(),
            most,
        }
    }
}

impl Series {
    /// Finds what there is, and takes the gauges of the process before to 0.
    fn settle(words: &SharedWords) -> Self {
        let end = usize::try_from(words.word(USED).load(Acquire)).unwrap_or(usize::MAX);
        let (mut left, mut at) = (HashMap::new(), FIRST_RECORD);
        while let Some((found, next)) = Placed::read(words, at, end.min(SHEET_WORDS.get())) {
            if let Some(placed) = found {
                if placed.record.kind == MetricKind::Gauge {
                    words.word(placed.values).store(0, Relaxed);
                }
                left.insert(placed.record.key(), (at, placed));
            }
            at = next;
        }
        words.word(USED).store(at as u64, Release);
        Self {
            used: at,
            left,
            ..Self::default()
        }
    }

    /// Where the values of a series are to stand; none if there is no room.
    fn place(&mut self, words: &SharedWords, record: &Record, key: &Key) -> Option<usize> {
        if let Some((at, placed)) = self.left.remove(key) {
            if placed.record.kind == record.kind && placed.record.bounds == record.bounds {
                return Some(placed.values);
            }
            record::retire(words, at);
        }
        let end = self.used + record.words();
        if end > SHEET_WORDS.get() {
            return None;
        }
        let values = record.write(words, self.used);
        self.used = end;
        words.word(USED).store(end as u64, Release);
        Some(values)
    }
}

impl Recorder for AppRecorder {
    fn define(&self, definition: &MetricDefinition<'_>) -> Result<&'static Metric, ErrorKind> {
        let record = Record::of(&self.app, definition);
        if record::is_reserved(&record.name) {
            return Err(ErrorKind::Invalid);
        }
        let key = record.key();
        let mut series = self.sheet.lock();
        if let Some((known, metric)) = series.known.get(&key) {
            let same = known.kind == record.kind && known.bounds == record.bounds;
            return if same {
                Ok(metric)
            } else {
                Err(ErrorKind::Invalid)
            };
        }
        let form = (record.kind, record.bounds.clone());
        match series.forms.entry((self.app.clone(), record.name.clone())) {
            Entry::Occupied(known) if *known.get() != form => return Err(ErrorKind::Invalid),
            Entry::Occupied(_) => {}
            Entry::Vacant(place) => {
                place.insert(form);
            }
        }
        let count = series.counts.entry(self.app.clone()).or_default();
        if *count == self.most {
            return Err(ErrorKind::Limit);
        }
        *count += 1;
        let words = &self.sheet.words;
        let values = series.place(words, &record, &key).ok_or(ErrorKind::Limit)?;
        let metric = Metric::leak(Pen {
            words: Arc::clone(words),
            kind: record.kind,
            bounds: record.bounds.clone().into(),
            values,
        });
        series.known.insert(key, (record, metric));
        Ok(metric)
    }
}

impl Sheet {
    fn lock(&self) -> MutexGuard<'_, Series> {
        // What stands there is whole between any two steps.
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Series({} words)", self.used)
    }
}

/// What counts for one series.
struct Pen {
    words: Arc<SharedWords>,
    kind: MetricKind,
    bounds: Box<[f64]>,
    values: usize,
}

impl Pen {
    fn value(&self, of: MetricKind) -> Option<&AtomicU64> {
        (self.kind == of).then(|| self.words.word(self.values))
    }
}

impl Instrument for Pen {
    fn count(&self, more: u64) {
        if let Some(value) = self.value(MetricKind::Counter) {
            value.fetch_add(more, Relaxed);
        }
    }

    fn add(&self, more: f64) {
        if let Some(value) = self.value(MetricKind::Gauge) {
            add(value, more);
        }
    }

    fn set(&self, value: f64) {
        if let Some(word) = self.value(MetricKind::Gauge) {
            word.store(value.to_bits(), Relaxed);
        }
    }

    fn observe(&self, value: f64) {
        if self.kind == MetricKind::Histogram {
            let bucket = self.bounds.partition_point(|bound| *bound < value);
            self.words.word(self.values + bucket).fetch_add(1, Relaxed);
            add(self.words.word(self.values + self.bounds.len() + 1), value);
        }
    }
}

/// Adds to a number in a word, unless the sum is none.
fn add(word: &AtomicU64, more: f64) {
    let sum = |bits| Some(f64::from_bits(bits) + more).filter(|sum| sum.is_finite());
    // Refused means that the sum is none.
    let _ = word.fetch_update(Relaxed, Relaxed, |bits| sum(bits).map(f64::to_bits));
}
