//! What a part with variables matches.

use regex::Regex;
use smallvec::SmallVec;

use super::builtin::Builtin;
use super::converter::AnyConverter;
use super::part::{Dynamic, GROUP, Piece};

/// Where variables stand in a path: starts and ends, in bytes.
pub(super) type Spans = SmallVec<[(usize, usize); 4]>;

/// The matcher of one part.
#[derive(Debug)]
pub(super) struct Pattern {
    /// What the text begins with.
    prefix: Box<[u8]>,
    rest: Rest,
    /// Whether a slash at the end is the rule's own.
    suffixed: bool,
}

#[derive(Debug)]
enum Rest {
    /// A variable, then nothing but this text.
    One(Builtin, Box<[u8]>),
    /// Anything: the expression of the whole and its groups for the variables.
    Any(Box<Regex>, Vec<usize>),
}

/// That a text matched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Match {
    /// All of it.
    Whole,
    /// All but the slash at its end, which is the rule's own.
    BeforeSlash,
}

impl Pattern {
    /// Compiles a part.
    ///
    /// # Errors
    /// When a converter's expression is none.
    pub(super) fn new(part: &Dynamic) -> Result<Self, String> {
        let prefix = match part.pieces.first() {
            Some(Piece::Literal(text)) => text.as_bytes(),
            _ => &[],
        };
        let rest = match Rest::one(&part.pieces) {
            Some(rest) => rest,
            None => Rest::any(part)?,
        };
        Ok(Self {
            prefix: prefix.into(),
            rest,
            suffixed: part.suffixed,
        })
    }

    /// What all matching texts begin with.
    pub(super) fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// Matches the whole of `target`, a UTF-8 text that stands at `start` in the path, and appends where
    /// the variables are.
    #[inline]
    pub(super) fn matches(&self, target: &[u8], start: usize, spans: &mut Spans) -> Option<Match> {
        let (target, found) = match target {
            // Two slashes at the end are not one suffix, and merging them is another matter.
            [.., b'/', b'/'] if self.suffixed => return None,
            [before @ .., b'/'] if self.suffixed => (before, Match::BeforeSlash),
            all => (all, Match::Whole),
        };
        let inner = match &*self.prefix {
            [] => target,
            prefix => target.strip_prefix(prefix)?,
        };
        match &self.rest {
            Rest::One(builtin, suffix) => {
                let text = match &**suffix {
                    [] => inner,
                    suffix => inner.strip_suffix(suffix)?,
                };
                let start = start + self.prefix.len();
                builtin
                    .matches(text)?
                    .then(|| spans.push((start, start + text.len())))?;
            }
            Rest::Any(regex, groups) => {
                let captures = regex.captures(std::str::from_utf8(target).ok()?)?;
                spans.extend(groups.iter().filter_map(|&group| {
                    let group = captures.get(group)?;
                    Some((start + group.start(), start + group.end()))
                }));
            }
        }
        Some(found)
    }
}

impl Rest {
    /// The rest of a part that has one variable, if its converter needs no expression.
    fn one(pieces: &[Piece]) -> Option<Self> {
        let after_prefix = match pieces {
            [Piece::Literal(_), rest @ ..] => rest,
            all => all,
        };
        let (converter, suffix) = match after_prefix {
            [Piece::Variable(converter)] => (converter, ""),
            [Piece::Variable(converter), Piece::Literal(suffix)] => (converter, &**suffix),
            _ => return None,
        };
        match converter {
            AnyConverter::Builtin(Builtin::Regex(_)) | AnyConverter::Custom(_) => None,
            AnyConverter::Builtin(builtin) => {
                Some(Self::One(builtin.clone(), suffix.as_bytes().into()))
            }
        }
    }

    fn any(part: &Dynamic) -> Result<Self, String> {
        let regex = Regex::new(&part.expression()).map_err(|error| error.to_string())?;
        let group = |(at, name): (usize, Option<&str>)| name?.starts_with(GROUP).then_some(at);
        let groups = regex
            .capture_names()
            .enumerate()
            .filter_map(group)
            .collect();
        Ok(Self::Any(Box::new(regex), groups))
    }
}
