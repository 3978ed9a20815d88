//! [`Dates`]: the times of lines, from the monotonic clock that requests are timed by.

use std::cell::{Cell, RefCell};
use std::time::{Duration, SystemTime};

use super::format::Quoting;
use super::line::Line;
use super::number::push_number;

/// What the monotonic clock means, and how the last second was written.
#[derive(Debug)]
pub(super) struct Dates {
    /// Nanoseconds from that clock's zero to the epoch's.
    offset_ns: Cell<u64>,
    second: RefCell<Second>,
}

#[derive(Debug, Default)]
struct Second {
    since_epoch: u64,
    text: String,
}

impl Dates {
    pub(super) fn new() -> Self {
        let dates = Self {
            offset_ns: Cell::new(0),
            second: RefCell::default(),
        };
        dates.refresh();
        dates
    }

    /// Looks at both clocks: one of them may have been set.
    pub(super) fn refresh(&self) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.map_or(0, nanoseconds);
        let monotonic = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC);
        let monotonic = monotonic.map_or(0, |time| nanoseconds(time.into()));
        self.offset_ns.set(now.saturating_sub(monotonic));
    }

    /// The second that a time is in, since the epoch.
    #[inline]
    pub(super) fn second(&self, monotonic_ns: u64) -> u64 {
        (monotonic_ns + self.offset_ns.get()) / 1_000_000_000
    }

    /// Appends a time: as Apache does, `22/Nov/2026:05:18:49 +0000`, or as a string of RFC 3339.
    pub(super) fn push(&self, line: &mut Line<'_>, monotonic_ns: u64, quoting: Quoting) {
        let time = monotonic_ns + self.offset_ns.get();
        let (whole, rest) = (time / 1_000_000_000, time % 1_000_000_000);
        let mut second = self.second.borrow_mut();
        if second.since_epoch != whole || second.text.is_empty() {
            second.since_epoch = whole;
            second.text = match quoting {
                Quoting::Text => apache(whole),
                Quoting::Json => rfc3339(whole),
            };
        }
        match quoting {
            Quoting::Text => line.extend_from_slice(second.text.as_bytes()),
            Quoting::Json => {
                line.push(b'"');
                line.extend_from_slice(second.text.as_bytes());
                line.push(b'.');
                let millis = rest / 1_000_000;
                for scale in [100, 10] {
                    if millis < scale {
                        line.push(b'0');
                    }
                }
                push_number(line, millis);
                line.extend_from_slice(b"Z\"");
            }
        }
    }
}

/// A second since the epoch as `2026-11-22T05:18:49`.
pub(super) fn rfc3339(second: u64) -> String {
    let text = imf(second);
    let part = |range| text.get(range).unwrap_or_default();
    let month = MONTHS.iter().position(|name| *name == part(8..11));
    let month = month.map_or(0, |at| at + 1);
    format!(
        "{}-{month:02}-{}T{}",
        part(12..16),
        part(5..7),
        part(17..25)
    )
}

fn apache(second: u64) -> String {
    let text = imf(second);
    let part = |range| text.get(range).unwrap_or_default();
    format!(
        "{}/{}/{}:{} +0000",
        part(5..7),
        part(8..11),
        part(12..16),
        part(17..25)
    )
}

/// `Sun, 22 Nov 2026 05:18:49 GMT`, by the HTTP library.
fn imf(second: u64) -> String {
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(second))
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

#[cfg(test)]
mod tests {
    use super::super::line::PAGE;
    use super::*;

    #[test]
    fn a_second_is_written_as_logs_want_it() {
        assert_eq!(apache(1_795_324_729), "22/Nov/2026:05:18:49 +0000");
        assert_eq!(rfc3339(1_795_324_729), "2026-11-22T05:18:49");
        let dates = Dates::new();
        dates.offset_ns.set(1_795_324_729_000_000_000);
        let mut page = [0; PAGE];
        let mut line = Line::on(&mut page);
        dates.push(&mut line, 7_000_000, Quoting::Json);
        assert_eq!(*line, *b"\"2026-11-22T05:18:49.007Z\"");
    }
}
