//! [`HttpDate`]: a point of time as HTTP writes it.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point of time, to the second, that reads and writes as `Tue, 14 Nov 2023 22:13:20 GMT`: as
/// dates stand in header fields, and as Flask writes them into JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HttpDate(pub SystemTime);

/// A text that is no date of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a date like Tue, 14 Nov 2023 22:13:20 GMT")]
pub struct NotADate;

impl fmt::Display for HttpDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        httpdate::HttpDate::from(self.0).fmt(f)
    }
}

impl FromStr for HttpDate {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        let time = httpdate::parse_http_date(text).map_err(|_| NotADate)?;
        Ok(Self(time))
    }
}

impl Serialize for HttpDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HttpDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn a_date_comes_back_as_it_was_written() {
        let date = HttpDate(UNIX_EPOCH + Duration::from_secs(1_700_000_000));
        let text = serde_json::to_string(&date).unwrap();
        assert_eq!(text, "\"Tue, 14 Nov 2023 22:13:20 GMT\"");
        assert_eq!(serde_json::from_str::<HttpDate>(&text).unwrap(), date);
        let error = serde_json::from_str::<HttpDate>("\"yesterday\"").unwrap_err();
        assert!(error.to_string().contains("expected a date"), "{error}");
    }
}
