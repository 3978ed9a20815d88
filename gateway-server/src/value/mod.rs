//! The types that settings hold, each with the one text form that the command line, the environment
//! and (in a file) TOML accept.

mod confinement;
mod observing;
mod process;
mod seen;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) use confinement::{Outgoing, Sandbox};
pub(crate) use observing::{
    CollectorUrl, DatagramPlace, FieldName, LogFormat, MetricPrefix, ServiceName,
};
pub(crate) use process::{
    Capabilities, CpuAffinity, Limit, Nice, ShellCommand, Variable, VariableFile,
};
pub(crate) use seen::{Seen, Stamp};

/// A number of bytes, written `8190`, `64KiB`, `1MiB` or `2GiB`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ByteCount(pub(crate) u64);

impl ByteCount {
    /// Reads digits followed by nothing, `B`, `KiB`, `MiB` or `GiB`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (number, unit) = split_number(text)?;
        let scale = match unit {
            "" | "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return None,
        };
        number.checked_mul(scale).map(Self)
    }

    /// For people: in MiB, to a tenth.
    pub(crate) fn rounded(self) -> impl fmt::Display {
        let tenths = self.0.saturating_mul(10).saturating_add(1 << 19) >> 20;
        fmt::from_fn(move |f| write!(f, "{}.{} MiB", tenths / 10, tenths % 10))
    }
}

impl fmt::Display for ByteCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] {
            if self.0 != 0 && self.0.trailing_zeros() >= shift {
                return write!(f, "{}{unit}", self.0 >> shift);
            }
        }
        write!(f, "{}", self.0)
    }
}

/// Where lines are written: a file that is appended to, or standard output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LogTarget {
    /// Standard output, written `-`.
    Stdout,
    /// A system's log (RFC 5424), written `syslog:localhost:514` or `syslog:unix:/dev/log`.
    Syslog(DatagramPlace),
    /// A file, created if it is missing.
    File(PathBuf),
}

impl fmt::Display for LogTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => f.write_str("-"),
            Self::Syslog(place) => write!(f, "{SYSLOG}{place}"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl LogTarget {
    /// What [`LogTarget::parse`] reads, for messages and help.
    pub(crate) const FORM: &str =
        "a file path, `-` for standard output, `syslog:HOST:PORT` or `syslog:unix:/PATH`";

    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(place) = text.strip_prefix(SYSLOG) {
            return DatagramPlace::parse(place).map(Self::Syslog);
        }
        match text {
            "" => None,
            "-" => Some(Self::Stdout),
            path => Some(Self::File(path.into())),
        }
    }

    /// Whether a text names a file.
    pub(crate) fn is_path(text: &str) -> bool {
        !matches!(text, "" | "-") && !text.starts_with(SYSLOG)
    }
}

const SYSLOG: &str = "syslog:";

/// Permissions of a file, written `0660`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileMode(pub(crate) u32);

impl FileMode {
    /// Reads three octal digits, perhaps behind a zero.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = match text.len() {
            3 => text,
            4 => text.strip_prefix('0')?,
            _ => return None,
        };
        let octal = digits.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
        let mode = u32::from_str_radix(digits, 8).ok().filter(|_| octal);
        mode.map(Self)
    }
}

impl fmt::Display for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

/// Who a process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The user, unless it stays as it is.
    pub(crate) user: Option<u32>,
    /// The group.
    pub(crate) group: u32,
    /// All groups.
    pub(crate) groups: Vec<u32>,
}

/// How much of what happens is worth a line on standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LogLevel {
    /// What needs an operator.
    Error,
    /// What may need one.
    Warn,
    /// The life of the server: start, reload, stop.
    #[default]
    Info,
    /// The life of workers and connections.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// All levels, the quietest first.
    pub(crate) const ALL: [Self; 5] = [
        Self::Error,
        Self::Warn,
        Self::Info,
        Self::Debug,
        Self::Trace,
    ];

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == text)
    }

    /// The name that the setting accepts.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Whether clients show certificates of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ClientAuth {
    /// They are not asked for any.
    #[default]
    None,
    /// They are asked; one that is shown has to be good.
    Optional,
    /// Without a good one there is no connection.
    Required,
}

impl ClientAuth {
    pub(crate) const ALL: [Self; 3] = [Self::None, Self::Optional, Self::Required];

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == text)
    }

    /// The name that the setting accepts.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Optional => "optional",
            Self::Required => "required",
        }
    }
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TlsVersion {
    /// RFC 5246, with what has been found out since.
    #[default]
    V12,
    /// RFC 8446.
    V13,
}

impl TlsVersion {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::V12, Self::V13]
            .into_iter()
            .find(|one| one.name() == text)
    }

    /// The name that the setting accepts.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::V12 => "1.2",
            Self::V13 => "1.3",
        }
    }
}

/// Reads `500ms`, `30s`, `2m` or `1h`; a bare number is refused, because it hides its unit. `0` needs none.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = split_number(text)?;
    let scale = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "" if number == 0 => 1,
        _ => return None,
    };
    number.checked_mul(scale).map(Duration::from_millis)
}

/// Writes a whole number of milliseconds in the largest unit that divides it.
pub(crate) fn show_duration(value: Duration) -> String {
    let millis = value.as_millis();
    for (unit, scale) in [("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
        if millis != 0 && millis.is_multiple_of(scale) {
            return format!("{}{unit}", millis / scale);
        }
    }
    if millis == 0 {
        "0s".to_owned()
    } else {
        format!("{millis}ms")
    }
}

/// Digits and the rest; none if there are no digits, or too many for 64 bits.
fn split_number(text: &str) -> Option<(u64, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    // An empty run of digits fails to parse; a sign never reaches the parser.
    Some((digits.parse().ok()?, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_counts_accept_binary_units_only() {
        assert_eq!(ByteCount::parse("8190"), Some(ByteCount(8190)));
        assert_eq!(ByteCount::parse("64KiB"), Some(ByteCount(65_536)));
        assert_eq!(ByteCount::parse("2GiB"), Some(ByteCount(2 << 30)));
        for wrong in [
            "",
            "KiB",
            "+5",
            "-1",
            "64kb",
            "1.5MiB",
            "64 KiB",
            "99999999999GiB",
        ] {
            assert_eq!(ByteCount::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn durations_need_a_unit_unless_they_are_zero() {
        assert_eq!(parse_duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse_duration("2m"), Some(Duration::from_secs(120)));
        assert_eq!(parse_duration("0"), Some(Duration::ZERO));
        for wrong in ["30", "s", "-1s", "1.5s", "1 s", "99999999999999999h"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn values_are_shown_in_the_form_that_is_read() {
        for text in ["250ms", "30s", "2m", "1h", "0s"] {
            assert_eq!(show_duration(parse_duration(text).unwrap()), text);
        }
        for text in ["0", "8190", "64KiB", "100MiB", "1GiB"] {
            assert_eq!(ByteCount::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn modes_are_octal_and_have_three_digits() {
        for (text, mode) in [("0666", 0o666), ("600", 0o600), ("0007", 0o007)] {
            assert_eq!(FileMode::parse(text), Some(FileMode(mode)));
        }
        assert_eq!(FileMode(0o60).to_string(), "0060");
        for wrong in ["", "66", "0689", "1777", "+66", "00666"] {
            assert_eq!(FileMode::parse(wrong), None, "{wrong}");
        }
    }
}
