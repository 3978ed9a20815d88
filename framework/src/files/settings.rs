//! The section `files` of the configuration.

use std::time::Duration;

use serde::Deserialize;

use crate::config::{Config, ConfigError, time};

/// How files are sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// `SEND_FILE_MAX_AGE_DEFAULT`: how long a client may use a file without asking again. Not at all by default.
    #[serde(deserialize_with = "time")]
    pub(super) max_age: Duration,
}

impl Settings {
    pub(crate) fn read(config: &Config) -> Result<Self, ConfigError> {
        config.section("files")
    }
}
