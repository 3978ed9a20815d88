//! `log`'s records.

use std::sync::OnceLock;

use log::kv::{self, Key, Value, VisitSource};
use log::{LevelFilter, Log, Metadata, Record};

use crate::abi::export::host::{Host, Level};

/// A logger that hands records to the host.
struct Logger(Host);

pub(super) fn install(host: Host) {
    if log::set_logger(LOGGER.get_or_init(|| Logger(host))).is_ok() {
        // How much is kept the host says, at any time.
        log::set_max_level(LevelFilter::Trace);
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.logs(level_of(metadata.level()))
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let mut pairs = Pairs::default();
        // Nothing of ours ends the visit early.
        let _ = record.key_values().visit(&mut pairs);
        let message = record.args().to_string();
        self.0.log_with(
            level_of(record.level()),
            record.target(),
            &message,
            &pairs.0,
        );
    }

    fn flush(&self) {}
}

#[derive(Default)]
struct Pairs(Vec<(String, String)>);

impl<'kvs> VisitSource<'kvs> for Pairs {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        self.0.push((key.to_string(), value.to_string()));
        Ok(())
    }
}

fn level_of(level: log::Level) -> Level {
    match level {
        log::Level::Error => Level::Error,
        log::Level::Warn => Level::Warn,
        log::Level::Info => Level::Info,
        log::Level::Debug => Level::Debug,
        log::Level::Trace => Level::Trace,
    }
}

static LOGGER: OnceLock<Logger> = OnceLock::new();
