//! What can be wrong with rules.

use std::fmt;
use std::panic::Location;

use super::methods::MethodSet;

/// One mistake in the rules of a map. The text names the rule and the line that registered it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Mistake {
    /// A rule that no request can reach.
    #[error(
        "{origin}: rule `{rule}` never gets {methods}: `{earlier}` of {earlier_origin} matches the same paths and comes first"
    )]
    Duplicate {
        /// The later rule.
        rule: String,
        /// Who registered it.
        origin: &'static Location<'static>,
        /// What the earlier rule takes.
        methods: MethodSet,
        /// The earlier rule.
        earlier: String,
        /// Who registered that.
        earlier_origin: &'static Location<'static>,
    },
}

/// All mistakes in the rules of a map, in the order of registration; at least one.
#[derive(Debug)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, mistake) in self.0.iter().enumerate() {
            let separator = if number == 0 { "" } else { "\n" };
            write!(out, "{separator}{mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}
