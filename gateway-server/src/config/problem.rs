//! What can be wrong with a configuration, each in one line that says where to look.

use std::io;
use std::path::PathBuf;

use super::origin::Line;

/// One mistake.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// A value that its setting does not accept.
    #[error("{lead}: expected {expected}, found {found}")]
    Refused {
        /// The setting and where the value stands.
        lead: String,
        /// What would have been accepted.
        expected: String,
        /// What was given; of what may be a password, its name or its kind alone.
        found: String,
    },
    /// A file that a value names is of no use.
    #[error("{lead}: {why}")]
    UselessFile {
        /// The setting and where the value stands.
        lead: String,
        /// Its name, and what is wrong with it.
        why: String,
    },
    /// The file is not TOML.
    #[error("{place}: {message}")]
    Syntax {
        /// Where.
        place: Line,
        /// The parser's words.
        message: String,
    },
    /// A key of the file that means nothing.
    #[error("{place}: there is no {what} `{name}`{hint}")]
    UnknownKey {
        /// Where.
        place: Line,
        /// `setting` or `key`.
        what: &'static str,
        /// Its name.
        name: String,
        /// What may have been meant, or nothing.
        hint: String,
    },
    /// A key of the application with a value in two tables.
    #[error("{place}: the application's `{key}` has a value already, in another table")]
    Twice {
        /// Where the second one is.
        place: Line,
        /// The key.
        key: String,
    },
    /// The configuration file cannot be read.
    #[error("{}: cannot read the configuration: {cause}", path.display())]
    UnreadableFile {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        cause: io::Error,
    },
    /// A file that holds a value cannot be read.
    #[error("{place}: {name}: cannot read {}: {cause}", path.display())]
    UnreadableSecret {
        /// Where it is named.
        place: Line,
        /// The key.
        name: String,
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        cause: io::Error,
    },
    /// There is nothing to serve.
    #[error(
        "expected an application to serve: gatewayd [OPTIONS] APP.SO, or `app` in the configuration file"
    )]
    NoApp,
    /// The application is this program, and another one is named.
    #[error("{lead}: expected no application, for this program is one")]
    AppIsLinked {
        /// Where it is named.
        lead: String,
    },
    /// What the command line's parser says.
    #[error("{0}")]
    Usage(String),
}
