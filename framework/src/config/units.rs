//! Times and sizes in settings: a number of seconds or bytes as Flask has them, or a text with units as the server has
//! them.

use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error as _};

/// A time in a setting: `500ms`, `30s`, `2m`, `1h` as in the server's settings, `31d` or `1h 30m` beyond those, or a
/// number of seconds as in Flask. For fields of types that sections are read as:
///
/// ```
/// # use std::time::Duration;
/// #[derive(serde::Deserialize)]
/// struct Mail {
///     #[serde(deserialize_with = "carafe::time")]
///     patience: Duration,
///     #[serde(deserialize_with = "carafe::size")]
///     largest: usize,
/// }
///
/// let mail: Mail = serde_json::from_str(r#"{"patience": "30s", "largest": "16MiB"}"#)?;
/// assert_eq!(mail.patience, Duration::from_secs(30));
/// assert_eq!(mail.largest, 16 << 20);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
///
/// What is written is no time, or one of more than 100 years.
pub fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let expected =
        "expected a time such as `500ms`, `30s`, `2m`, `1h` or `31d`, or a number of seconds";
    let time = match Written::deserialize(from).map_err(|_| D::Error::custom(expected))? {
        Written::Number(seconds) => Duration::from_secs(seconds),
        Written::Text(text) => match text.parse() {
            Ok(seconds) if !text.starts_with('+') => Duration::from_secs(seconds),
            _ => humantime::parse_duration(&text).map_err(|_| D::Error::custom(expected))?,
        },
    };
    match time <= LONGEST {
        true => Ok(time),
        false => Err(D::Error::custom("expected a time of at most 100 years")),
    }
}

/// As [`time`], where there need be none.
pub(crate) fn optional_time<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Duration>, D::Error> {
    time(from).map(Some)
}

/// A number of bytes in a setting: `8190`, `64KiB`, `1MiB` or `2GiB`, as in the server's settings. For fields as
/// [`time`] is.
///
/// # Errors
///
/// What is written is no size.
pub fn size<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    let read = Written::deserialize(from).ok().and_then(|written| {
        usize::try_from(match written {
            Written::Number(bytes) => bytes,
            Written::Text(text) => bytes(&text)?,
        })
        .ok()
    });
    read.ok_or_else(|| D::Error::custom("expected a size such as `8190`, `64KiB` or `1MiB`"))
}

/// A size as a setting of its own.
#[derive(serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct Size(#[serde(deserialize_with = "size")] pub(crate) usize);

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Written {
    Number(u64),
    Text(String),
}

fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit());
    let (digits, unit) = text.split_at(digits.unwrap_or(text.len()));
    let scale = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(scale)
}

/// Beyond it clocks and cookies have no dates.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn times_have_the_servers_units_and_days_or_are_seconds() {
        for (written, millis) in [
            (json!("500ms"), 500),
            (json!("30s"), 30_000),
            (json!("2m"), 120_000),
            (json!("1h"), 3_600_000),
            (json!("0"), 0),
            (json!("31d"), 2_678_400_000),
            (json!("1h 30m"), 5_400_000),
            (json!(90), 90_000),
            (json!("90"), 90_000),
        ] {
            let read = time(&written).unwrap();
            assert_eq!(read, Duration::from_millis(millis), "{written}");
        }
        for wrong in [
            json!("soon"),
            json!("-1s"),
            json!("+90"),
            json!(-1),
            json!(1.5),
            Value::Null,
        ] {
            let told = time(&wrong).unwrap_err().to_string();
            assert!(told.contains("such as `500ms`, `30s`, `2m`"), "{told}");
        }
        let endless = time(&json!(u64::MAX)).unwrap_err();
        assert!(endless.to_string().contains("100 years"));
    }

    #[test]
    fn sizes_have_the_servers_units_or_are_bytes() {
        for (written, bytes) in [
            (json!(8190), 8190),
            (json!("8190"), 8190),
            (json!("7B"), 7),
            (json!("64KiB"), 65_536),
            (json!("16MiB"), 16 << 20),
            (json!("2GiB"), 2 << 30),
        ] {
            assert_eq!(size(&written).unwrap(), bytes, "{written}");
        }
        for wrong in [
            "",
            "MiB",
            "+5",
            "64kb",
            "1.5MiB",
            "64 KiB",
            "99999999999GiB",
        ] {
            let told = size(&json!(wrong)).unwrap_err().to_string();
            assert_eq!(told, "expected a size such as `8190`, `64KiB` or `1MiB`");
        }
    }
}
