//! [`Ranged`]: which part of a file a request asks for (RFC 9110 §14).

use gateway_spec::abi::method;

use super::asked::Asked;

/// What is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ranged {
    /// All of it.
    Whole,
    /// So many bytes from an offset on, at least one.
    Part {
        /// Where they begin.
        offset: u64,
        /// How many they are.
        length: u64,
    },
    /// Nothing of what is asked for exists.
    Unsatisfiable,
}

impl Ranged {
    /// Reads the field Range of a GET for `length` bytes. A unit other than bytes, a malformed range and
    /// more ranges than one are answered with the whole, as §14.2 allows.
    pub(super) fn read(asked: &Asked<'_>, length: u64) -> Self {
        let ([value], method::GET) = (&asked.ranges[..], asked.method_id) else {
            return Self::Whole;
        };
        Self::parse(value, length).unwrap_or(Self::Whole)
    }

    fn parse(value: &[u8], length: u64) -> Option<Self> {
        let (unit, range) = value.split_at_checked(BYTES.len())?;
        if !unit.eq_ignore_ascii_case(BYTES) {
            return None;
        }
        let range = range.trim_ascii();
        let hyphen = range.iter().position(|byte| *byte == b'-')?;
        let first = number(&range[..hyphen])?;
        let last = number(&range[hyphen + 1..])?;
        let (offset, end) = match (first, last) {
            (Some(first), Some(last)) if first > last => return None,
            (Some(first), Some(last)) => (first, last.saturating_add(1).min(length)),
            (Some(first), None) => (first, length),
            (None, Some(suffix)) => (length.saturating_sub(suffix), length),
            (None, None) => return None,
        };
        Some(if offset < end {
            Self::Part {
                offset,
                length: end - offset,
            }
        } else {
            Self::Unsatisfiable
        })
    }
}

/// Digits, or nothing at all; more than 64 bits are as far as one can go.
#[expect(clippy::option_option, reason = "no number is not the same as none")]
fn number(digits: &[u8]) -> Option<Option<u64>> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let text = std::str::from_utf8(digits).ok()?;
    Some((!text.is_empty()).then(|| text.parse().unwrap_or(u64::MAX)))
}

const BYTES: &[u8] = b"bytes=";

#[cfg(test)]
mod tests {
    use gateway_spec::abi::{Field, names};

    use super::*;

    fn ranged(method_id: u32, values: &[&str], length: u64) -> Ranged {
        let field =
            |value: &&'static str| Field::new(names::id("range"), b"range", value.as_bytes());
        let values: Vec<&'static str> = values.iter().map(|one| &*one.to_string().leak()).collect();
        let asked = Asked::new(method_id, (b"", b"/", None), values.iter().map(field));
        Ranged::read(&asked, length)
    }

    #[test]
    fn one_range_is_cut_to_what_there_is() {
        let part = |offset, length| Ranged::Part { offset, length };
        for (value, expected) in [
            ("bytes=0-499", part(0, 500)),
            ("bytes=500-", part(500, 500)),
            ("bytes=-1", part(999, 1)),
            ("bytes=-5000", part(0, 1000)),
            ("bytes=999-99999999999999999999", part(999, 1)),
            ("Bytes= 1-1", part(1, 1)),
            ("bytes=0-18446744073709551615", part(0, 1000)),
            ("bytes=1000-", Ranged::Unsatisfiable),
            ("bytes=-0", Ranged::Unsatisfiable),
            ("bytes=99999999999999999999-", Ranged::Unsatisfiable),
            ("bytes=5-4", Ranged::Whole),
            ("bytes=-", Ranged::Whole),
            ("bytes=", Ranged::Whole),
            ("bytes=+1-2", Ranged::Whole),
            ("bytes=1", Ranged::Whole),
            ("bytes=0-1,5-6", Ranged::Whole),
            ("bytes=0-1-2", Ranged::Whole),
            ("lines=0-1", Ranged::Whole),
            ("bytes", Ranged::Whole),
            ("", Ranged::Whole),
        ] {
            assert_eq!(ranged(method::GET, &[value], 1000), expected, "{value}");
        }
    }

    #[test]
    fn only_get_asks_for_a_part_and_only_once() {
        let one = "bytes=0-0";
        assert_eq!(ranged(method::HEAD, &[one], 9), Ranged::Whole);
        assert_eq!(ranged(method::GET, &[one, one], 9), Ranged::Whole);
        assert_eq!(ranged(method::GET, &[], 9), Ranged::Whole);
        let empty = ranged(method::GET, &["bytes=0-"], 0);
        assert_eq!(empty, Ranged::Unsatisfiable);
        assert_eq!(ranged(method::GET, &["bytes=-5"], 0), Ranged::Unsatisfiable);
    }
}
