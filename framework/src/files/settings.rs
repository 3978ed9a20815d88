//! The section `files` of the configuration.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error as _};

use crate::config::{Config, ConfigError};

/// How files are sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// `SEND_FILE_MAX_AGE_DEFAULT`: how long a client may use a file without asking again. Not at all by default.
    #[serde(deserialize_with = "duration")]
    pub(super) max_age: Duration,
}

impl Settings {
    pub(crate) fn read(config: &Config) -> Result<Self, ConfigError> {
        config.section("files")
    }
}

fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    humantime::parse_duration(&text).map_err(|_| {
        D::Error::custom("expected a time with its unit, such as \"1h\" or \"30days\"")
    })
}
