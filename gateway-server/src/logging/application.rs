//! What applications say goes where the server's own lines go.

use gateway_spec::abi::host::{HostTable, Recorder, Services};
use gateway_spec::abi::log_level;
use tracing::Level;
use tracing::level_filters::LevelFilter;

use super::quote::is_odd;
use super::record::Values;

/// The host that an application sees: its lines are logged, with its `name` where there are several, and
/// its wish for the end, with the exit code that it names, is handed to `on_shutdown`. `request` says for
/// which request the calling thread is at work, if that is known, and `recorder` keeps its metrics.
pub(crate) fn host(
    name: Option<String>,
    recorder: Option<Box<dyn Recorder>>,
    on_shutdown: impl Fn(i32) + Send + Sync + 'static,
    request: fn() -> Option<String>,
) -> &'static HostTable {
    let software = concat!("gatewayd ", env!("CARGO_PKG_VERSION"));
    let log = Log {
        name,
        recorder,
        on_shutdown,
        request,
    };
    HostTable::leak(log, software, most_verbose())
}

struct Log<F> {
    name: Option<String>,
    recorder: Option<Box<dyn Recorder>>,
    on_shutdown: F,
    /// For which request this thread is at work.
    request: fn() -> Option<String>,
}

impl<F: Fn(i32) + Send + Sync + 'static> Services for Log<F> {
    fn log(
        &self,
        level: u32,
        target: &[u8],
        message: &[u8],
        pairs: &mut dyn Iterator<Item = (&[u8], &[u8])>,
    ) {
        let line = printable(message);
        let values = Values(
            pairs
                .map(|(key, value)| (printable(key), printable(value)))
                .collect(),
        );
        let target = match &self.name {
            Some(name) => format!("{name}: {}", printable(target)),
            None => printable(target),
        };
        let id = (self.request)().unwrap_or_default();
        // Who writes the id as well, for servers that do not, says it no second time.
        let line = match line
            .strip_prefix(&id)
            .and_then(|rest| rest.strip_prefix(' '))
        {
            Some(rest) if !id.is_empty() => rest,
            _ => &line,
        };
        macro_rules! say {
            ($level:expr) => {
                tracing::event!($level, app.target = target, app.request = %id, app.values = ?values, "{line}")
            };
        }
        match level {
            log_level::ERROR => say!(Level::ERROR),
            log_level::WARN => say!(Level::WARN),
            log_level::INFO => say!(Level::INFO),
            log_level::DEBUG => say!(Level::DEBUG),
            _ => say!(Level::TRACE),
        }
    }

    fn request_shutdown(&self, code: i32) {
        (self.on_shutdown)(code);
    }

    fn recorder(&mut self) -> Option<Box<dyn Recorder>> {
        self.recorder.take()
    }
}

/// Nothing that an application logs can pass for another line.
pub(crate) fn printable(text: &[u8]) -> String {
    String::from_utf8_lossy(text)
        .chars()
        .flat_map(|letter| {
            let odd = letter.is_control() || is_odd(letter);
            let escaped = odd.then(|| letter.escape_default());
            let plain = escaped.is_none().then_some(letter);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}

/// Why an application cannot start, which may be many reasons: lines after the first are indented, as
/// no line of the log is.
pub(crate) fn printable_lines(text: &str) -> String {
    let lines = text.trim_end().lines();
    let lines = lines.map(|line| printable(line.trim().as_bytes()));
    lines.collect::<Vec<_>>().join("\n  ")
}

fn most_verbose() -> u32 {
    let levels = [
        (LevelFilter::TRACE, log_level::TRACE),
        (LevelFilter::DEBUG, log_level::DEBUG),
        (LevelFilter::INFO, log_level::INFO),
        (LevelFilter::WARN, log_level::WARN),
        (LevelFilter::ERROR, log_level::ERROR),
    ];
    let now = LevelFilter::current();
    levels
        .iter()
        .find(|(level, _)| *level == now)
        .map_or(log_level::OFF, |(_, number)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_an_application_never_stand_where_lines_of_the_log_do() {
        let said = "2 mistakes:\n  a\n2026-11-22 forged\u{1b}[2J\r\n";
        let shown = "2 mistakes:\n  a\n  2026-11-22 forged\\u{1b}[2J";
        assert_eq!(printable_lines(said), shown);
        assert_eq!(printable(b"a\nb"), "a\\nb");
        // Nor do they change how what stands beside them looks.
        let turned = "a\u{202e}b\u{2028}c";
        assert_eq!(printable(turned.as_bytes()), "a\\u{202e}b\\u{2028}c");
    }
}
