//! Durations in settings: seconds, as Flask has them, or a text with units.

use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error as _};

/// Reads `90`, `"12h"`, `"1h 30m"`: 100 years at most.
pub(crate) fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Written {
        Seconds(u64),
        Text(String),
    }
    let expected = "expected a number of seconds, or a time such as \"31d\" or \"1h 30m\"";
    let time = match Written::deserialize(from).map_err(|_| D::Error::custom(expected))? {
        Written::Seconds(seconds) => Duration::from_secs(seconds),
        Written::Text(text) => {
            humantime::parse_duration(&text).map_err(|_| D::Error::custom(expected))?
        }
    };
    match time <= LONGEST {
        true => Ok(time),
        false => Err(D::Error::custom("expected a time of at most 100 years")),
    }
}

/// Beyond it clocks and cookies have no dates.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// As [`duration`], where there need be none.
pub(crate) fn optional_duration<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Duration>, D::Error> {
    duration(from).map(Some)
}
