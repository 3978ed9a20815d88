//! Where values come from: a flag wins over the environment, that over the file, the file over the
//! default. All that is wrong in any of them is told in one run.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf, absolute};

use strsim::osa_distance;

use super::apps::{AppOrigins, AppPlace, Named, assemble};
use super::file::FileValues;
use super::given::Given;
use super::origin::Origin;
use super::problem::Problem;
use super::setting::ENV_PREFIX;
use super::{Config, SETTINGS, accounts, alone, idle, pools, preface, secrets, static_files, tls};
use crate::value::{LogTarget, Seen};

/// What the command line says.
#[derive(Debug, Default)]
pub(crate) struct CommandLine {
    /// The flags that are settings, as indices into [`SETTINGS`], with their values.
    pub(crate) flags: Vec<(usize, Vec<OsString>)>,
    /// The configuration file.
    pub(crate) file: Option<PathBuf>,
    /// The application.
    pub(crate) app: Option<PathBuf>,
    /// The application's own arguments.
    pub(crate) arguments: Vec<OsString>,
    /// Whether one application is wanted, for a command of its own; of several in the file, `app` may
    /// name it.
    pub(crate) picks: bool,
}

/// The configuration, and whence each part of it is.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// The values.
    pub(crate) config: Config,
    /// The origins of the settings, in the order of [`SETTINGS`].
    pub(crate) settings: Vec<Origin>,
    /// Those of the applications, in their order.
    pub(crate) apps: Vec<AppOrigins>,
}

impl Resolved {
    /// Settings that were given and do nothing, a line each.
    pub(crate) fn idle_settings(&self) -> Vec<String> {
        idle::told(&self.config, &self.settings, &self.apps)
    }

    /// The beginning of a message about the setting `name`.
    pub(crate) fn lead(&self, name: &str) -> String {
        pools::at(&self.settings, name)
    }

    /// The same about the addresses of a pool, by its name.
    pub(crate) fn lead_of_bind(&self, pool: &str) -> String {
        pools::lead_of_bind(&self.config, &self.settings, &self.apps, pool)
    }

    /// The hosts of logs that are not found.
    pub(crate) fn unknown_hosts(&self) -> Vec<Problem> {
        let Some(LogTarget::Syslog(place)) = &self.config.access_log else {
            return Vec::new();
        };
        let found = place.find().err().map(|error| Problem::Refused {
            lead: self.lead("access-log"),
            expected: "a host that can be found".to_owned(),
            found: format!("`{place}`: {error}"),
        });
        found.into_iter().collect()
    }

    /// The folders that are to be served and are none.
    pub(crate) fn missing_folders(&self) -> Vec<Problem> {
        static_files::missing(&self.config, &self.settings)
    }
}

/// Reads all sources; `problems` are those that the command line's parser has found already.
///
/// # Errors
///
/// Every value that its setting refuses, those behind a stronger source included: a wrong variable
/// is worth knowing of although a flag hides it today.
pub(crate) fn resolve(
    line: CommandLine,
    environment: impl Iterator<Item = (OsString, OsString)>,
    place: AppPlace,
    mut problems: Vec<Problem>,
) -> Result<Resolved, Vec<Problem>> {
    let variables = Variables::among(environment);
    let path = line
        .file
        .or(variables.file)
        .map(|path| absolute(&path).unwrap_or(path));
    let seen = path.clone().map(Seen::now);
    let file = path.as_deref().map_or_else(FileValues::default, |path| {
        FileValues::read(path, &mut problems)
    });
    let mut config = Config::blank();
    let mut settings = vec![Origin::Default; SETTINGS.len()];
    for setting in SETTINGS
        .iter()
        .filter(|setting| !setting.default.is_empty())
    {
        setting
            .set(&mut config, &[setting.default])
            .expect("a test reads every default");
    }
    let flags = line.flags.into_iter().map(|(at, texts)| {
        let origin = Origin::Flag(SETTINGS[at].flag());
        Given::all(at, texts, &origin)
    });
    for given in file.given.into_iter().chain(variables.given).chain(flags) {
        match given.apply(&mut config) {
            Ok(origin) => settings[given.setting] = origin,
            Err(problem) => problems.push(problem),
        }
    }

    accounts::look_up(&mut config, &settings, &mut problems);
    secrets::read(&mut config, &settings, &mut problems);
    alone::look_through(&config, &settings, &mut problems);
    preface::look_through(&config, &settings, &mut problems);
    tls::look_through(&config, &settings, &mut problems);
    static_files::settle(&mut config, &settings, &mut problems);

    let picks = line.picks;
    let on_line = |path| (path, Origin::Flag("APP.SO".to_owned()));
    let in_variable = |path| (path, Origin::Variable(APP_VARIABLE.to_owned()));
    let named = Named {
        app: line.app.map(on_line).or(variables.app.map(in_variable)),
        arguments: line.arguments,
        picks,
    };
    let (apps, origins) = assemble(named, file.apps, place, &config, &mut problems);
    config.apps = apps;
    let origins = pools::divide(&mut config, &settings, origins, &mut problems);
    // An application that was picked may not be the one with such addresses.
    if !picks {
        tls::look_for_addresses(&config, &settings, &mut problems);
    }
    config.file = path;
    config.seen = seen.into_iter().collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Resolved {
        config,
        settings,
        apps: origins,
    })
}

