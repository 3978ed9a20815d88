//! [`Environment`]: the variables that sources read, as a value.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::ConfigError;

/// Variables by name. `.env` files add to it what it does not have; the process's own environment
/// is never changed, which would be unsound once there are threads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    variables: BTreeMap<String, String>,
    /// Which of them came from which file.
    files: BTreeMap<String, String>,
}

impl Environment {
    /// The process's own; variables that are not UTF-8 are left out.
    pub(crate) fn of_process() -> Self {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        variables.collect()
    }

    /// Variables whose name begins with `PREFIX_`, without it, sorted.
    pub(super) fn with_prefix<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str, String)> {
        self.variables.iter().filter_map(move |(name, value)| {
            let rest = name.strip_prefix(prefix)?.strip_prefix('_')?;
            let origin = match self.files.get(name) {
                Some(file) => format!("{name} in {file}"),
                None => format!("environment variable {name}"),
            };
            (!rest.is_empty()).then_some((rest, value.as_str(), origin))
        })
    }

    /// Adds a `.env` file's variables, which do not replace others. No file is no mistake.
    pub(super) fn extend_from(&mut self, path: &Path) -> Result<(), ConfigError> {
        let unreadable = |reason: String| ConfigError::File {
            path: path.to_owned(),
            reason,
        };
        let lines = match dotenvy::from_path_iter(path) {
            Ok(lines) => lines,
            Err(error) if error.not_found() => return Ok(()),
            Err(error) => return Err(unreadable(error.to_string())),
        };
        for line in lines {
            let (name, value) = line.map_err(|error| match error {
                // The line itself may hold a secret.
                dotenvy::Error::LineParse(_, at) => unreadable(format!(
                    "expected NAME=value, found something else at byte {at} of a line"
                )),
                other => unreadable(other.to_string()),
            })?;
            if !self.variables.contains_key(&name) {
                self.files.insert(name.clone(), path.display().to_string());
                self.variables.insert(name, value);
            }
        }
        Ok(())
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self {
            variables: variables.into_iter().collect(),
            files: BTreeMap::new(),
        }
    }
}
