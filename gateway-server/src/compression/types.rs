//! [`MediaTypes`]: a list of content types, as the setting says it.

use std::fmt;

/// Content types, separated by commas: `text/*,application/json,application/*+xml`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MediaTypes(Vec<Pattern>);

/// One of them; what stands on either side of a star, or the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    begin: String,
    end: Option<String>,
}

impl MediaTypes {
    /// Reads the setting.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let all: Option<Vec<_>> = text
            .split(',')
            .map(|one| Pattern::parse(one.trim()))
            .collect();
        all.map(Self)
    }

    /// Whether a response with this Content-Type is meant. Events never are.
    pub(super) fn contain(&self, value: &[u8]) -> bool {
        let end = value.iter().position(|byte| *byte == b';');
        let kind = value[..end.unwrap_or(value.len())].trim_ascii();
        !kind.eq_ignore_ascii_case(b"text/event-stream")
            && self.0.iter().any(|pattern| pattern.matches(kind))
    }
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        let (kind, subtype) = text.split_once('/')?;
        let plain = |text: &str| {
            let byte = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
            text.bytes().all(byte)
        };
        let (begin, end) = match text.split_once('*') {
            Some((begin, end)) => (begin, Some(end)),
            None => (text, None),
        };
        let good = !kind.is_empty()
            && plain(kind)
            && !subtype.is_empty()
            && plain(&begin[kind.len() + 1..])
            && end.is_none_or(plain);
        good.then(|| Self {
            begin: begin.to_ascii_lowercase(),
            end: end.map(str::to_ascii_lowercase),
        })
    }

    fn matches(&self, kind: &[u8]) -> bool {
        let (begin, end) = (
            self.begin.as_bytes(),
            self.end.as_deref().unwrap_or_default(),
        );
        let Some((first, rest)) = kind.split_at_checked(begin.len()) else {
            return false;
        };
        if !first.eq_ignore_ascii_case(begin) || self.end.is_none() && !rest.is_empty() {
            return false;
        }
        let from = rest.len().checked_sub(end.len());
        from.is_some_and(|from| rest[from..].eq_ignore_ascii_case(end.as_bytes()))
    }
}

impl fmt::Display for MediaTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, Pattern { begin, end }) in self.0.iter().enumerate() {
            f.write_str(if at > 0 { "," } else { "" })?;
            f.write_str(begin)?;
            if let Some(end) = end {
                write!(f, "*{end}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_types_and_stars_any_part_of_the_second_half() {
        let types = MediaTypes::parse("text/*, application/json,application/*+xml").unwrap();
        assert_eq!(
            types.to_string(),
            "text/*,application/json,application/*+xml"
        );
        for (kind, expected) in [
            ("text/html", true),
            ("Text/HTML ; charset=utf-8", true),
            ("text/", true),
            ("application/json", true),
            ("application/json;x", true),
            ("application/jsonp", false),
            ("application/atom+xml", true),
            ("application/xml", false),
            ("image/svg+xml", false),
            ("text", false),
            ("", false),
            ("text/event-stream", false),
        ] {
            assert_eq!(types.contain(kind.as_bytes()), expected, "{kind}");
        }
    }

    #[test]
    fn what_is_no_type_is_refused() {
        for text in [
            "",
            "text",
            "/",
            "text/",
            "/html",
            "*/*",
            "te*t/html",
            "text/**",
            "text/a b",
            "a/b,",
        ] {
            assert_eq!(MediaTypes::parse(text), None, "{text}");
        }
    }
}
