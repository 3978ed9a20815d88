//! Diagnostics on standard error, through `tracing`: time, process, level, message, fields.

mod access;
mod application;
mod dates;
mod ear;
mod format;
mod journal;
mod line;
mod lines;
mod number;
mod plain;
mod quote;
mod record;
mod request;
mod selection;
mod sink;
mod stderr;
mod syslog;

use std::fmt;
use std::io::IsTerminal;
use std::sync::OnceLock;

use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::reload;

use self::record::Record;
use self::stderr::PatientStderr;
use crate::value::{LogFormat, LogLevel};

pub(crate) use access::{AccessLog, Ended, Manner, Visit};
pub(crate) use application::{host as application_host, printable, printable_lines};
pub(crate) use ear::hear_errors;
pub(crate) use format::Format;
pub(crate) use request::Request as LoggedRequest;
pub(crate) use selection::{Always, Selection};
pub(crate) use sink::open as open_log;

/// Sends what the server has to say to standard error, from `level` on. A subscriber that the program
/// has already set stays.
pub(crate) fn init((level, format): (LogLevel, LogFormat)) {
    let (threshold, handle) = reload::Layer::new(filter(level));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(PatientStderr::new())
        .with_ansi(std::io::stderr().is_terminal())
        .event_format(Line {
            pid: std::process::id(),
            style: match format {
                LogFormat::Json => Style::Json,
                LogFormat::Text if journal::listens() => Style::Journal,
                LogFormat::Text => Style::Text,
            },
        });
    let layers = tracing_subscriber::registry().with(threshold);
    let subscriber = layers.with(lines).with(ear::Ear);
    // Fails only if the program set one of its own, which is its right.
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        let set = move |level| drop(handle.reload(filter(level)));
        let _ = SET_LEVEL.set(Box::new(set));
    }
}

/// Changes the level, if the subscriber is ours.
pub(crate) fn set_level(level: LogLevel) {
    if let Some(set) = SET_LEVEL.get() {
        set(level);
    }
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

/// How the level is changed; the handle's type is too long to name.
static SET_LEVEL: OnceLock<Box<dyn Fn(LogLevel) + Send + Sync>> = OnceLock::new();

/// `2026-11-22T05:18:49.123456Z 4711 INFO message field=value`, or `<6>message field=value` for systemd's
/// journal, which knows the time and the process, or an object of JSON.
#[derive(Debug)]
struct Line {
    pid: u32,
    style: Style,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Text,
    Journal,
    Json,
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let record = Record::of(event);
        let level = *event.metadata().level();
        match self.style {
            Style::Json => writer.write_str(&record.to_json(level, self.pid)),
            Style::Journal => writer.write_str(&journal::lines(level, &record.to_string())),
            Style::Text => {
                SystemTime.format_time(&mut writer)?;
                writeln!(writer, " {} {level:<5} {record}", self.pid)
            }
        }
    }
}
