//! The section `templates` of the configuration.

use serde::Deserialize;

use crate::config::{Config, ConfigError};

/// How templates are read and how much they may do.
#[derive(Debug)]
pub(super) struct Settings {
    /// Whether a changed file is read again; the default is whether this is a debug run.
    pub(super) auto_reload: bool,
    /// The most instructions of a template; more is an error, before a page keeps its thread for seconds.
    pub(super) fuel: u64,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Section {
    auto_reload: Option<bool>,
    fuel: u64,
}

impl Settings {
    pub(super) fn read(config: &Config) -> Result<Self, ConfigError> {
        let section: Section = config.section("templates")?;
        Ok(Self {
            auto_reload: section.auto_reload.unwrap_or_else(|| config.debug()),
            fuel: section.fuel,
        })
    }
}

impl Default for Section {
    fn default() -> Self {
        Self {
            auto_reload: None,
            fuel: FUEL,
        }
    }
}

/// A table of 100,000 rows needs about a third of it.
const FUEL: u64 = 10_000_000;
