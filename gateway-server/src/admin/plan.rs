//! What the master writes into the admin process's command line: which descriptor is what.

use std::ffi::{CString, OsStr};
use std::os::fd::RawFd;

/// The first argument of such a process; the second is a plan.
pub(crate) const ROLE: &str = "--gatewayd-admin";

/// Whether the server has had such a process before, in this program or another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rank {
    /// What is there to be told, nobody has told.
    First,
    /// What was there before it started, another has told.
    Heir,
}

/// The numbers that the process starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The configuration, in a sealed memory file.
    pub(crate) config: RawFd,
    /// What the master tells.
    pub(crate) board: RawFd,
    /// Where the pages of workers come from.
    pub(crate) pages: RawFd,
    /// What applications count.
    pub(crate) book: RawFd,
    pub(crate) rank: Rank,
    /// Where operators connect to.
    pub(crate) listener: Option<RawFd>,
}

impl Plan {
    /// The whole command line.
    pub(crate) fn arguments(&self) -> [CString; 2] {
        let Self {
            config,
            board,
            pages,
            book,
            rank,
            ..
        } = self;
        let rank = RawFd::from(*rank == Rank::Heir);
        let listener = self.listener.map(|number| format!(",{number}"));
        let text = format!(
            "{config},{board},{pages},{book},{rank}{}",
            listener.unwrap_or_default()
        );
        [ROLE, &text].map(|word| CString::new(word).expect("digits and commas hold no NUL"))
    }

    /// Reads what a master of this version wrote.
    pub(super) fn parse(argument: &OsStr) -> Option<Self> {
        let numbers = argument.to_str()?.split(',').map(|digits| {
            let number: RawFd = digits.parse().ok()?;
            Some(number).filter(|number| *number >= 0)
        });
        let numbers: Vec<RawFd> = numbers.collect::<Option<_>>()?;
        let [config, board, pages, book, rank, ref rest @ ..] = numbers[..] else {
            return None;
        };
        let rank = match rank {
            0 => Rank::First,
            1 => Rank::Heir,
            _ => return None,
        };
        let listener = match *rest {
            [] => None,
            [listener] => Some(listener),
            _ => return None,
        };
        Some(Self {
            config,
            board,
            pages,
            book,
            rank,
            listener,
        })
    }

    /// Every descriptor of the plan.
    pub(super) fn descriptors(&self) -> Vec<RawFd> {
        let mut all = vec![self.config, self.board, self.pages, self.book];
        all.extend(self.listener);
        all
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn the_process_reads_the_plan_that_the_master_wrote() {
        for (listener, rank) in [(None, Rank::First), (Some(7), Rank::Heir)] {
            let plan = Plan {
                config: 4,
                board: 5,
                pages: 6,
                book: 8,
                rank,
                listener,
            };
            let [_, argument] = plan.arguments();
            let read = Plan::parse(OsStr::from_bytes(argument.as_bytes()));
            assert_eq!(read, Some(plan));
        }
        for text in [
            "",
            "1,2,3,4",
            "1,2,3,4,0,5,6",
            "1,2,3,-4,0",
            "1,2,3,4,2",
            "a,b,c,d,0",
        ] {
            assert_eq!(Plan::parse(OsStr::new(text)), None, "{text}");
        }
    }
}
