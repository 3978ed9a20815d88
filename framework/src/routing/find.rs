//! From a path to what it leads to.

use std::borrow::Cow;
use std::sync::Arc;

use super::binding::Binding;
use super::compiled::RuleInfo;
use super::converter::AnyConverter;
use super::location;
use super::map::Map;
use super::methods::MethodSet;
use super::outcome::{Found, Outcome, Stored, Values};
use super::pattern::Spans;
use super::quote::{PATH, decode_path, quote};
use super::search::{End, Search};
use super::value::OwnedValue;
use http::Method;

impl Map {
    /// What the raw `path` below the mount leads to.
    pub fn find(&self, at: &Binding<'_>, path: &[u8], method: &Method) -> Outcome {
        let domain = self.domain(at);
        let mut search = Search::new(&self.trie, &self.rules, method, at.websocket);
        // Rules without variables come first in any case, so that most paths need no walk.
        let shortcut = self.static_paths.get(path).filter(|_| domain.is_empty());
        if let Some(number) = shortcut.and_then(|rules| search.choose(rules)) {
            let mut found = Found::new(&self.rules[number]);
            add_defaults(&self.rules[number], &mut found.values);
            return self.arrive(at, method, found, path);
        }
        let text = Text::of(path);
        match search.run(domain.as_bytes(), text.path()) {
            End::Rule(number) => {
                let rule = &self.rules[number];
                let mut found = Found::new(rule);
                match read_values(rule, &search.spans, domain, &text, &mut found.values) {
                    Some(()) => {
                        found.decoded = text.decoded();
                        self.arrive(at, method, found, path)
                    }
                    None => nothing(search),
                }
            }
            End::SlashMissing => self.same_host(at, &with_slash(text.path())),
            End::Nothing if self.options.merge_slashes && has_double_slash(text.path()) => {
                let merged = merge_slashes(text.path());
                match search.run(domain.as_bytes(), &merged) {
                    End::Rule(number) if self.rules[number].merge_slashes => {
                        self.same_host(at, &merged)
                    }
                    End::SlashMissing => self.same_host(at, &with_slash(&merged)),
                    End::Rule(_) | End::Nothing => nothing(search),
                }
            }
            End::Nothing => nothing(search),
        }
    }

    /// The methods that the raw `path` below the mount answers: none if it is not found, or if its rule
    /// answers all.
    #[must_use]
    pub fn allowed(&self, at: &Binding<'_>, path: &[u8]) -> MethodSet {
        // No rule lists this one, so that every rule says what it would have answered.
        let Ok(none) = Method::from_bytes(b"--") else {
            return MethodSet::new();
        };
        match self.find(at, path, &none) {
            Outcome::MethodNotAllowed(methods) => methods,
            _ => MethodSet::new(),
        }
    }

    /// What a match leads to, which may belong to another place.
    #[inline]
    fn arrive(&self, at: &Binding<'_>, method: &Method, found: Found, path: &[u8]) -> Outcome {
        if !self.rules[found.rule.0].leads_elsewhere() {
            return Outcome::Found(found);
        }
        self.lead_on(at, method, found, path)
    }

    #[cold]
    fn lead_on(&self, at: &Binding<'_>, method: &Method, found: Found, path: &[u8]) -> Outcome {
        let rule = &self.rules[found.rule.0];
        match self.redirect(at, method, rule, &found, path) {
            Some(location) => Outcome::Redirect(location),
            None => Outcome::Found(found),
        }
    }

    /// A redirect to a decoded path on the request's own host.
    fn same_host(&self, at: &Binding<'_>, path: &[u8]) -> Outcome {
        let mut quoted = String::with_capacity(path.len());
        quote(path, PATH, &mut quoted);
        let host = location::host(at, self.options.domains, self.domain(at));
        Outcome::Redirect(location::absolute(at, &host, &quoted))
    }
}

