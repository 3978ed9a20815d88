//! The applications that a configuration comes to: from the command line, the environment and the file.

use std::ffi::OsString;
use std::path::{Path, PathBuf, absolute};

use super::app::{AppConfig, MOST_APPS, OwnSetting};
use super::file::{APP, FileApp};
use super::origin::{Line, Origin};
use super::problem::Problem;
use super::{Config, SETTINGS};
use crate::options::AppSettings;

/// Whether the application is in this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AppPlace {
    /// In a file that somebody has to name.
    File,
    /// In this program.
    Linked,
}

/// Whence each part of an application is.
#[derive(Clone, Debug)]
pub(crate) struct AppOrigins {
    /// The line that its table begins on, if the file has one.
    pub(super) table: Option<Line>,
    pub(super) name: Origin,
    pub(crate) path: Origin,
    pub(super) hosts: Vec<Origin>,
    pub(super) mount: Origin,
    pub(super) arguments: Origin,
    /// Those of its settings, in their order.
    pub(super) settings: Vec<Origin>,
    /// Those of the server's settings that it has another value of, in their order.
    pub(super) own: Vec<Origin>,
}

/// What stands beside the file.
pub(super) struct Named {
    /// An application.
    pub(super) app: Option<(PathBuf, Origin)>,
    /// Arguments of it.
    pub(super) arguments: Vec<OsString>,
    /// Whether only one is wanted, which the file may call by that name.
    pub(super) picks: bool,
}

/// The applications and their origins; `config` has the server's own values.
pub(super) fn assemble(
    named: Named,
    mut file: Vec<FileApp>,
    place: AppPlace,
    config: &Config,
    problems: &mut Vec<Problem>,
) -> (Vec<AppConfig>, Vec<AppOrigins>) {
    let Named {
        mut app,
        arguments,
        picks,
    } = named;
    let several = file.len() > 1;
    if several && picks {
        match pick(&file, app.take()) {
            Ok(at) => file = vec![file.swap_remove(at)],
            Err(problem) => {
                problems.push(problem);
                return (Vec::new(), Vec::new());
            }
        }
    }
    if file.is_empty() {
        file.push(FileApp::default());
    }
    if file.len() > MOST_APPS {
        let line = file[MOST_APPS].line.as_ref();
        let lead = line.map_or(APP.to_owned(), |line| format!("{line}: {APP}"));
        let (expected, found) = (format!("at most {MOST_APPS} applications"), file.len());
        problems.push(refused(lead, expected, found.to_string()));
    }
    let several = file.len() > 1;
    if several && place == AppPlace::Linked {
        let line = file[1].line.as_ref();
        let lead = line.map_or(APP.to_owned(), |line| format!("{line}: {APP}"));
        let (expected, found) = ("one table, for this program is the application", file.len());
        problems.push(refused(lead, expected.to_owned(), found.to_string()));
    }
    let on_line = !arguments.is_empty();
    if several && let Some(Some(first)) = file.first().map(|one| &one.line) {
        let expected = format!("no application beside the {} from {first} on", file.len());
        if let Some((path, origin)) = app.take() {
            let found = path.display().to_string();
            problems.push(refused(origin.lead(APP), expected, found));
        }
        if on_line {
            let lead = Origin::Flag("--".to_owned()).lead("app.arguments");
            let expected = "`arguments` in the table of the application that they are for";
            let words = arguments.iter().map(|word| word.to_string_lossy());
            let found = words.collect::<Vec<_>>().join(" ");
            problems.push(refused(lead, expected.to_owned(), found));
        }
    }
    let mut apps: Vec<(AppConfig, AppOrigins)> = Vec::new();
    for mut one in file {
        one.path = app.take().or(one.path);
        if on_line && !several {
            let words = arguments
                .iter()
                .map(|word| word.to_string_lossy().into_owned());
            one.arguments = Some((words.collect(), Origin::Flag("--".to_owned())));
        }
        let (mut app, origins) = read(one, place, config, problems);
        if on_line && !several {
            // They need not be text.
            app.arguments.clone_from(&arguments);
        }
        tell_apart(&app, &origins, &apps, problems);
        apps.push((app, origins));
    }
    apps.into_iter().unzip()
}

