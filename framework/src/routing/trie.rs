//! All rules as one tree: a step for each part, static ones by name, the others in the order of weights.

use rustc_hash::FxHashMap;

use super::part::{Dynamic, Part, Weight};
use super::pattern::Pattern;
use super::siblings::Siblings;

/// All rules as one tree. Its root is where the domain is matched; the slash that all paths begin with is no
/// part.
#[derive(Debug)]
pub(super) struct Trie {
    states: Vec<State>,
    /// Where the paths of rules without a domain begin.
    pub(super) home: Option<usize>,
}

/// A tree that grows.
#[derive(Debug)]
pub(super) struct TrieBuilder {
    states: Vec<State>,
    /// Where a part with variables leads from a state.
    known: FxHashMap<(usize, Key), usize>,
}

/// A place in the tree.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) statics: Statics,
    pub(super) dynamics: Siblings<Edge>,
    /// The rules that end here, in the order of registration.
    pub(super) rules: Vec<usize>,
}

/// The ways to other places by texts.
#[derive(Debug, Default)]
pub(super) struct Statics {
    /// All of them, while they are few.
    few: Vec<(Box<[u8]>, usize)>,
    /// All of them once they are more than [`FEW`].
    many: FxHashMap<Box<[u8]>, usize>,
}

/// The way to another place by a part with variables.
#[derive(Debug)]
pub(super) struct Edge {
    pub(super) pattern: Pattern,
    pub(super) is_final: bool,
    pub(super) to: usize,
    weight: Weight,
}

/// What makes two parts with variables one.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    expression: String,
    is_final: bool,
    suffixed: bool,
    weight: Weight,
}

impl TrieBuilder {
    /// A tree without rules.
    pub(super) fn new() -> Self {
        Self {
            states: vec![State::default()],
            known: FxHashMap::default(),
        }
    }

    /// Adds a rule; answers the rules that end in the same place, this one last.
    ///
    /// # Errors
    /// When a converter's expression is none.
    pub(super) fn add(&mut self, rule: usize, parts: &[Part]) -> Result<&[usize], String> {
        let mut at = 0;
        for part in parts {
            at = match part {
                Part::Static(text) => self.enter_static(at, text),
                Part::Dynamic(part) => self.enter_dynamic(at, part)?,
            };
        }
        self.states[at].rules.push(rule);
        Ok(&self.states[at].rules)
    }

    /// The tree, in order.
    pub(super) fn finish(mut self) -> Trie {
        for state in &mut self.states {
            // The order of registration decides between equals.
            state.dynamics.sort_by(|a, b| a.weight.cmp(&b.weight));
            state.dynamics.index(|edge| edge.pattern.prefix());
        }
        Trie {
            home: self.states[0].statics.get(b""),
            states: self.states,
        }
    }

    fn enter_static(&mut self, at: usize, text: &str) -> usize {
        if let Some(to) = self.states[at].statics.get(text.as_bytes()) {
            return to;
        }
        let to = self.grow();
        self.states[at].statics.insert(text.as_bytes(), to);
        to
    }

    fn enter_dynamic(&mut self, at: usize, part: &Dynamic) -> Result<usize, String> {
        let key = Key {
            expression: part.expression(),
            is_final: part.is_final,
            suffixed: part.suffixed,
            weight: part.weight.clone(),
        };
        let key = (at, key);
        if let Some(to) = self.known.get(&key) {
            return Ok(*to);
        }
        let pattern = Pattern::new(part)?;
        let to = self.grow();
        self.known.insert(key, to);
        self.states[at].dynamics.push(Edge {
            pattern,
            is_final: part.is_final,
            to,
            weight: part.weight.clone(),
        });
        Ok(to)
    }

    fn grow(&mut self) -> usize {
        self.states.push(State::default());
        self.states.len() - 1
    }
}

impl Trie {
    /// The state with this number.
    pub(super) fn state(&self, number: usize) -> &State {
        &self.states[number]
    }
}

impl Statics {
    /// Where `text` leads.
    #[inline(always)]
    pub(super) fn get(&self, text: &[u8]) -> Option<usize> {
        // Where numbers and names stand there is often nothing else.
        if self.few.is_empty() && self.many.is_empty() {
            return None;
        }
        self.find(text)
    }

    fn find(&self, text: &[u8]) -> Option<usize> {
        if !self.many.is_empty() {
            return self.many.get(text).copied();
        }
        let found = self.few.iter().find(|(one, _)| **one == *text);
        found.map(|&(_, to)| to)
    }

    fn insert(&mut self, text: &[u8], to: usize) {
        if self.many.is_empty() && self.few.len() < FEW {
            self.few.push((text.into(), to));
            return;
        }
        self.many.extend(self.few.drain(..));
        self.many.insert(text.into(), to);
    }
}

/// As many texts as are compared one by one sooner than hashed.
const FEW: usize = 4;
