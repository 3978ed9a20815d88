//! A series as it stands in a sheet: what it is, its texts, its bounds, its values.

use std::sync::atomic::Ordering::Relaxed;

use gateway_spec::{MetricDefinition, MetricKind};

use crate::os::shared_memory::SharedWords;

/// What a series is, beside its values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record {
    pub(super) kind: MetricKind,
    /// The application, where there are several.
    pub(super) app: String,
    pub(super) name: String,
    pub(super) help: String,
    /// By their names.
    pub(super) labels: Vec<(String, String)>,
    pub(super) bounds: Vec<f64>,
}

/// A record in a sheet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed {
    pub(super) record: Record,
    /// Where its values begin.
    pub(super) values: usize,
}

impl Record {
    /// The series that a definition means.
    pub(super) fn of(app: &str, definition: &MetricDefinition<'_>) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut labels: Vec<_> = definition.labels.iter().map(own).collect();
        labels.sort_unstable();
        Self {
            kind: definition.kind,
            app: app.to_owned(),
            name: definition.name.to_owned(),
            help: definition.help.to_owned(),
            labels,
            bounds: definition.bounds.to_vec(),
        }
    }

    /// What tells it from other series.
    pub(super) fn key(&self) -> (String, String, Vec<(String, String)>) {
        (self.app.clone(), self.name.clone(), self.labels.clone())
    }

    /// Words for its values: a number, or one for each bucket, the one above all bounds, and the sum.
    pub(super) fn value_words(&self) -> usize {
        match self.kind {
            MetricKind::Histogram => self.bounds.len() + 2,
            _ => 1,
        }
    }

    /// Words in all.
    pub(super) fn words(&self) -> usize {
        HEAD + self.texts().len().div_ceil(8) + self.bounds.len() + self.value_words()
    }

    /// Writes it, with values that are 0; where its values begin.
    pub(super) fn write(&self, sheet: &SharedWords, at: usize) -> usize {
        let put = |word: usize, value: u64| sheet.word(at + word).store(value, Relaxed);
        let texts = self.texts();
        let lengths = [&self.app, &self.name, &self.help].map(|text| text.len() as u64);
        let labels = texts.len() as u64 - lengths.iter().sum::<u64>();
        put(
            0,
            code(self.kind) | (self.bounds.len() as u64) << 8 | (self.words() as u64) << 32,
        );
        put(
            1,
            lengths[0] | lengths[1] << 16 | lengths[2] << 32 | labels << 48,
        );
        let mut next = HEAD;
        for chunk in texts.chunks(8) {
            let mut bytes = [0; 8];
            bytes[..chunk.len()].copy_from_slice(chunk);
            put(next, u64::from_le_bytes(bytes));
            next += 1;
        }
        for bound in &self.bounds {
            put(next, bound.to_bits());
            next += 1;
        }
        (0..self.value_words()).for_each(|word| put(next + word, 0));
        at + next
    }

    /// Name, help and all, one behind the other; a label's lengths stand before it.
    fn texts(&self) -> Vec<u8> {
        let mut all = [&*self.app, &*self.name, &*self.help].concat().into_bytes();
        for (name, value) in &self.labels {
            for text in [name, value] {
                // The grammar bounds both.
                let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
                all.extend(length.to_le_bytes());
            }
            all.extend(name.as_bytes());
            all.extend(value.as_bytes());
        }
        all
    }
}

impl Placed {
    /// Reads the record at `at`, of a sheet of which `used` words are used, and says where the next one
    /// begins. Anybody may have written there: what is no record of the grammar is none, and none follows what
    /// does not end within the sheet.
    pub(super) fn read(
        sheet: &SharedWords,
        at: usize,
        used: usize,
    ) -> Option<(Option<Self>, usize)> {
        let left = used.checked_sub(at).filter(|left| *left > HEAD)?;
        let word = |index: usize| sheet.word(at + index).load(Relaxed);
        let (head, lengths) = (word(0), word(1));
        let words = (head >> 32) as usize;
        if words <= HEAD || words > left {
            return None;
        }
        Some((
            Self::read_whole(&word, head, lengths, words, at),
            at + words,
        ))
    }

    fn read_whole(
        word: &dyn Fn(usize) -> u64,
        head: u64,
        lengths: u64,
        words: usize,
        at: usize,
    ) -> Option<Self> {
        let kind = match head & 0xff {
            COUNTER => MetricKind::Counter,
            GAUGE => MetricKind::Gauge,
            HISTOGRAM => MetricKind::Histogram,
            _ => return None,
        };
        let count = (head >> 8 & 0xffff) as usize;
        let [app, name, help, labels] =
            [0, 16, 32, 48].map(|shift| (lengths >> shift & 0xffff) as usize);
        let bytes = app + name + help + labels;
        let text_end = HEAD + bytes.div_ceil(8);
        if text_end + count >= words {
            return None;
        }
        let texts: Vec<u8> = (HEAD..text_end)
            .flat_map(|at| word(at).to_le_bytes())
            .take(bytes)
            .collect();
        let mut rest = &texts[..];
        let mut take = |length: usize| {
            let (text, others) = rest.split_at_checked(length)?;
            rest = others;
            Some(str::from_utf8(text).ok()?.to_owned())
        };
        let (app, name, help) = (take(app)?, take(name)?, take(help)?);
        let record = Record {
            kind,
            app,
            name,
            help,
            labels: read_labels(rest)?,
            bounds: (text_end..text_end + count)
                .map(|at| f64::from_bits(word(at)))
                .collect(),
        };
        (record.is_sound() && record.words() == words).then_some(Self {
            values: at + text_end + count,
            record,
        })
    }
}

impl Record {
    /// Whether it could have been defined.
    fn is_sound(&self) -> bool {
        let labels: Vec<_> = self
            .labels
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        let definition = MetricDefinition::new(self.kind, &self.name, &self.help)
            .with_labels(&labels)
            .with_bounds(&self.bounds);
        definition.check().is_ok() && !is_reserved(&self.name)
    }
}

/// Whether a name is the server's own, or the process's.
pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|prefix| name.starts_with(prefix))
}

/// Takes the record at `at` away: it was written by a program that meant something else by its name.
pub(super) fn retire(sheet: &SharedWords, at: usize) {
    let head = sheet.word(at);
    head.store(head.load(Relaxed) & !0xff, Relaxed);
}

fn read_labels(mut rest: &[u8]) -> Option<Vec<(String, String)>> {
    let mut labels = Vec::new();
    while !rest.is_empty() {
        let mut length = || {
            let (bytes, others) = rest.split_first_chunk::<2>()?;
            rest = others;
            Some(usize::from(u16::from_le_bytes(*bytes)))
        };
        let (name, value) = (length()?, length()?);
        let mut take = |length: usize| {
            let (text, others) = rest.split_at_checked(length)?;
            rest = others;
            Some(str::from_utf8(text).ok()?.to_owned())
        };
        labels.push((take(name)?, take(value)?));
    }
    Some(labels)
}

fn code(kind: MetricKind) -> u64 {
    match kind {
        MetricKind::Counter => COUNTER,
        MetricKind::Gauge => GAUGE,
        _ => HISTOGRAM,
    }
}

const COUNTER: u64 = 1;
const GAUGE: u64 = 2;
const HISTOGRAM: u64 = 3;

/// Words before the texts: kind, bounds and length; the lengths of the texts.
const HEAD: usize = 2;
const RESERVED: [&str; 2] = ["gatewayd_", "process_"];
