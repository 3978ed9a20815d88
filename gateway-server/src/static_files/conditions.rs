//! The conditions of a request (RFC 9110 §13).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::asked::Asked;
use super::tag::{self, Tag};

/// What they come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// They hold, or there are none.
    Proceed,
    /// They hold, but a range would be of another state of the file: the whole is wanted.
    Whole,
    /// The client's copy is good.
    NotModified,
    /// The request was meant for another state of the file.
    Failed,
}

/// Judges the conditions of GET or HEAD in the order of RFC 9110 §13.2.2. `changed` is what
/// Last-Modified says.
pub(super) fn judge(asked: &Asked<'_>, tag: &Tag, changed: SystemTime) -> Verdict {
    let changed = seconds(changed);
    if !asked.if_match.is_empty() {
        if !tag.is_strongly_among(&asked.if_match) {
            return Verdict::Failed;
        }
    } else if date(asked.if_unmodified_since).is_some_and(|then| changed > then) {
        return Verdict::Failed;
    }
    if !asked.if_none_match.is_empty() {
        if tag.is_among(&asked.if_none_match) {
            return Verdict::NotModified;
        }
    } else if date(asked.if_modified_since).is_some_and(|then| changed <= then) {
        return Verdict::NotModified;
    }
    match asked.if_range {
        None => Verdict::Proceed,
        // §13.1.5: the same tag, strongly, or exactly the same date.
        Some(value) if tag.is_strongly(value) => Verdict::Proceed,
        Some(value) if tag::looks_like_one(value) => Verdict::Whole,
        Some(value) if date(Some(value)) == Some(changed) => Verdict::Proceed,
        Some(_) => Verdict::Whole,
    }
}

/// The seconds of a date; a malformed one says nothing (§13.1.3, §13.1.4).
fn date(value: Option<&[u8]>) -> Option<Duration> {
    let text = std::str::from_utf8(value?).ok()?;
    httpdate::parse_http_date(text).ok().map(seconds)
}

/// What a date in a field can say of a time; what was before 1970 it cannot.
fn seconds(time: SystemTime) -> Duration {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Duration::from_secs(since.as_secs())
}

#[cfg(test)]
mod tests {
    use gateway_spec::abi::{Field, method, names};

    use super::*;

    const CHANGED: &str = "Tue, 14 Nov 2023 22:13:20 GMT";
    const BEFORE: &str = "Tue, 14 Nov 2023 22:13:19 GMT";
    const AFTER: &str = "Tue, 14 Nov 2023 22:13:21 GMT";
    const TAG: &str = "\"17979cfe53f76500-5\"";

    #[track_caller]
    fn expect(fields: &[(&str, &str)], expected: Verdict) {
        let lines = fields.iter().map(|(name, value)| {
            let name = name.as_bytes();
            Field::new(names::id_of(name), name, value.as_bytes())
        });
        let asked = Asked::new(method::GET, (b"", b"/", None), lines);
        // Half a second more than a field can say.
        let changed = UNIX_EPOCH + Duration::from_millis(1_700_000_000_500);
        let tag = Tag::of(changed, 5, None, changed + Duration::from_secs(60));
        assert_eq!(tag.to_value(), TAG);
        assert_eq!(judge(&asked, &tag, changed), expected, "{fields:?}");
    }

    #[test]
    fn conditions_are_judged_in_the_order_of_the_rfc() {
        use Verdict::{Failed, NotModified, Proceed};
        let other = "\"other\"";
        let weak = format!("W/{TAG}");
        let (mine, both) = (TAG, format!("{other}, {TAG}"));
        for (fields, expected) in [
            (&[][..], Proceed),
            (&[("if-match", mine)], Proceed),
            (&[("if-match", "*")], Proceed),
            (&[("if-match", &weak)], Failed),
            (&[("if-match", other)], Failed),
            // A tag counts more than a date.
            (
                &[("if-match", mine), ("if-unmodified-since", BEFORE)],
                Proceed,
            ),
            (&[("if-match", other), ("if-none-match", mine)], Failed),
            (&[("if-unmodified-since", BEFORE)], Failed),
            (&[("if-unmodified-since", CHANGED)], Proceed),
            (&[("if-unmodified-since", "yesterday")], Proceed),
            (
                &[("if-unmodified-since", BEFORE), ("if-none-match", mine)],
                Failed,
            ),
            (&[("if-none-match", mine)], NotModified),
            (&[("if-none-match", &weak)], NotModified),
            (&[("if-none-match", &both)], NotModified),
            (&[("if-none-match", "*")], NotModified),
            (&[("if-none-match", other)], Proceed),
            (
                &[("if-none-match", other), ("if-modified-since", AFTER)],
                Proceed,
            ),
            (&[("if-modified-since", BEFORE)], Proceed),
            (&[("if-modified-since", CHANGED)], NotModified),
            (&[("if-modified-since", AFTER)], NotModified),
            (&[("if-modified-since", "1700000000")], Proceed),
            (&[("if-match", mine), ("if-none-match", mine)], NotModified),
        ] {
            expect(fields, expected);
        }
    }

    #[test]
    fn a_range_is_wanted_of_the_same_state_alone() {
        let weak = format!("W/{TAG}");
        for (value, expected) in [
            (TAG, Verdict::Proceed),
            (&*weak, Verdict::Whole),
            ("\"other\"", Verdict::Whole),
            (CHANGED, Verdict::Proceed),
            (AFTER, Verdict::Whole),
            (BEFORE, Verdict::Whole),
            ("*", Verdict::Whole),
            ("", Verdict::Whole),
        ] {
            expect(&[("if-range", value)], expected);
        }
    }
}
