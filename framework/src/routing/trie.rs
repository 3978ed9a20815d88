//! All rules as one tree: a step for each part, static ones by name, the others in the order of weights.

use rustc_hash::FxHashMap;

use super::part::{Dynamic, Part};
use super::pattern::Pattern;

/// All rules as one tree. Its root is where the domain is matched; the slash that all paths begin with is no
/// part.
#[derive(Debug)]
pub(super) struct Trie {
    states: Vec<State>,
}

/// A place in the tree.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) statics: Statics,
    pub(super) dynamics: Vec<Edge>,
    /// The rules that end here, in the order of registration.
    pub(super) rules: Vec<usize>,
}

/// The ways to other places by texts.
#[derive(Debug, Default)]
pub(super) struct Statics {
    /// All of them, while they are few.
    few: Vec<(Box<str>, usize)>,
    /// All of them once they are more than [`FEW`].
    many: FxHashMap<Box<str>, usize>,
}

/// The way to another place by a part with variables.
#[derive(Debug)]
pub(super) struct Edge {
    pub(super) pattern: Pattern,
    pub(super) is_final: bool,
    pub(super) to: usize,
    part: Dynamic,
    expression: String,
}

impl Trie {
    /// A tree without rules.
    pub(super) fn new() -> Self {
        Self {
            states: vec![State::default()],
        }
    }

    /// The state with this number.
    pub(super) fn state(&self, number: usize) -> &State {
        &self.states[number]
    }

    /// Adds a rule; answers where it ends.
    ///
    /// # Errors
    /// When a converter's expression is none.
    pub(super) fn add(&mut self, rule: usize, parts: &[Part]) -> Result<usize, String> {
        let mut at = 0;
        for part in parts {
            at = match part {
                Part::Static(text) => self.enter_static(at, text),
                Part::Dynamic(part) => self.enter_dynamic(at, part)?,
            };
        }
        self.states[at].rules.push(rule);
        Ok(at)
    }

    fn enter_static(&mut self, at: usize, text: &str) -> usize {
        if let Some(to) = self.states[at].statics.get(text) {
            return to;
        }
        let to = self.grow();
        self.states[at].statics.insert(text, to);
        to
    }

    fn enter_dynamic(&mut self, at: usize, part: &Dynamic) -> Result<usize, String> {
        let expression = part.expression();
        let same = |edge: &&Edge| {
            edge.expression == expression
                && edge.is_final == part.is_final
                && edge.part.suffixed == part.suffixed
                && edge.part.weight == part.weight
        };
        if let Some(edge) = self.states[at].dynamics.iter().find(same) {
            return Ok(edge.to);
        }
        let pattern = Pattern::new(part)?;
        let to = self.grow();
        let edges = &mut self.states[at].dynamics;
        // Behind all that are as light: the order of registration decides between equals.
        let place = edges.partition_point(|edge| edge.part.weight <= part.weight);
        let edge = Edge {
            pattern,
            is_final: part.is_final,
            to,
            part: part.clone(),
            expression,
        };
        edges.insert(place, edge);
        Ok(to)
    }

    fn grow(&mut self) -> usize {
        self.states.push(State::default());
        self.states.len() - 1
    }
}

impl Statics {
    /// Where `text` leads.
    #[inline]
    pub(super) fn get(&self, text: &str) -> Option<usize> {
        let found = self.few.iter().find(|(one, _)| **one == *text);
        match found {
            Some(&(_, to)) => Some(to),
            None if self.many.is_empty() => None,
            None => self.many.get(text).copied(),
        }
    }

    fn insert(&mut self, text: &str, to: usize) {
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