/// What the environment says.
#[derive(Default)]
struct Variables {
    given: Vec<Given>,
    file: Option<PathBuf>,
    app: Option<PathBuf>,
}

impl Variables {
    fn among(environment: impl Iterator<Item = (OsString, OsString)>) -> Self {
        let mut variables = Self::default();
        for (name, value) in environment {
            let Some(name) = name.to_str().filter(|name| name.starts_with(ENV_PREFIX)) else {
                continue;
            };
            if name == FILE_VARIABLE {
                variables.file = given_path(&value);
            } else if name == APP_VARIABLE {
                variables.app = given_path(&value);
            } else if let Some(at) = SETTINGS.iter().position(|one| one.variable() == name) {
                let texts = match (SETTINGS[at].is_list(), value.to_str()) {
                    (true, Some(list)) => list.split(',').map(|one| one.trim().into()).collect(),
                    _ => vec![value],
                };
                let origin = Origin::Variable(name.to_owned());
                variables.given.push(Given::all(at, texts, &origin));
            }
        }
        variables
    }
}

/// An empty variable names nothing.
fn given_path(value: &OsStr) -> Option<PathBuf> {
    (!value.is_empty()).then(|| Path::new(value).to_owned())
}

/// What to say of variables that are no setting but look like a misspelt one.
///
/// Other unknown variables are none of our business: Kubernetes, for one, gives every container
/// `GATEWAYD_SERVICE_HOST` and more when a service is called `gatewayd`.
pub(crate) fn near_misses(variables: impl Iterator<Item = (OsString, OsString)>) -> Vec<String> {
    let mut known: Vec<String> = SETTINGS.iter().map(|one| one.variable()).collect();
    known.extend([FILE_VARIABLE, APP_VARIABLE].map(str::to_owned));
    let mut misses = Vec::new();
    for (name, _) in variables {
        let Some(name) = name.to_str().filter(|name| name.starts_with(ENV_PREFIX)) else {
            continue;
        };
        let distances = known.iter().map(|known| (osa_distance(name, known), known));
        if let Some((1..=2, known)) = distances.min() {
            misses.push(format!("{name} is not a setting; did you mean {known}?"));
        }
    }
    misses
}

