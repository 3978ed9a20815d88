//! What applications count for their operators, in memory that the master owns: a sheet for each worker
//! that lives, which another worker goes on with when that one has ended.
//!
//! So counters survive the workers that counted, and a reload, and an upgrade; nobody folds or copies
//! anything, and a worker that counts touches no memory of another. Applications may scribble here:
//! whoever reads takes every word for what it is, untrusted.

mod book;
mod record;
mod sheet;
mod sum;

use std::num::NonZeroUsize;

pub(crate) use book::Book;
pub(crate) use sheet::Sheet;
pub(crate) use sum::{Family, Reader, Value};

/// `"gwsheet1"`: raised with every change of the form of sheets, so that programs of two forms do not share
/// a book.
const MAGIC_VALUE: u64 = u64::from_le_bytes(*b"gwsheet1");

/// Most sheets: for all workers that there may be, and as many that replace them. One beyond counts nothing.
const SHEETS: usize = 1024;
/// Words of a sheet, 512 KiB; of these only what is used takes memory.
const SHEET_WORDS: NonZeroUsize = NonZeroUsize::new(512 * 1024 / 8).expect("not zero");

/// Where in a book things are, in words. The cover's length is a multiple of a page's.
const MAGIC: usize = 0;
/// Sheets that were ever used.
const TOP: usize = 1;
/// The process that writes in each sheet, or 0.
const OWNERS: usize = 8;
const COVER_WORDS: NonZeroUsize = NonZeroUsize::new(16 * 1024 / 8).expect("not zero");
const BOOK_WORDS: NonZeroUsize =
    NonZeroUsize::new(COVER_WORDS.get() + SHEETS * SHEET_WORDS.get()).expect("not zero");

/// Beside an owner: it has not yet taken away what the one before it had last.
const SETTLING: u64 = 1 << 63;

/// In a sheet: words that are used, this one included.
const USED: usize = 0;
const FIRST_RECORD: usize = 1;

const _: () = assert!(OWNERS + SHEETS <= COVER_WORDS.get());

/// Where a sheet begins.
const fn sheet_at(index: usize) -> usize {
    COVER_WORDS.get() + index * SHEET_WORDS.get()
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use gateway_spec::abi::host::Recorder;
    use gateway_spec::{ErrorKind, MetricDefinition, MetricKind};
    use nix::unistd::Pid;

    use super::*;

    fn family(reader: &Reader, name: &str) -> Option<Family> {
        let mut families = reader.families().into_iter();
        families.find(|family| family.name == name)
    }

    #[test]
    fn there_are_so_many_sheets_and_those_of_the_dead_are_free() {
        let book = Book::open(None).unwrap();
        let reader = Reader::map(book.as_fd().try_clone_to_owned().unwrap()).unwrap();
        for _ in 0..SHEETS {
            assert!(Sheet::claim(&book).unwrap().is_some());
        }
        assert!(Sheet::claim(&book).unwrap().is_none());
        book.release(Pid::from_raw(1));
        assert!(Sheet::claim(&book).unwrap().is_none());
        book.release(Pid::this());
        let depth = MetricDefinition::new(MetricKind::Gauge, "depth", "");
        let sheet = Sheet::claim(&book).unwrap().unwrap();
        sheet.recorder(None, 1).define(&depth).unwrap();
        assert_eq!(family(&reader, "depth").unwrap().series.len(), 1);
        book.release(Pid::this());
        assert_eq!(family(&reader, "depth"), None);
    }

    #[test]
    fn a_later_program_may_mean_something_else_by_a_name() {
        let book = Book::open(None).unwrap();
        let reader = Reader::map(book.as_fd().try_clone_to_owned().unwrap()).unwrap();
        let define = |kind, bounds| {
            let sheet = Sheet::claim(&book).unwrap().unwrap();
            let recorder = sheet.recorder(Some("shop"), 10);
            let definition = MetricDefinition::new(kind, "sizes", "").with_bounds(bounds);
            recorder.define(&definition).unwrap();
            // The same again is the same, and another kind none.
            recorder.define(&definition).unwrap();
            let other = MetricDefinition::new(MetricKind::Counter, "bytes_total", "");
            recorder.define(&other).unwrap();
            let other = MetricDefinition::new(MetricKind::Gauge, "bytes_total", "");
            assert_eq!(recorder.define(&other).unwrap_err(), ErrorKind::Invalid);
            let found = family(&reader, "sizes").unwrap();
            book.release(Pid::this());
            found
        };
        let [one, two] =
            [&[1.0][..], &[1.0, 2.0]].map(|bounds| define(MetricKind::Histogram, bounds));
        let counts = |family: &Family| match family.series.values().next().unwrap() {
            Value::Sizes { counts, .. } => counts.len(),
            other => panic!("{other:?}"),
        };
        assert_eq!([&one, &two].map(counts), [2, 3]);
        let labels = vec![("app".to_owned(), "shop".to_owned())];
        assert!(one.series.contains_key(&labels));
        assert_eq!(define(MetricKind::Gauge, &[]).kind, MetricKind::Gauge);
    }

    #[test]
    fn a_sheet_that_is_full_takes_no_more() {
        let book = Book::open(None).unwrap();
        let sheet = Sheet::claim(&book).unwrap().unwrap();
        let recorder = sheet.recorder(None, usize::MAX);
        let bounds: Vec<f64> = (0..64).map(f64::from).collect();
        let refused = (0..1_000).find_map(|number| {
            let name = format!("sizes_{number}");
            let definition = MetricDefinition::new(MetricKind::Histogram, &name, "");
            let refused = recorder.define(&definition.with_bounds(&bounds)).err();
            refused.map(|kind| (number, kind))
        });
        let (kept, kind) = refused.unwrap();
        assert_eq!(kind, ErrorKind::Limit);
        assert!((400..600).contains(&kept), "{kept}");
    }
}
