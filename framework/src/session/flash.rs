//! Messages for the next page (`flask.flash`).

use super::Session;
use super::tagged::Value;
use crate::context::{Cx, current};
use crate::error::Result;
use crate::signals;
use crate::signals::events::MessageFlashed;

impl Session {
    /// Leaves a message for the next page that shows some: `session.flash("success", "Saved.")`.
    ///
    /// # Errors
    ///
    /// No secret is configured.
    pub fn flash(&self, category: impl Into<String>, message: impl Into<String>) -> Result<()> {
        let (category, message) = (category.into(), message.into());
        let flashed = MessageFlashed {
            category: category.clone(),
            message: message.clone(),
        };
        let pair = vec![Value::Text(category), Value::Text(message)];
        let mut open = self.write()?;
        let flashes = open
            .values
            .entry(FLASHES.to_owned())
            .or_insert_with(|| Value::List(Vec::new()));
        match flashes {
            Value::List(messages) => messages.push(Value::Tuple(pair)),
            other => *other = Value::List(vec![Value::Tuple(pair)]),
        }
        drop(open);
        if let Some(cx) = current() {
            signals::send(&cx, || flashed);
        }
        Ok(())
    }

    /// The messages that were left, with their categories. They are taken out of the session once; within a
    /// request they may be asked for again.
    #[must_use]
    pub fn flashed(&self) -> Vec<(String, String)> {
        let mut open = self.read();
        if let Some(flashed) = &open.flashed {
            return flashed.clone();
        }
        let taken = open.values.remove(FLASHES);
        open.modified |= taken.is_some();
        let messages = match taken {
            Some(Value::List(messages)) => messages.into_iter().filter_map(pair).collect(),
            _ => Vec::new(),
        };
        open.flashed.insert(messages).clone()
    }
}

impl Cx {
    /// Leaves a message for the next page that shows some; see [`Session::flash`].
    ///
    /// # Errors
    ///
    /// No secret is configured.
    pub fn flash(&self, category: impl Into<String>, message: impl Into<String>) -> Result<()> {
        self.session().flash(category, message)
    }

    /// The messages that were left for this page, as category and text; see [`Session::flashed`].
    #[must_use]
    pub fn flashed(&self) -> Vec<(String, String)> {
        self.session().flashed()
    }
}

/// Flask writes tuples; older versions wrote lists.
fn pair(message: Value) -> Option<(String, String)> {
    let (Value::Tuple(parts) | Value::List(parts)) = message else {
        return None;
    };
    match <[Value; 2]>::try_from(parts).ok()? {
        [
            Value::Text(category),
            Value::Text(message) | Value::Markup(message),
        ] => Some((category, message)),
        _ => None,
    }
}

const FLASHES: &str = "_flashes";
