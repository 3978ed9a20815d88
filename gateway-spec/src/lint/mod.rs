//! The specification that runs: [`Lint`] watches a gateway and its host, and reports each breach of
//! a rule of SPEC.md by the rule's id.
//!
//! The text of every rule that can be checked here stands above its check, in `//#` comments.

mod body;
mod exchange;
mod fields;
mod gateway;
mod request;
mod response;
mod violation;

pub use gateway::Lint;
pub use violation::{Sink, Violation};

#[cfg(test)]
mod tests;