/// The variable that names the configuration file.
pub(crate) const FILE_VARIABLE: &str = "GATEWAYD_CONFIG";
/// The variable that names the application.
pub(crate) const APP_VARIABLE: &str = "GATEWAYD_APP";

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

    fn line(flags: &[(&str, &str)]) -> CommandLine {
        CommandLine {
            flags: flags
                .iter()
                .map(|(name, text)| (index(name), vec![text.into()]))
                .collect(),
            app: Some("/app.so".into()),
            ..CommandLine::default()
        }
    }

    fn environment(pairs: &[(&str, &str)]) -> impl Iterator<Item = (OsString, OsString)> {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(k, v)| ((*k).into(), (*v).into()))
            .collect();
        pairs.into_iter()
    }

    fn read(line: CommandLine, variables: &[(&str, &str)]) -> Result<Resolved, Vec<String>> {
        let told = resolve(line, environment(variables), AppPlace::File, Vec::new());
        told.map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_flag_wins_over_the_environment_that_over_the_file_and_that_over_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("g.toml");
        let text = "app = 'a.so'\nworkers = 1\nkeep-alive = '1s'\nlinger = '1s'\n";
        std::fs::write(&file, text).unwrap();
        let mut flags = line(&[("workers", "7")]);
        (flags.app, flags.file) = (None, Some(file.clone()));
        let variables = [("GATEWAYD_WORKERS", "3"), ("GATEWAYD_KEEP_ALIVE", "5s")];
        let found = read(flags, &variables).unwrap();
        assert_eq!(found.config.workers, 7);
        assert_eq!(found.config.keep_alive, Duration::from_secs(5));
        assert_eq!(found.config.linger, Duration::from_secs(1));
        assert_eq!(found.config.backlog, 2048);
        assert_eq!(found.config.apps[0].path, Some(folder.path().join("a.so")));
        let origin = |name| found.settings[index(name)].to_string();
        assert_eq!(origin("workers"), "command line, --workers");
        assert_eq!(origin("keep-alive"), "variable GATEWAYD_KEEP_ALIVE");
        assert_eq!(origin("linger"), format!("{}:4", file.display()));
        assert_eq!(origin("backlog"), "default");
    }

    #[test]
    fn the_environment_names_the_file_and_the_application() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("g.toml");
        std::fs::write(&file, "app = 'a.so'\nworkers = 1\n").unwrap();
        let mut variables = vec![("GATEWAYD_CONFIG", file.to_str().unwrap())];
        let found = read(CommandLine::default(), &variables).unwrap();
        assert_eq!(
            (found.config.workers, found.config.file),
            (1, Some(file.clone()))
        );
        variables.push(("GATEWAYD_APP", "/b.so"));
        let found = read(CommandLine::default(), &variables).unwrap();
        assert_eq!(found.config.apps[0].path, Some("/b.so".into()));
    }

    #[test]
    fn a_list_in_the_environment_is_separated_by_commas() {
        let found = read(line(&[]), &[("GATEWAYD_BIND", "[::]:1, unix:/x")]).unwrap();
        let bind: Vec<_> = found.config.bind.iter().map(ToString::to_string).collect();
        assert_eq!(bind, ["[::]:1", "unix:/x"]);
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once_with_name_origin_and_form() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("g.toml");
        std::fs::write(&file, "wokers = 1\nmax-body = '1MB'\n").unwrap();
        let variables = [("GATEWAYD_WORKERS", "many"), ("GATEWAYD_BIND", "8000")];
        let mut flags = line(&[("keep-alive", "75"), ("max-body", "1MB"), ("workers", "1")]);
        flags.file = Some(file.clone());
        let told = read(flags, &variables).unwrap_err();
        assert_eq!(told.len(), 6, "{told:#?}");
        let place = file.display();
        assert_eq!(
            told[0],
            format!("{place}:1: there is no setting `wokers`; did you mean `workers`?")
        );
        assert!(told[1].starts_with(&format!("{place}:2: max-body: expected a size")));
        assert_eq!(
            told[2],
            "GATEWAYD_WORKERS (environment): expected `auto` or a number from 0 to 512, found `many`"
        );
        assert!(told[4].starts_with("--keep-alive (command line): expected a time from 0s"));
        assert!(told[4].ends_with("such as `500ms`, `30s` or `2m`, found `75`"));
    }

    #[test]
    fn a_variable_that_is_none_is_named_and_its_value_is_not_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("g.toml");
        std::fs::write(&file, "[env]\n'DB-PASSWORD' = 'hunter2'\n").unwrap();
        let mut flags = line(&[("env", "hunter2")]);
        flags.file = Some(file.clone());
        let told = read(flags, &[("GATEWAYD_ENV", "A=1,9LIVES=hunter2")]).unwrap_err();
        let expected = "expected `NAME=VALUE`, the name of letters, digits and `_`, found a";
        assert_eq!(
            told,
            [
                format!(
                    "{}:2: env: {expected} variable `DB-PASSWORD`",
                    file.display()
                ),
                format!("GATEWAYD_ENV (environment): {expected} variable `9LIVES`"),
                format!("--env (command line): {expected} text without `=`"),
            ]
        );
    }

    #[test]
    fn without_an_application_nothing_is_served_and_a_linked_one_stays_alone() {
        let told = read(CommandLine::default(), &[]).unwrap_err();
        assert!(told[0].contains("expected an application to serve"));
        let none = CommandLine::default();
        let found = resolve(none, environment(&[]), AppPlace::Linked, Vec::new()).unwrap();
        assert_eq!(found.config.apps[0].path, None);
        let other = environment(&[("GATEWAYD_APP", "/b.so")]);
        let told = resolve(CommandLine::default(), other, AppPlace::Linked, Vec::new());
        let told = told.unwrap_err()[0].to_string();
        assert!(told.starts_with("GATEWAYD_APP (environment)"), "{told}");
    }

    #[test]
    fn a_misspelt_variable_is_noticed_and_a_foreign_one_is_not() {
        let variables = [
            "GATEWAYD_WORKER",
            "GATEWAYD_SERVICE_HOST",
            "GATEWAYD_PORT",
            "GATEWAYD_WORKERS",
            "GATEWAYD_CONFIG",
        ];
        let misses = near_misses(environment(&variables.map(|name| (name, ""))));
        let told = "GATEWAYD_WORKER is not a setting; did you mean GATEWAYD_WORKERS?";
        assert_eq!(misses, [told]);
    }
}
