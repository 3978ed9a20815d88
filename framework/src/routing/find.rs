//! From a path to what it leads to.

use std::borrow::Cow;
use std::sync::Arc;

use http::Method;
use smallvec::SmallVec;

use super::binding::Binding;
use super::compiled::RuleInfo;
use super::converter::AnyConverter;
use super::location;
use super::map::Map;
use super::methods::MethodSet;
use super::outcome::{Found, Outcome, Stored};
use super::quote::{PATH, decode_path, quote};
use super::search::{End, Search};
use super::value::OwnedValue;

impl Map {
    /// What the raw `path` below the mount leads to.
    pub fn find(&self, at: &Binding<'_>, path: &[u8], method: &Method) -> Outcome {
        let domain = self.domain(at);
        let mut search = Search::new(&self.trie, &self.rules, method, at.websocket);
        // Rules without variables come first in any case, so that most paths need no walk.
        let shortcut = self.static_paths.get(path).filter(|_| domain.is_empty());
        if let Some(number) = shortcut.and_then(|rules| search.choose(rules)) {
            let rule = &self.rules[number];
            let mut values = Values::new();
            add_defaults(rule, &mut values);
            let found = Found::new(rule, values, None);
            if !rule.leads_elsewhere() {
                return Outcome::Found(found);
            }
            return self.arrive(at, method, found, path);
        }
        let text = Text::of(path);
        match search.run(domain, text.path()) {
            End::Rule(number) => match self.values(number, &search, domain, &text) {
                Some(values) => {
                    let rule = &self.rules[number];
                    let found = Found::new(rule, values, text.decoded());
                    if !rule.leads_elsewhere() {
                        return Outcome::Found(found);
                    }
                    self.arrive(at, method, found, path)
                }
                None => nothing(search),
            },
            End::SlashMissing => self.same_host(at, &format!("{}/", text.path())),
            End::Nothing if self.options.merge_slashes && text.path().contains("//") => {
                let merged = merge_slashes(text.path());
                match search.run(domain, &merged) {
                    End::Rule(number) if self.rules[number].merge_slashes => {
                        self.same_host(at, &merged)
                    }
                    End::SlashMissing => self.same_host(at, &format!("{merged}/")),
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

    /// The values of a rule's variables and its defaults; `None` if a text is no value after all.
    fn values(
        &self,
        number: usize,
        search: &Search<'_>,
        domain: &str,
        text: &Text<'_>,
    ) -> Option<Values> {
        let rule = &self.rules[number];
        let mut values = Values::new();
        for (place, (variable, &(start, end))) in
            rule.variables.iter().zip(&search.spans).enumerate()
        {
            let in_domain = place < rule.domain_variables;
            let (start, end) = if in_domain {
                (start, end)
            } else {
                (text.from + start, text.from + end)
            };
            let from = if in_domain { domain } else { &text.text };
            let part = from.get(start..end)?;
            let value = match &variable.converter {
                AnyConverter::Builtin(builtin) => builtin.parse(part)?,
                AnyConverter::Custom(custom) => Some(custom.parse(part)?),
            };
            values.push(match value {
                Some(value) => Stored::Owned(value),
                None if in_domain => Stored::Owned(OwnedValue::from(part)),
                None => Stored::Span(start, end),
            });
        }
        add_defaults(rule, &mut values);
        Some(values)
    }

    /// What a match leads to that may belong to another place.
    #[cold]
    fn arrive(&self, at: &Binding<'_>, method: &Method, found: Found, path: &[u8]) -> Outcome {
        let rule = &self.rules[found.rule.0];
        match self.redirect(at, method, rule, &found, path) {
            Some(location) => Outcome::Redirect(location),
            None => Outcome::Found(found),
        }
    }

    /// A redirect to a decoded path on the request's own host.
    fn same_host(&self, at: &Binding<'_>, path: &str) -> Outcome {
        let mut quoted = String::with_capacity(path.len());
        quote(path.as_bytes(), PATH, &mut quoted);
        let host = location::host(at, self.options.domains, self.domain(at));
        Outcome::Redirect(location::absolute(at, &host, &quoted))
    }
}

type Values = SmallVec<[Stored; 3]>;

/// A path, decoded.
struct Text<'p> {
    text: Cow<'p, str>,
    /// Where the path begins: all slashes before are as good as one.
    from: usize,
}

impl<'p> Text<'p> {
    fn of(raw: &'p [u8]) -> Self {
        let mut text = decode_path(raw);
        if !matches!(raw.first(), None | Some(b'/')) && !text.starts_with('/') {
            text = Cow::Owned(format!("/{text}"));
        }
        let slashes = text.bytes().take_while(|byte| *byte == b'/').count();
        Self {
            from: slashes.saturating_sub(1),
            text,
        }
    }

    fn path(&self) -> &str {
        &self.text[self.from..]
    }

    fn decoded(self) -> Option<Arc<str>> {
        match self.text {
            Cow::Borrowed(_) => None,
            Cow::Owned(text) => Some(text.into()),
        }
    }
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

/// `path` with one slash for several.
fn merge_slashes(path: &str) -> String {
    let mut merged = String::with_capacity(path.len());
    for c in path.chars() {
        if c != '/' || !merged.ends_with('/') {
            merged.push(c);
        }
    }
    merged
}
