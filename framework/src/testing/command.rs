//! Commands of the application under test.

use std::ffi::OsString;
use std::sync::{Arc, Mutex, PoisonError};

use super::client::Client;
use crate::commands::Sink;

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestCommand {
    status: u8,
    output: String,
    errors: String,
}

impl Client {
    /// Runs a command as if its words had been typed at a terminal: `client.command(["init-db"])`. What it
    /// writes by `println!` is not seen here.
    #[track_caller]
    pub fn command<W: Into<OsString>>(&self, words: impl IntoIterator<Item = W>) -> TestCommand {
        let words = words.into_iter().map(Into::into).collect();
        let kept = Arc::new(Mutex::new((String::new(), String::new())));
        let status = self.run(words, Sink::Kept(Arc::clone(&kept)));
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (output, errors) = std::mem::take(&mut *kept);
        TestCommand {
            status,
            output,
            errors,
        }
    }
}

impl TestCommand {
    /// The exit status; 0 if all went well.
    #[must_use]
    pub fn status(&self) -> u8 {
        self.status
    }

    /// What it wrote to standard output.
    #[must_use]
    pub fn output(&self) -> &str {
        &self.output
    }

    /// What it wrote to standard error.
    #[must_use]
    pub fn errors(&self) -> &str {
        &self.errors
    }
}
