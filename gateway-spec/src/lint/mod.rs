//! The specification that runs: [`Lint`] watches a gateway and its host, and reports each breach of
//! a rule of SPEC.md by the rule's id.
//!
//! The text of every rule that can be checked here stands above its check, in `//#` comments.

pub(crate) mod body;
mod exchange;
pub(crate) mod fields;
mod gateway;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod violation;

pub(crate) use exchange::check_inform;
pub use gateway::Lint;
pub(crate) use gateway::{PATIENCE, timed};
pub use violation::{Sink, Violation};

#[cfg(test)]
mod tests;
