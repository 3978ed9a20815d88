//! systemd's journal as the reader of standard error: `sd-daemon(3)`'s levels before each line.

use std::io;

use nix::sys::stat::fstat;
use tracing::Level;

/// Whether standard error is the journal's, and not only an ancestor's was.
pub(super) fn listens() -> bool {
    let stream = std::env::var("JOURNAL_STREAM").unwrap_or_default();
    fstat(io::stderr()).is_ok_and(|found| is_stream(&stream, found.st_dev, found.st_ino))
}

/// `JOURNAL_STREAM` names device and inode of the journal's socket.
fn is_stream(named: &str, device: u64, inode: u64) -> bool {
    named == format!("{device}:{inode}")
}

/// Each line with its level, since the journal takes every line for a message of its own.
pub(super) fn lines(level: Level, text: &str) -> String {
    let number = match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    };
    text.lines()
        .map(|line| format!("<{number}>{line}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_its_level_and_only_the_named_stream_is_the_journal() {
        assert_eq!(lines(Level::ERROR, "a\n  b"), "<3>a\n<3>  b\n");
        assert_eq!(lines(Level::TRACE, "a"), "<7>a\n");
        assert!(is_stream("8:1", 8, 1) && !is_stream("", 8, 1) && !is_stream("8:11", 8, 1));
    }
}
