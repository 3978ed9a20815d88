//! [`Command`]: a command that can be run.

use super::usage::Usage;
use crate::context::Cx;
use crate::step::{Calling, Step};

/// A command that can be run.
pub(crate) struct Command {
    /// Of one word, or two: the blueprint's name and its own.
    pub(crate) name: String,
    pub(crate) usage: Usage,
    pub(crate) about: String,
    pub(crate) step: Step<dyn CallCommand>,
}

/// What a command's function is called by.
pub(crate) trait CallCommand: Send + Sync {
    /// Answers the exit status, and what is to be said on standard output.
    fn call<'a>(&'a self, cx: &'a Cx) -> Calling<'a, (u8, String)>;
}
