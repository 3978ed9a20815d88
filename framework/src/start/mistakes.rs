//! [`Mistakes`]: why an application does not start.

use std::fmt;

/// Everything that keeps an application from starting, each with the line or the setting that is
/// to be changed.
#[derive(Debug)]
pub struct Mistakes(Vec<String>);

impl Mistakes {
    /// The mistakes, each a sentence.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Several, each a sentence.
    pub(super) fn all(mistakes: impl IntoIterator<Item = String>) -> Self {
        Self(mistakes.into_iter().collect())
    }

    /// A single one.
    pub(super) fn one(mistake: impl fmt::Display) -> Self {
        Self(vec![mistake.to_string()])
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [one] = self.0.as_slice() {
            return f.write_str(one);
        }
        write!(f, "{} mistakes:", self.0.len())?;
        self.0.iter().try_for_each(|one| write!(f, "\n  {one}"))
    }
}

impl std::error::Error for Mistakes {}
