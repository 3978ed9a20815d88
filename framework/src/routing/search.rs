//! The walk through the tree of rules: static parts first, then the others by weight, back and on where a
//! way ends.

use http::Method;
use smallvec::SmallVec;

use super::compiled::RuleInfo;
use super::methods::MethodSet;
use super::pattern::{Match, Spans};
use super::trie::Trie;

/// One walk, with what it learns on its way.
#[derive(Debug)]
pub(super) struct Search<'m> {
    trie: &'m Trie,
    rules: &'m [RuleInfo],
    method: &'m Method,
    websocket: bool,
    /// Where the variables stand, those of the domain first.
    pub(super) spans: Spans,
    /// What rules answer that match but for the method.
    pub(super) allowed: MethodSet,
    /// Whether a rule matches but is for WebSockets, or for anything else.
    pub(super) websocket_mismatch: bool,
}

/// How a walk ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum End {
    Rule(usize),
    /// A rule matches the path with a slash behind it.
    SlashMissing,
    Nothing,
}

impl<'m> Search<'m> {
    pub(super) fn new(
        trie: &'m Trie,
        rules: &'m [RuleInfo],
        method: &'m Method,
        websocket: bool,
    ) -> Self {
        Self {
            trie,
            rules,
            method,
            websocket,
            spans: SmallVec::new(),
            allowed: MethodSet::new(),
            websocket_mismatch: false,
        }
    }

    /// Walks from the root. What an earlier walk learned of methods is kept.
    pub(super) fn run(&mut self, domain: &[u8], path: &[u8]) -> End {
        self.spans.clear();
        // All paths begin with a slash; the empty one has nothing behind it.
        let start = (!path.is_empty()).then_some(1);
        let root = self.trie.state(0);
        let home = match domain {
            [] => self.trie.home,
            domain => root.statics.get(domain),
        };
        if let Some(to) = home {
            let end = self.walk(path, to, start);
            if end != End::Nothing {
                return end;
            }
        }
        let end = root.dynamics.find_map(domain, |edge| {
            self.spans.clear();
            edge.pattern.matches(domain, 0, &mut self.spans)?;
            Some(self.walk(path, edge.to, start)).filter(|end| *end != End::Nothing)
        });
        end.unwrap_or(End::Nothing)
    }

    /// The first of `rules` that answers the request; what the others would have answered is remembered.
    pub(super) fn choose(&mut self, rules: &[usize]) -> Option<usize> {
        self.first(rules, |_| true)
    }

    /// From `state` on, with the path from `start` on left; `None` if no part is left, which is not the
    /// same as one empty part.
    fn walk(&mut self, path: &[u8], state: usize, start: Option<usize>) -> End {
        let state = self.trie.state(state);
        let Some(start) = start else {
            return match self.choose(&state.rules) {
                Some(rule) => End::Rule(rule),
                None => self.with_slash(state.statics.get(b"")),
            };
        };
        let rest = &path[start..];
        let slash = rest.iter().position(|byte| *byte == b'/');
        let (segment, next) = match slash {
            Some(at) => (&rest[..at], Some(start + at + 1)),
            None => (rest, None),
        };
        if let Some(to) = state.statics.get(segment) {
            let end = self.walk(path, to, next);
            if end != End::Nothing {
                return end;
            }
        }
        let mark = self.spans.len();
        let end = state.dynamics.find_map(rest, |edge| {
            self.spans.truncate(mark);
            let (target, next) = if edge.is_final {
                (rest, None)
            } else {
                (segment, next)
            };
            let next = match edge.pattern.matches(target, start, &mut self.spans)? {
                Match::Whole => next,
                Match::BeforeSlash => Some(path.len()),
            };
            Some(self.walk(path, edge.to, next)).filter(|end| *end != End::Nothing)
        });
        if let Some(end) = end {
            return end;
        }
        self.spans.truncate(mark);
        if rest.is_empty() {
            // Nothing but a slash is left, which lenient rules overlook.
            if let Some(rule) = self.first(&state.rules, |rule| !rule.strict_slashes) {
                return End::Rule(rule);
            }
        }
        End::Nothing
    }

    /// What a path leads to that ends before the slash of a rule, whose state is `state`.
    fn with_slash(&self, state: Option<usize>) -> End {
        let Some(state) = state else {
            return End::Nothing;
        };
        let answers = |number: &&usize| {
            let rule = &self.rules[**number];
            rule.websocket == self.websocket && rule.answers(self.method)
        };
        match self.trie.state(state).rules.iter().find(answers) {
            Some(&rule) if self.rules[rule].strict_slashes => End::SlashMissing,
            Some(&rule) => End::Rule(rule),
            None => End::Nothing,
        }
    }

    fn first(&mut self, rules: &[usize], wanted: impl Fn(&RuleInfo) -> bool) -> Option<usize> {
        for &number in rules {
            let rule = &self.rules[number];
            if !wanted(rule) {
                continue;
            }
            match &rule.methods {
                Some(methods) if !methods.contains(self.method) => self.allowed.extend(methods),
                _ if rule.websocket != self.websocket => self.websocket_mismatch = true,
                _ => return Some(number),
            }
        }
        None
    }
}
