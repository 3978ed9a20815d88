//! The parts of a rule: what stands between two slashes, with the weight that decides which part is tried
//! first.

use super::converter::AnyConverter;

/// One step of a rule.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Static(String),
    Dynamic(Dynamic),
}

/// A step with variables.
#[derive(Clone, Debug)]
pub(super) struct Dynamic {
    pub(super) pieces: Vec<Piece>,
    /// Whether it takes the whole rest of the path, because one of its variables crosses slashes.
    pub(super) is_final: bool,
    /// Whether it takes a slash at the path's end as the rule's own.
    pub(super) suffixed: bool,
    pub(super) weight: Weight,
}

/// What a part with variables is made of.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    Literal(String),
    Variable(AnyConverter),
}

/// The place of a part among its siblings: smaller is tried first. More static texts come before fewer,
/// longer ones before shorter, more variables before fewer, and then the converters' weights count.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Weight {
    statics: isize,
    static_lengths: Vec<(usize, isize)>,
    variables: isize,
    variable_weights: Vec<i32>,
}

/// What a rule is made of, converters in place.
#[derive(Clone, Debug)]
pub(super) enum Element<'r> {
    Slash,
    Static(&'r str),
    Variable(AnyConverter),
}

/// Cuts a rule into parts at its slashes.
pub(super) fn parts(elements: &[Element<'_>]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut part = Open::default();
    for element in elements {
        match element {
            Element::Slash if part.is_final => part.literal("/"),
            Element::Slash => parts.push(std::mem::take(&mut part).close(false)),
            Element::Static(text) => {
                let length = isize::try_from(text.chars().count()).unwrap_or(isize::MAX);
                part.weight
                    .static_lengths
                    .push((part.weight.static_lengths.len(), -length));
                part.weight.statics -= 1;
                part.literal(text);
            }
            Element::Variable(converter) => {
                part.is_final |= converter.crosses_slashes();
                part.weight.variable_weights.push(converter.weight());
                part.weight.variables -= 1;
                part.pieces.push(Piece::Variable(converter.clone()));
            }
        }
    }
    let suffixed = part.is_final && part.take_slash();
    parts.push(part.close(suffixed));
    if suffixed {
        parts.push(Part::Static(String::new()));
    }
    parts
}

impl Dynamic {
    /// The regular expression of the part's text without the slash of its suffix. Parts that have the same
    /// are one, whatever their variables' names and limits.
    pub(super) fn expression(&self) -> String {
        let mut expression = String::from("\\A");
        let mut number = 0;
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => expression += &regex::escape(text),
                Piece::Variable(converter) => {
                    expression += &format!("(?P<{GROUP}{number}>{})", converter.pattern());
                    number += 1;
                }
            }
        }
        expression + "\\z"
    }
}

/// A part that more may be added to.
#[derive(Default)]
struct Open {
    pieces: Vec<Piece>,
    is_final: bool,
    weight: Weight,
}

impl Open {
    fn literal(&mut self, text: &str) {
        match self.pieces.last_mut() {
            Some(Piece::Literal(literal)) => literal.push_str(text),
            _ => self.pieces.push(Piece::Literal(text.to_owned())),
        }
    }

    /// Takes a slash off the end, if there is one.
    fn take_slash(&mut self) -> bool {
        let Some(Piece::Literal(literal)) = self.pieces.last_mut() else {
            return false;
        };
        let ends_in_slash = literal.ends_with('/');
        if ends_in_slash {
            literal.pop();
        }
        if literal.is_empty() {
            self.pieces.pop();
        }
        ends_in_slash
    }

    fn close(self, suffixed: bool) -> Part {
        match &self.pieces[..] {
            [] => Part::Static(String::new()),
            [Piece::Literal(text)] => Part::Static(text.clone()),
            _ => Part::Dynamic(Dynamic {
                pieces: self.pieces,
                is_final: self.is_final,
                suffixed,
                weight: self.weight,
            }),
        }
    }
}

/// The prefix of the names of our own groups in expressions; a number follows.
pub(super) const GROUP: &str = "__carafe_";
