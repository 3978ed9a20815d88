//! Diagnostics on standard error, through `tracing`: time, process, level, message, fields.

mod access;
mod application;
mod stderr;

use std::fmt;
use std::io::IsTerminal;

use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use self::stderr::PatientStderr;
use crate::value::LogLevel;

pub(crate) use access::{AccessLog, Request as LoggedRequest, Visit};
pub(crate) use application::{host as application_host, printable};

/// Sends what the server has to say to standard error, from `level` on. A subscriber that the program
/// has already set stays.
pub(crate) fn init(level: LogLevel) {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(PatientStderr::new())
        .with_ansi(std::io::stderr().is_terminal())
        .event_format(Line {
            pid: std::process::id(),
        })
        .finish();
    // Fails only if the program set one of its own, which is its right.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// `2026-11-22T05:18:49.123456Z 4711 INFO message field=value`.
#[derive(Debug)]
struct Line {
    pid: u32,
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        SystemTime.format_time(&mut writer)?;
        write!(writer, " {} {:<5} ", self.pid, event.metadata().level())?;
        context
            .field_format()
            .format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}
