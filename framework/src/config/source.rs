//! [`Source`]: one place that values come from.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::environment::Environment;
use super::error::ConfigError;
use super::tree;

/// One place that values come from.
#[derive(Clone)]
pub(crate) enum Source {
    /// A TOML or JSON file, by its name's end.
    File(PathBuf),
    /// Variables `PREFIX_NAME`: `__` goes one level deeper, a value that is JSON is read as such.
    Environment(String),
    /// A file of variables that the environment does not have.
    DotEnv(PathBuf),
    /// What the server was told for the application, as text.
    Host(Vec<(String, String)>),
    /// A value that the application set, or why it does not serialize.
    Set(String, Result<Value, String>),
}

/// Lines by dotted keys.
type Lines = BTreeMap<String, usize>;
type Entry = (String, Value, String);

impl Source {
    /// The same source with its file under `root`, unless it says where it is.
    pub(crate) fn under(self, root: &Path) -> Self {
        match self {
            Self::File(path) => Self::File(root.join(path)),
            Self::DotEnv(path) => Self::DotEnv(root.join(path)),
            other => other,
        }
    }

    /// For `.env` files: adds their variables.
    pub(super) fn extend_environment(
        &self,
        environment: &mut Environment,
    ) -> Result<(), ConfigError> {
        match self {
            Self::DotEnv(path) => environment.extend_from(path),
            _ => Ok(()),
        }
    }

    /// Dotted keys, values, and who said so.
    pub(super) fn read(&self, environment: &Environment) -> Result<Vec<Entry>, ConfigError> {
        match self {
            Self::DotEnv(_) => Ok(Vec::new()),
            Self::File(path) => {
                let (table, lines) = parse(path)?;
                let leaves = tree::leaves(table).into_iter();
                let file = path.display();
                Ok(leaves
                    .map(|(key, value)| {
                        let origin = match lines.get(&key) {
                            Some(line) => format!("{file}:{line}"),
                            None => file.to_string(),
                        };
                        (key, value, origin)
                    })
                    .collect())
            }
            Self::Environment(prefix) => Ok(environment
                .with_prefix(prefix)
                .map(|(name, value, origin)| (key_of(name), from_text(value), origin))
                .collect()),
            Self::Host(settings) => Ok(settings
                .iter()
                .map(|(key, value)| {
                    let origin = "the server's configuration".to_owned();
                    (key.to_lowercase(), from_text(value), origin)
                })
                .collect()),
            Self::Set(key, Ok(value)) => Ok(vec![(
                key.clone(),
                value.clone(),
                "the application".to_owned(),
            )]),
            Self::Set(key, Err(reason)) => Err(ConfigError::Set {
                key: key.clone(),
                reason: reason.clone(),
            }),
        }
    }
}

/// `DATABASE__URL` is `database.url`.
fn key_of(name: &str) -> String {
    name.to_lowercase().replace("__", ".")
}

/// JSON if it reads as JSON, else text.
fn from_text(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// What the file holds, and in which lines the keys stand, as far as its format tells.
fn parse(path: &Path) -> Result<(Map<String, Value>, Lines), ConfigError> {
    let unreadable = |reason: String| ConfigError::File {
        path: path.to_owned(),
        reason,
    };
    let text = fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => {
            let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
                unreadable(match error.span() {
                    Some(span) => {
                        format!("line {}: {}", line_at(&text, span.start), error.message())
                    }
                    None => error.message().to_owned(),
                })
            })?;
            let table = table.into_iter().map(|(key, value)| (key, json_of(value)));
            let mut lines = Lines::new();
            if let Ok(keys) = DeTable::parse(&text) {
                find_lines(&text, "", keys.get_ref(), &mut lines);
            }
            Ok((table.collect(), lines))
        }
        Some("json") => match serde_json::from_str(&text) {
            Ok(table) => Ok((table, Lines::new())),
            Err(error) => Err(unreadable(error.to_string())),
        },
        _ => Err(ConfigError::Kind {
            path: path.to_owned(),
        }),
    }
}

/// The lines of the leaves in `table`, by their dotted keys.
fn find_lines(text: &str, prefix: &str, table: &DeTable<'_>, lines: &mut Lines) {
    for (key, value) in table {
        let path = format!("{prefix}{}", key.get_ref());
        match value.get_ref() {
            DeValue::Table(inner) => find_lines(text, &format!("{path}."), inner, lines),
            _ => {
                lines.insert(path, line_at(text, key.span().start));
            }
        }
    }
}

/// The number of the line with this byte, from 1.
fn line_at(text: &str, byte: usize) -> usize {
    let before = text.as_bytes().iter().take(byte);
    before.filter(|byte| **byte == b'\n').count() + 1
}

fn json_of(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(truth) => truth.into(),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(list) => list.into_iter().map(json_of).collect(),
        toml::Value::Table(table) => {
            let entries = table.into_iter().map(|(key, value)| (key, json_of(value)));
            Value::Object(entries.collect())
        }
    }
}
