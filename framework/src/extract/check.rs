//! [`Check`]: what an argument may look at when the application starts.

use std::any::{TypeId, type_name};

use crate::config::Config;
use crate::parts::Parts;

/// The application as it is about to serve, for arguments to see whether they will work.
#[derive(Debug)]
pub struct Check<'a> {
    config: &'a Config,
    state: &'a Parts,
    mistakes: Vec<String>,
}

impl<'a> Check<'a> {
    pub(crate) fn new(config: &'a Config, state: &'a Parts) -> Self {
        Self {
            config,
            state,
            mistakes: Vec::new(),
        }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &'a Config {
        self.config
    }

    /// Shared state of this type, if somebody provided it.
    #[must_use]
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<&'a T> {
        self.state.get()
    }

    /// Asks for shared state of this type; it is a mistake if nobody provided it.
    pub fn needs_state<T: Send + Sync + 'static>(&mut self) {
        if !self.state.contains(TypeId::of::<T>()) {
            let name = type_name::<T>();
            self.mistake(format!(
                "nobody provides `State<{name}>`: add `.state(..)`, or the extension that makes it"
            ));
        }
    }

    /// Reports a mistake; start-up adds who asked for the argument, and where.
    pub fn mistake(&mut self, what: impl Into<String>) {
        self.mistakes.push(what.into());
    }

    pub(crate) fn into_mistakes(self) -> Vec<String> {
        self.mistakes
    }
}