fn read(
    file: FileApp,
    place: AppPlace,
    config: &Config,
    problems: &mut Vec<Problem>,
) -> (AppConfig, AppOrigins) {
    let (path, path_origin) = match (place, file.path) {
        (AppPlace::Linked, Some((_, origin))) => {
            problems.push(Problem::AppIsLinked {
                lead: origin.lead(APP),
            });
            (None, origin)
        }
        (AppPlace::File, Some((path, origin))) => (Some(absolute(&path).unwrap_or(path)), origin),
        (AppPlace::File, None) => {
            match &file.line {
                // Somebody who has misspelt `path` has been told so.
                _ if !problems.is_empty() => {}
                Some(line) if file.name.is_some() || file.mount.is_some() => {
                    let lead = format!("{line}: {APP}");
                    problems.push(refused(lead, "a path".to_owned(), "none".to_owned()));
                }
                _ => problems.push(Problem::NoApp),
            }
            (None, Origin::Default)
        }
        (AppPlace::Linked, None) => (None, Origin::Default),
    };
    let mut app = AppConfig::at(path);
    let mut origins = AppOrigins {
        table: file.line,
        name: Origin::Default,
        path: path_origin,
        hosts: Vec::new(),
        mount: Origin::Default,
        arguments: Origin::Default,
        settings: Vec::new(),
        own: Vec::new(),
    };
    if let Some((name, origin)) = file.name {
        (app.name, origins.name) = (name, origin);
    }
    (app.hosts, origins.hosts) = file.hosts.into_iter().unzip();
    if let Some((mount, origin)) = file.mount {
        (app.mount, origins.mount) = (mount, origin);
    }
    if let Some((words, origin)) = file.arguments {
        app.arguments = words.into_iter().map(OsString::from).collect();
        origins.arguments = origin;
    }
    let pairs = file
        .settings
        .into_iter()
        .map(|(key, value, origin)| ((key, value), origin));
    let (pairs, settings) = pairs.unzip();
    (app.settings, origins.settings) = (AppSettings(pairs), settings);
    for given in file.given {
        match given.apply(&mut config.clone()) {
            Ok(origin) => {
                let texts = given
                    .texts
                    .iter()
                    .map(|one| one.text.to_string_lossy().into_owned());
                app.own.push(OwnSetting {
                    name: SETTINGS[given.setting].name,
                    texts: texts.collect(),
                });
                origins.own.push(origin);
            }
            Err(problem) => problems.push(problem),
        }
    }
    (app, origins)
}

/// Refuses an application that is called as one before it, or that would never be asked because of one.
fn tell_apart(
    app: &AppConfig,
    origins: &AppOrigins,
    before: &[(AppConfig, AppOrigins)],
    problems: &mut Vec<Problem>,
) {
    let table = |origins: &AppOrigins| {
        let line = origins.table.as_ref();
        line.map_or_else(|| origins.path.to_string(), ToString::to_string)
    };
    for (other, theirs) in before {
        if other.name == app.name {
            let lead = match &origins.name {
                Origin::Default => format!("{}: app.name", table(origins)),
                own => own.lead("app.name"),
            };
            let expected = format!("another name than the application at {} has", table(theirs));
            problems.push(refused(lead, expected, format!("`{}`", app.name)));
        }
        let same_host = match (&app.hosts[..], &other.hosts[..]) {
            ([], []) => Some("any host".to_owned()),
            (own, theirs) => own
                .iter()
                .find(|host| theirs.contains(host))
                .map(ToString::to_string),
        };
        let same_place =
            app.mount == other.mount && app.own_texts("bind") == other.own_texts("bind");
        if let Some(host) = same_host.filter(|_| same_place) {
            let expected = format!(
                "another host or mount than the application at {} has",
                table(theirs)
            );
            let lead = format!("{}: {APP}", table(origins));
            problems.push(refused(lead, expected, format!("{host} at {}", app.mount)));
        }
    }
}

/// Which of several is meant by what stands on the command line: its name, or its file.
fn pick(file: &[FileApp], wanted: Option<(PathBuf, Origin)>) -> Result<usize, Problem> {
    let name = |one: &FileApp| {
        let named = one.name.as_ref().map(|(name, _)| name.clone());
        let path = one.path.as_ref().map(|(path, _)| path.as_path());
        named.unwrap_or_else(|| AppConfig::at(path.map(Path::to_owned)).name)
    };
    let names = || file.iter().map(name).collect::<Vec<_>>().join(", ");
    let expected = || format!("one of the applications {}", names());
    let Some((word, origin)) = wanted else {
        return Err(refused(APP.to_owned(), expected(), "none".to_owned()));
    };
    let path = absolute(&word).ok();
    let is_meant = |one: &FileApp| {
        let own = one.path.as_ref().and_then(|(path, _)| absolute(path).ok());
        word.to_str() == Some(&name(one)) || own.is_some() && own == path
    };
    file.iter().position(is_meant).ok_or_else(|| {
        let found = format!("`{}`", word.display());
        refused(origin.lead(APP), expected(), found)
    })
}

fn refused(lead: String, expected: String, found: String) -> Problem {
    Problem::Refused {
        lead,
        expected,
        found,
    }
}
