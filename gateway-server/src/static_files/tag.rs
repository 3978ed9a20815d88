//! [`Tag`]: the entity tag of a file (RFC 9110 §8.8.3), and those that clients send.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::coding::Coding;

/// What a file is known again by: its time of change and its length, as nginx and Apache have it. What
/// else tells two files apart, the inode, differs from machine to machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    /// With its quotes.
    opaque: String,
    weak: bool,
}

impl Tag {
    /// The tag of a file. It is strong, unless the file was changed a moment ago: then it may be
    /// changed once more without a change of what the tag is made of.
    pub(super) fn of(
        changed: SystemTime,
        length: u64,
        coding: Option<Coding>,
        now: SystemTime,
    ) -> Self {
        let time = match changed.duration_since(UNIX_EPOCH) {
            Ok(since) => format!("{:x}", since.as_nanos()),
            Err(before) => format!("m{:x}", before.duration().as_nanos()),
        };
        let end = coding.map_or("", |coding| match coding {
            Coding::Brotli => "-br",
            Coding::Zstd => "-zst",
            Coding::Gzip => "-gz",
        });
        Self {
            opaque: format!("\"{time}-{length:x}{end}\""),
            weak: now.duration_since(changed).is_ok_and(|age| age < SETTLING),
        }
    }

    /// As a field says it.
    pub(super) fn to_value(&self) -> String {
        match self.weak {
            true => format!("W/{}", self.opaque),
            false => self.opaque.clone(),
        }
    }

    /// Whether one of those in `lines`, lists as If-Match has them, is this one and strong as this one
    /// is, or is `*`.
    pub(super) fn is_strongly_among(&self, lines: &[&[u8]]) -> bool {
        self.is_listed(lines, |weak| !weak && !self.weak)
    }

    /// As [`Tag::is_strongly_among`], be they weak or strong.
    pub(super) fn is_among(&self, lines: &[&[u8]]) -> bool {
        self.is_listed(lines, |_| true)
    }

    /// Whether a value is this one tag, both of them strong.
    pub(super) fn is_strongly(&self, value: &[u8]) -> bool {
        !self.weak && value == self.opaque.as_bytes()
    }

    fn is_listed(&self, lines: &[&[u8]], counts: impl Fn(bool) -> bool) -> bool {
        lines.iter().any(|line| {
            let mut listed = list(line);
            line.trim_ascii() == b"*"
                || listed.any(|(weak, opaque)| opaque == self.opaque.as_bytes() && counts(weak))
        })
    }
}

/// Whether a value means to be a tag, not a date.
pub(super) fn looks_like_one(value: &[u8]) -> bool {
    value.starts_with(b"\"") || value.starts_with(b"W/")
}

/// The tags of a list, up to the first thing that is none: whether each is weak, and its opaque part with
/// the quotes.
fn list(line: &[u8]) -> impl Iterator<Item = (bool, &[u8])> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let between = |byte: &&u8| matches!(byte, b' ' | b'\t' | b',');
        rest = &rest[rest.iter().take_while(between).count()..];
        let quoted = rest.strip_prefix(b"W/");
        let (weak, quoted) = (quoted.is_some(), quoted.unwrap_or(rest));
        let end = quoted
            .strip_prefix(b"\"")?
            .iter()
            .position(|byte| *byte == b'"')?
            + 2;
        let (opaque, behind) = quoted.split_at(end);
        rest = behind;
        Some((weak, opaque))
    })
}

/// For how long a change may be followed by another at what passes for the same time: file systems
/// count in steps of up to two seconds.
const SETTLING: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(age: u64) -> Tag {
        let changed = UNIX_EPOCH + Duration::from_nanos(0x1234);
        Tag::of(changed, 0x10, None, changed + Duration::from_secs(age))
    }

    #[test]
    fn a_tag_is_strong_once_its_file_has_settled() {
        assert_eq!(tag(2).to_value(), "\"1234-10\"");
        assert_eq!(tag(1).to_value(), "W/\"1234-10\"");
        let old = UNIX_EPOCH - Duration::from_nanos(1);
        let tag = Tag::of(old, 0, Some(Coding::Gzip), SystemTime::now());
        assert_eq!(tag.to_value(), "\"m1-0-gz\"");
    }

    #[test]
    fn lists_are_compared_weakly_and_strongly() {
        for (line, weakly, strongly) in [
            ("\"1234-10\"", true, true),
            ("W/\"1234-10\"", true, false),
            ("\"x\", \"1234-10\"", true, true),
            ("\"x,\",W/\"1234-10\" , \"y\"", true, false),
            ("*", true, true),
            ("\"1234-1\"", false, false),
            ("1234-10", false, false),
            ("\"1234-10", false, false),
            ("w/\"1234-10\"", false, false),
            ("nonsense, \"1234-10\"", false, false),
            ("", false, false),
        ] {
            let lines = [&b"\"other\""[..], line.as_bytes()];
            assert_eq!(tag(9).is_among(&lines), weakly, "{line}");
            assert_eq!(tag(9).is_strongly_among(&lines), strongly, "{line}");
        }
        assert!(tag(0).is_among(&[b"\"1234-10\""]));
        assert!(!tag(0).is_strongly_among(&[b"\"1234-10\""]));
        assert!(!tag(0).is_strongly(b"\"1234-10\""));
    }
}
