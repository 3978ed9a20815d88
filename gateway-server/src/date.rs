//! The Date field's value, made once a second (RFC 9110 §6.6.1).

use std::cell::Cell;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::http1::DateLine;

/// The value as of the last refresh: `Sun, 06 Nov 1994 08:49:37 GMT`.
#[derive(Debug)]
pub(crate) struct Date {
    second: Cell<u64>,
    line: DateLine,
}

impl Date {
    pub(crate) fn new() -> Self {
        let date = Self {
            second: Cell::new(0),
            line: DateLine::new(&[b' '; 29]),
        };
        date.refresh();
        date
    }

    /// The field.
    #[inline]
    pub(crate) fn line(&self) -> &DateLine {
        &self.line
    }

    /// Looks at the clock.
    pub(crate) fn refresh(&self) {
        let now = SystemTime::now();
        let second = now
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        if self.second.replace(second) != second {
            let text = httpdate::fmt_http_date(now);
            if let Ok(text) = text.as_bytes().try_into() {
                self.line.set(text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_an_imf_fixdate_of_now() {
        let value = Date::new().line().value();
        let text = std::str::from_utf8(&value).unwrap();
        let parsed = httpdate::parse_http_date(text).unwrap();
        assert!(parsed.elapsed().unwrap().as_secs() < 60, "{text}");
    }
}