/// Reads the values of a rule's variables, and adds its defaults; `None` if a text is no value after
/// all.
#[inline]
fn read_values(
    rule: &RuleInfo,
    spans: &Spans,
    domain: &str,
    text: &Text<'_>,
    values: &mut Values,
) -> Option<()> {
    for (place, (variable, &(start, end))) in rule.variables.iter().zip(spans).enumerate() {
        let in_domain = place < rule.domain_variables;
        let (from, start, end) = if in_domain {
            (domain.as_bytes(), start, end)
        } else {
            (text.text(), text.from + start, text.from + end)
        };
        let part = from.get(start..end)?;
        let as_text = || std::str::from_utf8(part).ok();
        let value = match &variable.converter {
            AnyConverter::Builtin(builtin) => builtin.parse(part)?,
            AnyConverter::Custom(custom) => Some(custom.parse(as_text()?)?),
        };
        values.push(match value {
            Some(value) => Stored::Owned(value),
            None if in_domain => Stored::Owned(OwnedValue::from(as_text()?)),
            None => Stored::Span(start, end),
        });
    }
    add_defaults(rule, values);
    Some(())
}

/// A path, decoded.
struct Text<'p> {
    raw: &'p [u8],
    /// The text, if it is another than the raw path.
    decoded: Option<String>,
    /// Where the path begins: all slashes before are as good as one.
    from: usize,
}

impl<'p> Text<'p> {
    #[inline]
    fn of(raw: &'p [u8]) -> Self {
        match raw {
            // Most paths are as they stand.
            [b'/', second, ..] if *second != b'/' && is_plain(raw) => Self {
                raw,
                decoded: None,
                from: 0,
            },
            _ => Self::decode(raw),
        }
    }

    #[inline(never)]
    fn decode(raw: &'p [u8]) -> Self {
        let mut text = decode_path(raw);
        if !matches!(raw.first(), None | Some(b'/')) && !text.starts_with('/') {
            text = Cow::Owned(format!("/{text}"));
        }
        let slashes = text.bytes().take_while(|byte| *byte == b'/').count();
        Self {
            raw,
            from: slashes.saturating_sub(1),
            decoded: match text {
                Cow::Borrowed(_) => None,
                Cow::Owned(text) => Some(text),
            },
        }
    }

    /// UTF-8.
    fn text(&self) -> &[u8] {
        self.decoded.as_ref().map_or(self.raw, String::as_bytes)
    }

    fn path(&self) -> &[u8] {
        &self.text()[self.from..]
    }

    fn decoded(self) -> Option<Arc<str>> {
        self.decoded.map(Arc::from)
    }
}

/// Whether a path is its own text: ASCII without escapes.
#[inline]
fn is_plain(raw: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii() & (*byte != b'%');
    raw.iter().fold(true, |all, byte| all & plain(byte))
}

/// Puts the rule's defaults in the places of their variables, or behind all.
#[inline]
fn add_defaults(rule: &RuleInfo, values: &mut Values) {
    for (name, value) in &rule.defaults {
        let place = rule
            .variables
            .iter()
            .position(|variable| variable.name == *name);
        match place.and_then(|place| values.get_mut(place)) {
            Some(stored) => *stored = Stored::Owned(value.clone()),
            None => values.push(Stored::Owned(value.clone())),
        }
    }
}

fn nothing(search: Search<'_>) -> Outcome {
    if !search.allowed.is_empty() {
        Outcome::MethodNotAllowed(search.allowed)
    } else if search.websocket_mismatch {
        Outcome::WebSocketMismatch
    } else {
        Outcome::NotFound
    }
}

fn with_slash(path: &[u8]) -> Vec<u8> {
    [path, b"/"].concat()
}

fn has_double_slash(path: &[u8]) -> bool {
    path.windows(2).any(|pair| pair == b"//")
}

/// `path` with one slash for several.
fn merge_slashes(path: &[u8]) -> Vec<u8> {
    let mut merged = path.to_vec();
    merged.dedup_by(|one, before| *one == b'/' && *before == b'/');
    merged
}
