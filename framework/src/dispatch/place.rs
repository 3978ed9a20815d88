//! [`Place`]: a request, as operators are told of its view.

use std::fmt;

use crate::context::Cx;

/// Its method, its path and its view's name.
pub(super) struct Place<'a>(pub(super) &'a Cx);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (method, path) = (self.0.method(), self.0.path().escape_debug());
        write!(f, "{method} {path}")?;
        match self.0.endpoint() {
            Some(view) => write!(f, " (`{view}`)"),
            None => Ok(()),
        }
    }
}
