//! [`Selection`]: which requests are worth a line.

use std::cell::Cell;
use std::fmt;
use std::time::Duration;

/// Every so many-th request, and all of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    /// One of so many; 0 for none.
    one_of: u32,
    always: Always,
    slow_ns: u64,
    /// Requests until the next that is taken for being one of many.
    left: Cell<u32>,
}

/// Which kinds are always worth a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Always {
    client_errors: bool,
    server_errors: bool,
    slow: bool,
}

impl Always {
    /// What [`Always::parse`] reads, for messages and help.
    pub(crate) const FORM: &str = "any of `4xx`, `5xx` and `slow`, with commas between them";

    /// Reads the form above.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut always = Self::default();
        for word in text.split(',') {
            match word.trim() {
                "4xx" => always.client_errors = true,
                "5xx" => always.server_errors = true,
                "slow" => always.slow = true,
                _ => return None,
            }
        }
        Some(always)
    }
}

impl fmt::Display for Always {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            (self.client_errors, "4xx"),
            (self.server_errors, "5xx"),
            (self.slow, "slow"),
        ];
        let kinds = kinds.iter().filter(|(is, _)| *is).map(|(_, kind)| *kind);
        f.write_str(&kinds.collect::<Vec<_>>().join(","))
    }
}

impl Default for Selection {
    fn default() -> Self {
        Self::new(1, Always::default(), Duration::ZERO)
    }
}

impl Selection {
    pub(crate) fn new(one_of: u32, always: Always, slow: Duration) -> Self {
        Self {
            one_of,
            always,
            slow_ns: u64::try_from(slow.as_nanos()).unwrap_or(u64::MAX),
            left: Cell::new(0),
        }
    }

    /// Whether how long a request took decides.
    pub(super) fn asks_for_time(&self) -> bool {
        self.one_of != 1 && self.always.slow
    }

    /// Whether a request is taken that was answered with this status after such a time.
    pub(super) fn takes(&self, status: u16, took_ns: u64) -> bool {
        if self.one_of == 1 {
            return true;
        }
        let Always {
            client_errors,
            server_errors,
            slow,
        } = self.always;
        if client_errors && (400..500).contains(&status)
            || server_errors && status >= 500
            || slow && took_ns >= self.slow_ns
        {
            return true;
        }
        match (self.one_of, self.left.get()) {
            (0, _) => false,
            (one_of, 0) => {
                self.left.set(one_of - 1);
                true
            }
            (_, left) => {
                self.left.set(left - 1);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_many_is_taken_and_every_one_of_a_kind() {
        let always = Always::parse("5xx, slow").unwrap();
        let some = Selection::new(3, always, Duration::from_nanos(10));
        let taken = (0..7).filter(|_| some.takes(200, 0)).count();
        assert_eq!(taken, 3);
        assert!(some.takes(500, 0) && some.takes(200, 10));
        let none = Selection::new(0, always, Duration::MAX);
        assert!(!none.takes(404, 0) && none.takes(503, 0));
        assert_eq!(Always::parse("3xx"), None);
    }
}
