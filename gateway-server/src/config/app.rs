//! One application of a configuration: where it is, whom it answers, and what it has of its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Config, SETTINGS, Setting};
use crate::options::AppSettings;
use crate::routes::{HostPattern, Mount};

/// An application, and what is said of it alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct AppConfig {
    /// What the server calls it; no other is called so.
    pub(crate) name: String,
    /// The compiled application; none in an application's own binary.
    pub(crate) path: Option<PathBuf>,
    /// The hosts that it answers for; none means any.
    pub(crate) hosts: Vec<HostPattern>,
    /// The prefix of the paths that it answers.
    pub(crate) mount: Mount,
    /// Its own arguments.
    pub(crate) arguments: Vec<OsString>,
    /// Its own settings.
    pub(crate) settings: AppSettings,
    /// Settings of the server that have another value for it.
    pub(crate) own: Vec<OwnSetting>,
}

/// A setting of the server with the value that it has for one application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnSetting {
    /// Its name, which the table knows.
    pub(crate) name: &'static str,
    /// In the form that it is read in, and which it accepts; several only for a list.
    pub(crate) texts: Vec<String>,
}

impl AppConfig {
    /// The one in the file at `path`, or in this program, that has everything.
    pub(crate) fn at(path: Option<PathBuf>) -> Self {
        Self {
            name: path.as_deref().map_or_else(|| "app".to_owned(), name_of),
            path,
            ..Self::default()
        }
    }

    /// Its name and its file, for people.
    pub(crate) fn shown(&self) -> (&str, Option<&Path>) {
        (&self.name, self.path.as_deref())
    }

    /// Its own values of a setting, if it has any.
    pub(super) fn own_texts(&self, name: &str) -> Option<&[String]> {
        let own = self.own.iter().find(|own| own.name == name);
        own.map(|own| own.texts.as_slice())
    }

    /// The server's configuration with this application's own values for requests.
    pub(super) fn applied(&self, config: &Config) -> Config {
        let mut applied = config.clone();
        for own in self
            .own
            .iter()
            .filter(|own| OF_REQUESTS.contains(&own.name))
        {
            let texts: Vec<&str> = own.texts.iter().map(String::as_str).collect();
            let set = own.setting().map(|one| one.set(&mut applied, &texts));
            debug_assert_eq!(set, Some(Ok(())), "it was accepted once");
        }
        applied
    }
}

impl OwnSetting {
    /// The setting itself.
    pub(super) fn setting(&self) -> Option<&'static Setting> {
        SETTINGS.iter().find(|one| one.name == self.name).copied()
    }
}

/// What an application is called that says nothing else: as its file, without what files of libraries
/// begin and end with.
pub(super) fn name_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let stem = stem.strip_prefix("lib").unwrap_or(&stem);
    let plain = |letter: char| match is_letter(letter) {
        true => letter,
        false => '-',
    };
    let name: String = stem.chars().map(plain).take(LONGEST_NAME).collect();
    match name.is_empty() {
        true => "app".to_owned(),
        false => name,
    }
}

/// Whether a name can stand in a log and on a command line.
pub(super) fn is_name(text: &str) -> bool {
    let first = text.chars().next();
    let begins = first.is_some_and(|letter| letter.is_ascii_alphanumeric());
    begins && text.len() <= LONGEST_NAME && text.chars().all(is_letter)
}

fn is_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.')
}

/// Most applications of a server.
pub(crate) const MOST_APPS: usize = 128;

/// Letters of a name.
const LONGEST_NAME: usize = 64;

/// Settings that are of a request, and of which each application can have its own.
pub(super) const OF_REQUESTS: [&str; 6] = [
    "body-timeout",
    "max-body",
    "max-requests-in-flight",
    "min-body-rate",
    "queue",
    "request-timeout",
];

/// Settings that are of workers, and of which applications with a `bind` of their own can have their own.
pub(super) const OF_POOLS: [&str; 12] = [
    "bind",
    "chdir",
    "cpu-affinity",
    "env",
    "env-file",
    "group",
    "groups",
    "nice",
    "rlimit",
    "umask",
    "user",
    "workers",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_is_called_as_its_file() {
        for (path, name) in [
            ("/srv/libshop.so", "shop"),
            ("shop.1.so", "shop.1"),
            ("/a/my shop.so", "my-shop"),
            ("lib.so", "app"),
            ("/", "app"),
        ] {
            assert_eq!(name_of(Path::new(path)), name, "{path}");
        }
        assert!(is_name("a-b_c.1") && !is_name("") && !is_name("-a") && !is_name("a b"));
    }

    #[test]
    fn an_application_has_its_own_values_of_known_settings() {
        for name in OF_REQUESTS.iter().chain(&OF_POOLS) {
            assert!(SETTINGS.iter().any(|one| one.name == *name), "{name}");
        }
        let config = Config::of(&[("max-body", "1KiB")]);
        let app = AppConfig {
            own: vec![OwnSetting {
                name: "max-body",
                texts: vec!["2KiB".to_owned()],
            }],
            ..AppConfig::default()
        };
        let applied = app.applied(&config);
        assert_eq!((applied.max_body.0, config.max_body.0), (2048, 1024));
    }
}
