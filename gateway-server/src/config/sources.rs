//! Where values come from: a flag wins over the environment, the environment over the default. All
//! that is wrong is reported in one run, each message with the setting, its origin and what it takes.

use std::ffi::OsString;
use std::fmt;

use super::setting::{ENV_PREFIX, Setting};
use super::{Config, SETTINGS};

/// The values of one setting, in the words of one source.
#[derive(Debug)]
pub(crate) struct Given {
    /// Which setting, as an index into [`SETTINGS`].
    pub(crate) setting: usize,
    /// Its values; several only for a list.
    pub(crate) texts: Vec<OsString>,
}

/// What the sources say, the strongest first.
#[derive(Debug)]
pub(crate) struct Sources {
    /// The command line.
    pub(crate) flags: Vec<Given>,
    /// The environment.
    pub(crate) variables: Vec<Given>,
}

impl Sources {
    /// Flags as given, and the variables among `environment` that are settings.
    pub(crate) fn new(
        flags: Vec<Given>,
        environment: impl Iterator<Item = (OsString, OsString)>,
    ) -> Self {
        let mut variables = Vec::new();
        for (name, value) in environment {
            let Some(name) = name.to_str().filter(|name| name.starts_with(ENV_PREFIX)) else {
                continue;
            };
            if let Some(at) = SETTINGS
                .iter()
                .position(|setting| setting.variable() == name)
            {
                let texts = match (SETTINGS[at].is_list(), value.to_str()) {
                    (true, Some(list)) => list.split(',').map(|one| one.trim().into()).collect(),
                    _ => vec![value],
                };
                variables.push(Given { setting: at, texts });
            }
        }
        Self { flags, variables }
    }

    /// Builds the configuration.
    ///
    /// # Errors
    ///
    /// Every value that its setting refuses, those behind a stronger source included: a wrong variable
    /// is worth knowing of although a flag hides it today.
    pub(crate) fn resolve(&self) -> Result<Config, Vec<SettingError>> {
        let mut config = Config::blank();
        let mut errors = Vec::new();
        for setting in SETTINGS
            .iter()
            .filter(|setting| !setting.default.is_empty())
        {
            setting
                .set(&mut config, &[setting.default])
                .expect("a test reads every default");
        }
        for (origin, source) in [
            (Origin::Variable, &self.variables),
            (Origin::Flag, &self.flags),
        ] {
            for given in source {
                if let Err(error) = given.apply(&mut config, origin) {
                    errors.push(error);
                }
            }
        }
        if errors.is_empty() {
            Ok(config)
        } else {
            Err(errors)
        }
    }
}

impl Given {
    fn apply(&self, config: &mut Config, origin: Origin) -> Result<(), SettingError> {
        let setting = &SETTINGS[self.setting];
        let fail = |found: String, expected: String| SettingError {
            name: match origin {
                Origin::Flag => setting.flag(),
                Origin::Variable => setting.variable(),
            },
            origin,
            found,
            expected,
        };
        let texts: Option<Vec<&str>> = self.texts.iter().map(|text| text.to_str()).collect();
        let texts =
            texts.ok_or_else(|| fail("text that is not UTF-8".into(), setting.field.form()))?;
        setting
            .set(config, &texts)
            .map_err(|refused| fail(format!("`{}`", refused.text), refused.expected))
    }
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The command line.
    Flag,
    /// The environment.
    Variable,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flag => "command line",
            Self::Variable => "environment",
        })
    }
}

/// A value that its setting does not accept.
#[derive(Debug, thiserror::Error)]
#[error("{name} ({origin}): expected {expected}, found {found}")]
pub(crate) struct SettingError {
    name: String,
    origin: Origin,
    found: String,
    expected: String,
}

/// Variables that are no setting but look like a misspelt one, with the one that they resemble.
///
/// Other unknown variables are none of our business: Kubernetes, for one, gives every container
/// `GATEWAYD_SERVICE_HOST` and more when a service is called `gatewayd`.
pub(crate) fn near_misses(names: impl Iterator<Item = OsString>) -> Vec<(String, String)> {
    let settings: Vec<String> = SETTINGS.iter().map(Setting::variable).collect();
    let mut misses = Vec::new();
    for name in names {
        let Some(name) = name.to_str().filter(|name| name.starts_with(ENV_PREFIX)) else {
            continue;
        };
        let nearest = settings
            .iter()
            .map(|known| (edit_distance(name, known), known))
            .min();
        if let Some((1..=2, known)) = nearest {
            misses.push((name.to_owned(), known.clone()));
        }
    }
    misses
}

/// Levenshtein's distance between two ASCII texts.
fn edit_distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.bytes().enumerate() {
            let changed = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn index(name: &str) -> usize {
        SETTINGS
            .iter()
            .position(|setting| setting.name == name)
            .unwrap()
    }

    fn flag(name: &str, text: &str) -> Given {
        Given {
            setting: index(name),
            texts: vec![text.into()],
        }
    }

    fn environment(pairs: &[(&str, &str)]) -> impl Iterator<Item = (OsString, OsString)> {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(k, v)| ((*k).into(), (*v).into()))
            .collect();
        pairs.into_iter()
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_that_over_the_default() {
        let variables = [("GATEWAYD_WORKERS", "3"), ("GATEWAYD_KEEP_ALIVE", "5s")];
        let sources = Sources::new(vec![flag("workers", "7")], environment(&variables));
        let config = sources.resolve().unwrap();
        assert_eq!(config.workers, 7);
        assert_eq!(config.keep_alive, Duration::from_secs(5));
        assert_eq!(config.backlog, 2048);
    }

    #[test]
    fn a_list_in_the_environment_is_separated_by_commas() {
        let sources = Sources::new(vec![], environment(&[("GATEWAYD_BIND", "[::]:1, unix:/x")]));
        let bind: Vec<_> = sources
            .resolve()
            .unwrap()
            .bind
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(bind, ["[::]:1", "unix:/x"]);
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once_with_name_origin_and_form() {
        let variables = [("GATEWAYD_WORKERS", "many"), ("GATEWAYD_BIND", "8000")];
        let flags = vec![
            flag("keep-alive", "75"),
            flag("max-body", "1MB"),
            flag("workers", "1"),
        ];
        let errors = Sources::new(flags, environment(&variables))
            .resolve()
            .unwrap_err();
        let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 4);
        assert_eq!(
            told[0],
            "GATEWAYD_WORKERS (environment): expected `auto` or a number from 0 to 512, found `many`"
        );
        assert!(told[2].starts_with("--keep-alive (command line): expected a time from 0s"));
        assert!(told[2].ends_with("such as `500ms`, `30s` or `2m`, found `75`"));
    }

    #[test]
    fn a_misspelt_variable_is_noticed_and_a_foreign_one_is_not() {
        let names = [
            "GATEWAYD_WORKER",
            "GATEWAYD_SERVICE_HOST",
            "GATEWAYD_PORT",
            "GATEWAYD_WORKERS",
        ];
        let misses = near_misses(names.into_iter().map(OsString::from));
        assert_eq!(
            misses,
            [("GATEWAYD_WORKER".to_owned(), "GATEWAYD_WORKERS".to_owned())]
        );
    }
}
