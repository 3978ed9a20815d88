//! [`Config`]: what the application was told, and by whom.

mod duration;
mod environment;
mod error;
mod source;
mod tree;

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub(crate) use duration::{duration, optional_duration};
pub(crate) use environment::Environment;
pub use error::ConfigError;
pub(crate) use source::Source;

/// The configuration: a tree of values, read by dotted keys such as `database.url`.
///
/// Later sources win over earlier ones, key by key; what the server was told for the application
/// wins over files and environment, and [`App::config_set`](crate::App::config_set) over all.
/// Names are lower-case.
#[derive(Clone, Default)]
pub struct Config {
    root: Map<String, Value>,
    /// Who said so, by dotted key of each leaf.
    origins: BTreeMap<String, String>,
}

impl Config {
    /// Reads the sources in order.
    ///
    /// # Errors
    ///
    /// Every source that cannot be read, not only the first.
    pub(crate) fn read(
        sources: &[Source],
        environment: &Environment,
    ) -> Result<Self, Vec<ConfigError>> {
        let mut config = Self::default();
        let mut errors = Vec::new();
        // `.env` files come first: they are part of the environment, wherever they were asked for.
        let mut environment = environment.clone();
        for source in sources {
            if let Err(error) = source.extend_environment(&mut environment) {
                errors.push(error);
            }
        }
        for source in sources {
            match source.read(&environment) {
                Ok(entries) => {
                    for (path, value, origin) in entries {
                        tree::set(&mut config.root, &path, value);
                        let shadowed = format!("{path}.");
                        config.origins.retain(|key, _| !key.starts_with(&shadowed));
                        config.origins.insert(path, origin);
                    }
                }
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() {
            Ok(config)
        } else {
            Err(errors)
        }
    }

    /// The value of a key, if it is set.
    ///
    /// # Errors
    ///
    /// If it is set to something that does not read as a `T`; the error names who set it.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, ConfigError> {
        let Some(value) = tree::find(&self.root, key) else {
            return Ok(None);
        };
        serde_json::from_value(value.clone())
            .map(Some)
            .map_err(|error| self.mistyped(key, &error))
    }

    /// The value of a key that must be set.
    ///
    /// # Errors
    ///
    /// As [`get`](Config::get), and if it is not set.
    pub fn require<T: DeserializeOwned>(&self, key: &str) -> Result<T, ConfigError> {
        self.get(key)?.ok_or_else(|| ConfigError::Missing {
            key: key.to_owned(),
        })
    }

    /// A namespace as a type; one that is not there reads as an empty one, so that a type whose
    /// fields all have defaults is always there.
    ///
    /// # Errors
    ///
    /// If a field is missing or does not read as its type.
    pub fn section<T: DeserializeOwned>(&self, key: &str) -> Result<T, ConfigError> {
        let value = tree::find(&self.root, key).cloned();
        let value = value.unwrap_or_else(|| Value::Object(Map::new()));
        serde_json::from_value(value).map_err(|error| self.mistyped(key, &error))
    }

    /// Whether a key is set.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        tree::find(&self.root, key).is_some()
    }

    /// Who set a key: `app.toml`, `environment variable APP_DEBUG`.
    #[must_use]
    pub fn origin(&self, key: &str) -> Option<&str> {
        let below = format!("{key}.");
        let said = self.origins.get(key).or_else(|| {
            let mut deeper = self.origins.range(below.clone()..);
            deeper
                .next()
                .filter(|(path, _)| path.starts_with(&below))
                .map(|(_, origin)| origin)
        });
        said.map(String::as_str)
    }

    /// All keys that are set, in order, with who set them.
    pub fn keys(&self) -> impl Iterator<Item = (&str, &str)> {
        let origins = self.origins.iter();
        origins.map(|(key, origin)| (key.as_str(), origin.as_str()))
    }

    /// Whether this is a developer's run, with details in error pages. Never by how it was built:
    /// by the key `debug`, which `gatewayd dev` sets.
    #[must_use]
    pub fn debug(&self) -> bool {
        tree::find(&self.root, "debug").is_some_and(|value| *value == Value::Bool(true))
    }

    fn mistyped(&self, key: &str, error: &serde_json::Error) -> ConfigError {
        ConfigError::Type {
            key: key.to_owned(),
            origin: self.origin(key).unwrap_or("nobody").to_owned(),
            reason: error::without_values(error),
        }
    }
}

impl fmt::Debug for Config {
    /// Keys only: values are often secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.origins.keys()).finish()
    }
}

#[cfg(test)]
mod tests;
