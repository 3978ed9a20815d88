//! The Content-Security-Policy: as it stands, and with the nonce of a page in it.

use http::header::HeaderValue;

/// A policy, ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct ContentPolicy {
    /// As it stands, for pages without a nonce.
    fixed: HeaderValue,
    /// The same without a word on frames.
    fixed_frameless: HeaderValue,
    /// What stands around the nonces; a single piece if the policy has no place for one.
    pieces: Vec<String>,
    /// The directive on frames.
    frames: Option<&'static str>,
}

/// A directive: its name, its sources.
type Directive<'a> = (&'a str, Vec<&'a str>);

impl ContentPolicy {
    /// Reads a policy; `frames` is the source for `frame-ancestors`, unless the policy names one itself.
    ///
    /// # Errors
    ///
    /// The policy cannot stand in a field.
    pub(super) fn parse(text: &str, frames: Option<&'static str>) -> Result<Self, BadPolicy> {
        let bad = || BadPolicy(text.escape_debug().to_string());
        let directives = directives(text);
        if directives.is_empty() {
            return Err(bad());
        }
        let frames = frames.filter(|_| !has(&directives, "frame-ancestors"));
        let bare = written(&directives);
        let framed = match frames {
            Some(frames) => format!("{bare}; frame-ancestors {frames}"),
            None => bare.clone(),
        };
        let pieces = written(&with_places(directives));
        Ok(Self {
            fixed: HeaderValue::try_from(framed).map_err(|_| bad())?,
            fixed_frameless: HeaderValue::try_from(bare).map_err(|_| bad())?,
            pieces: pieces.split(PLACE).map(str::to_owned).collect(),
            frames,
        })
    }

    pub(super) fn wants_nonces(&self) -> bool {
        self.pieces.len() > 1
    }

    /// The policy of one page. `frameless`: the page says itself who may frame it.
    pub(super) fn value(&self, nonce: Option<&str>, frameless: bool) -> HeaderValue {
        let fixed = match frameless {
            true => &self.fixed_frameless,
            false => &self.fixed,
        };
        let Some(nonce) = nonce.filter(|_| self.wants_nonces()) else {
            return fixed.clone();
        };
        let mut text = self.pieces.join(&format!("'nonce-{nonce}'"));
        if let Some(frames) = self.frames.filter(|_| !frameless) {
            text.push_str("; frame-ancestors ");
            text.push_str(frames);
        }
        HeaderValue::try_from(text).unwrap_or_else(|_| fixed.clone())
    }
}

/// The text is no policy.
#[derive(Debug, thiserror::Error)]
#[error("expected a Content-Security-Policy such as `default-src 'self'`, found `{0}`")]
pub(crate) struct BadPolicy(String);

fn directives(text: &str) -> Vec<Directive<'_>> {
    let read = |directive| {
        let mut words = str::split_ascii_whitespace(directive);
        Some((words.next()?, words.collect()))
    };
    text.split(';').filter_map(read).collect()
}

/// The policy with a place for the nonce wherever inline code is refused. Directives that fall back to
/// `default-src` get their own line for it.
fn with_places(mut directives: Vec<Directive<'_>>) -> Vec<Directive<'_>> {
    let fallback = directives.iter().find(|(name, _)| *name == "default-src");
    if let Some((_, fallback)) = fallback.cloned() {
        for name in ["script-src", "style-src"] {
            if !has(&directives, name) {
                directives.push((name, fallback.clone()));
            }
        }
    }
    for (name, sources) in &mut directives {
        // With a nonce beside it, `'unsafe-inline'` would count no more.
        if NONCED.contains(name) && !sources.contains(&"'unsafe-inline'") {
            sources.retain(|source| *source != "'none'");
            sources.push(PLACE);
        }
    }
    directives
}

fn has(directives: &[Directive<'_>], name: &str) -> bool {
    directives.iter().any(|(other, _)| *other == name)
}

fn written(directives: &[Directive<'_>]) -> String {
    let written = directives.iter().map(|(name, sources)| {
        let words = std::iter::once(name).chain(sources);
        words.copied().collect::<Vec<_>>().join(" ")
    });
    written.collect::<Vec<_>>().join("; ")
}

const NONCED: [&str; 4] = [
    "script-src",
    "script-src-elem",
    "style-src",
    "style-src-elem",
];
/// No source, since it holds a control character.
const PLACE: &str = "\0";

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(text: &str, nonce: Option<&str>, frameless: bool) -> String {
        let policy = ContentPolicy::parse(text, Some("'none'")).unwrap();
        policy.value(nonce, frameless).to_str().unwrap().to_owned()
    }

    #[test]
    fn without_a_nonce_the_policy_is_sent_as_it_stands() {
        let text = "default-src 'self';  img-src *;";
        assert_eq!(
            sent(text, None, false),
            "default-src 'self'; img-src *; frame-ancestors 'none'"
        );
        assert_eq!(sent(text, None, true), "default-src 'self'; img-src *");
        assert_eq!(
            sent("frame-ancestors https://a.example", None, false),
            "frame-ancestors https://a.example"
        );
    }

    #[test]
    fn a_nonce_joins_what_scripts_and_styles_may_come_from() {
        assert_eq!(
            sent("default-src 'self'; style-src 'none'", Some("n"), true),
            "default-src 'self'; style-src 'nonce-n'; script-src 'self' 'nonce-n'"
        );
        assert_eq!(
            sent("script-src 'self'", Some("n"), false),
            "script-src 'self' 'nonce-n'; frame-ancestors 'none'"
        );
    }

    #[test]
    fn a_policy_that_allows_inline_code_keeps_allowing_it() {
        let text = "script-src 'unsafe-inline'; style-src 'unsafe-inline'";
        assert_eq!(sent(text, Some("n"), true), text);
        assert!(!ContentPolicy::parse(text, None).unwrap().wants_nonces());
    }

    #[test]
    fn what_cannot_be_sent_is_no_policy() {
        for text in ["", " ; ", "default-src\u{7f}", "default-src 'self'\0"] {
            assert!(ContentPolicy::parse(text, None).is_err(), "{text:?}");
        }
    }
}
