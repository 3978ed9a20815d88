//! What a path leads to.

use std::sync::Arc;

use smallvec::SmallVec;

use super::compiled::RuleInfo;
use super::ids::{EndpointId, RuleId};
use super::methods::MethodSet;
use super::value::{OwnedValue, Value};

/// What a path leads to.
#[derive(Debug)]
#[must_use]
pub enum Outcome {
    /// A rule and the values of its variables.
    Found(Found),
    /// To this absolute URL with 308, which keeps the method.
    Redirect(String),
    /// Rules match, but not the method: 405, with the methods that would do.
    MethodNotAllowed(MethodSet),
    /// Rules match, but for WebSockets only, or for anything but WebSockets: 400.
    WebSocketMismatch,
    /// No rule matches: 404.
    NotFound,
}

/// A rule that matched, with the values of its variables.
#[derive(Clone, Debug)]
pub struct Found {
    /// The rule.
    pub rule: RuleId,
    /// Its endpoint.
    pub endpoint: EndpointId,
    pub(super) values: Values,
    /// The path, if it had to be decoded.
    pub(super) decoded: Option<Arc<str>>,
}

/// Most rules have so few that they stand in place.
pub(super) type Values = SmallVec<[Stored; 3]>;

/// A value where matching leaves it.
#[derive(Clone, Debug)]
pub(super) enum Stored {
    /// A range of the decoded path.
    Span(usize, usize),
    Owned(OwnedValue),
}

impl Found {
    /// Without values.
    #[inline]
    pub(super) fn new(rule: &RuleInfo) -> Self {
        Self {
            rule: rule.id,
            endpoint: rule.endpoint,
            values: Values::new(),
            decoded: None,
        }
    }

    /// How many values there are: the rule's variables, then its defaults.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether the rule has neither variables nor defaults.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The value at `index` of the rule's [arguments](super::RuleInfo::arguments). `path` is the raw
    /// path that was matched, where texts are read from.
    #[must_use]
    pub fn value<'a>(&'a self, index: usize, path: &'a [u8]) -> Option<Value<'a>> {
        match self.values.get(index)? {
            Stored::Owned(value) => Some(value.as_value()),
            Stored::Span(start, end) => {
                let range = *start..*end;
                let text = match &self.decoded {
                    Some(decoded) => decoded.get(range)?,
                    None => std::str::from_utf8(path.get(range)?).ok()?,
                };
                Some(Value::Text(text))
            }
        }
    }
}
