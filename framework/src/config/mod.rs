//! [`Config`]: what the application was told, and by whom.

mod environment;
mod error;
mod known;
mod nearest;
mod reading;
mod source;
mod tree;
mod units;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub(crate) use environment::Environment;
pub use error::ConfigError;
use known::Known;
use reading::{Fault, Place};
pub(crate) use source::Source;
pub(crate) use units::{Size, optional_time};
pub use units::{size, time};

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
    /// What has been asked for, which all copies share; none once the start is over, when nobody waits for the others.
    known: Option<Arc<Mutex<Option<Known>>>>,
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
        let mut config = Self {
            known: Some(Arc::new(Mutex::new(Some(Known::default())))),
            ..Self::default()
        };
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
                        if let Source::Set(..) = source {
                            config.note(|known| known.name(&path));
                        }
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
        self.note(|known| known.name(key));
        let value = tree::find(&self.root, key).cloned();
        value.map(|value| self.read_as(key, value)).transpose()
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
        self.note(|known| known.name(key));
        self.read_as(key, value.unwrap_or_else(|| Value::Object(Map::new())))
    }

    /// Whether a key is set.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.note(|known| known.name(key));
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
        self.note(|known| known.name("debug"));
        tree::find(&self.root, "debug").is_some_and(|value| *value == Value::Bool(true))
    }

    /// A sentence for each setting that nobody has asked for, and that is likely a slip. Settings that the
    /// application reads by their names while it serves look the same until then: those count if they are near to
    /// a known one, or stand in a section that was read as a type.
    pub(crate) fn slips(&self) -> Vec<String> {
        let Some(known) = &self.known else {
            return Vec::new();
        };
        let known = known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = &*known else {
            return Vec::new();
        };
        let slips = self.keys().filter_map(|(key, origin)| {
            let hint = known.slip(key)?;
            Some(format!(
                "nobody has asked for the setting `{key}`, set by {origin}; {hint}"
            ))
        });
        slips.collect()
    }

    /// The start is over: also copies that somebody has kept count no more what is asked for.
    pub(crate) fn end_start(&self) {
        if let Some(known) = &self.known {
            known.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }

    /// The configuration as it serves, which nobody is to wait for.
    pub(crate) fn sealed(self) -> Self {
        Self {
            known: None,
            ..self
        }
    }

    /// Keeps in mind that `key` is a setting.
    pub(crate) fn know(&self, key: &str) {
        self.note(|known| known.name(key));
    }

    fn note(&self, note: impl FnOnce(&mut Known)) {
        if let Some(known) = &self.known
            && let Some(known) = &mut *known.lock().unwrap_or_else(PoisonError::into_inner)
        {
            note(known);
        }
    }

    fn read_as<T: DeserializeOwned>(&self, key: &str, value: Value) -> Result<T, ConfigError> {
        let (read, seen) = reading::read(key, value);
        self.note(|known| {
            for (path, fields) in seen.sections {
                known.section(path, fields);
            }
            seen.whole.into_iter().for_each(|path| known.whole(path));
        });
        read.map_err(|fault| self.mistake(fault))
    }

    fn mistake(&self, Fault { place, error }: Fault) -> ConfigError {
        match place {
            Place::Unknown { key, fields } => {
                let origin = self.origin(&key).unwrap_or("nobody").to_owned();
                let mut known = Known::default();
                let section = key.rsplit_once('.').map_or("", |(section, _)| section);
                known.section(section.to_owned(), fields);
                let hint = known.slip(&key).unwrap_or_default();
                ConfigError::Unknown { key, origin, hint }
            }
            Place::Value(key) => match error::missing_field(&error) {
                Some(field) => ConfigError::Missing {
                    key: format!("{key}.{field}"),
                },
                None => ConfigError::Type {
                    origin: self.origin(&key).unwrap_or("nobody").to_owned(),
                    reason: error::without_values(&error),
                    key,
                },
            },
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
