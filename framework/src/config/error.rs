//! [`ConfigError`]: a value that is missing or not what it should be.

use std::path::PathBuf;

/// What is wrong with the configuration. Values never appear in it: they may be secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A key that nobody set.
    #[error("the setting `{key}` is missing: set it in a configuration file or in the environment")]
    Missing {
        /// The dotted key.
        key: String,
    },
    /// A value of the wrong type.
    #[error("the setting `{key}`, set by {origin}: {reason}")]
    Type {
        /// The dotted key.
        key: String,
        /// Who set it.
        origin: String,
        /// What was expected.
        reason: String,
    },
    /// A key that its section does not have.
    #[error("the setting `{key}`, set by {origin}: there is no such setting; {hint}")]
    Unknown {
        /// The dotted key.
        key: String,
        /// Who set it.
        origin: String,
        /// What there is.
        hint: String,
    },
    /// A file that cannot be read.
    #[error("cannot read the configuration file {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A file whose name does not say what it holds.
    #[error("expected a configuration file named .toml or .json, found {}", path.display())]
    Kind {
        /// The file.
        path: PathBuf,
    },
    /// A value of the application's own that does not serialize.
    #[error("the setting `{key}`, set by the application: {reason}")]
    Set {
        /// The dotted key.
        key: String,
        /// Why not.
        reason: String,
    },
}

/// What serde says, without the value that it quotes.
pub(super) fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // `invalid type: string "hunter2", expected u16 at line 1`: from "expected" on it is safe.
    let reason = match text.find("expected") {
        Some(at) if text.starts_with("invalid") || text.starts_with("unknown") => &text[at..],
        _ => &text,
    };
    reason.to_owned()
}

/// The field that a type misses, if that is the error.
pub(super) fn missing_field(error: &serde_json::Error) -> Option<String> {
    let text = error.to_string();
    let (field, _) = text.strip_prefix("missing field `")?.split_once('`')?;
    Some(field.to_owned())
}
