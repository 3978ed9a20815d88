//! The applications of a configuration file: `app = PATH`, `[app]`, or `[[app]]` for each of several.

use std::path::PathBuf;

use toml::de::{DeTable, DeValue};

use super::{APP, Key, Reader, Value, described, kind, read_limited};
use crate::config::SETTINGS;
use crate::config::app::{OF_POOLS, OF_REQUESTS, is_name};
use crate::config::given::Given;
use crate::config::hidden;
use crate::config::origin::{Line, Origin};
use crate::config::problem::Problem;
use crate::routes::{HostPattern, Mount};

/// What a file says of one application.
#[derive(Default)]
pub(in crate::config) struct FileApp {
    /// Where it begins.
    pub(in crate::config) line: Option<Line>,
    pub(in crate::config) name: Option<(String, Origin)>,
    /// Its file.
    pub(in crate::config) path: Option<(PathBuf, Origin)>,
    /// The hosts that it answers for.
    pub(in crate::config) hosts: Vec<(HostPattern, Origin)>,
    pub(in crate::config) mount: Option<(Mount, Origin)>,
    /// Its arguments.
    pub(in crate::config) arguments: Option<(Vec<String>, Origin)>,
    /// Its own settings, in the order of their keys.
    pub(in crate::config) settings: Vec<(String, String, Origin)>,
    /// The server's settings that it has another value of.
    pub(in crate::config) given: Vec<Given>,
}

impl Reader<'_> {
    pub(super) fn apps(&mut self, value: &Value<'_>) {
        let expected = "a path, a table `[app]`, or tables `[[app]]`";
        match value.get_ref() {
            DeValue::Table(table) => self.app(table, value),
            DeValue::String(path) => {
                let mut app = FileApp {
                    line: Some(self.line(value.span())),
                    ..FileApp::default()
                };
                self.path(&mut app, path, value);
                self.values.apps.push(app);
            }
            DeValue::Array(list) if list.is_empty() => {
                self.refuse(APP, expected, value, "an empty list");
            }
            DeValue::Array(list) => {
                for one in list {
                    match one.get_ref() {
                        DeValue::Table(table) => self.app(table, one),
                        other => self.refuse(APP, expected, one, &described(other)),
                    }
                }
            }
            other => self.refuse(APP, expected, value, &described(other)),
        }
    }

    fn app(&mut self, table: &DeTable<'_>, place: &Value<'_>) {
        let mut app = FileApp {
            line: Some(self.line(place.span())),
            ..FileApp::default()
        };
        for (key, value) in table {
            self.key(&mut app, key, value);
        }
        let settings = &mut app.settings;
        settings.sort_by(|a, b| a.0.cmp(&b.0));
        let twice = settings.windows(2).find(|pair| pair[0].0 == pair[1].0);
        if let Some([_, (key, _, Origin::File(line))]) = twice {
            let problem = Problem::Twice {
                place: line.clone(),
                key: key.clone(),
            };
            self.problems.push((line.number, problem));
        }
        self.values.apps.push(app);
    }

    fn key(&mut self, app: &mut FileApp, key: &Key<'_>, value: &Value<'_>) {
        let name: &str = key.get_ref();
        let shown = format!("app.{name}");
        match (name, value.get_ref()) {
            ("path", DeValue::String(path)) => self.path(app, path, value),
            ("name", DeValue::String(text)) if is_name(text) => {
                app.name = Some((text.clone().into_owned(), self.origin(value)));
            }
            ("host", DeValue::String(_)) => self.host(app, value),
            ("host", DeValue::Array(list)) if !list.is_empty() => {
                list.iter().for_each(|one| self.host(app, one));
            }
            ("mount", DeValue::String(text)) => match Mount::parse(text) {
                Some(mount) => app.mount = Some((mount, self.origin(value))),
                None => self.refuse(&shown, Mount::FORM, value, &format!("{text:?}")),
            },
            ("arguments", DeValue::Array(list)) => {
                if let Some(texts) = self.list(&shown, list) {
                    let words = texts
                        .into_iter()
                        .filter_map(|one| one.text.into_string().ok());
                    app.arguments = Some((words.collect(), self.origin(value)));
                }
            }
            ("config", DeValue::Table(table)) => self.config(app, "", table),
            ("secrets", DeValue::Table(table)) => self.secrets(app, table),
            ("config", other) => self.refuse(&shown, "a table", value, kind(other)),
            ("secrets", other) => self.refuse(&shown, "a table of paths", value, kind(other)),
            (known, other) => {
                let form = KEYS.iter().find(|(key, _)| *key == known);
                let own = OF_REQUESTS.contains(&known) || OF_POOLS.contains(&known);
                let setting = SETTINGS.iter().position(|one| one.name == known);
                match (form, setting.filter(|_| own)) {
                    (Some((_, form)), _) => self.refuse(&shown, form, value, &described(other)),
                    (None, Some(setting)) => app.given.extend(self.setting(setting, value)),
                    (None, None) if setting.is_some() => {
                        let found = "one of the whole server, which stands before all tables";
                        self.refuse(&shown, "a setting of requests or of workers", value, found);
                    }
                    (None, None) => {
                        let names = KEYS
                            .iter()
                            .map(|(key, _)| *key)
                            .chain(OF_REQUESTS)
                            .chain(OF_POOLS);
                        let names: Vec<_> = names.map(|key| format!("app.{key}")).collect();
                        self.unknown(key, "key", &shown, names.iter().map(String::as_str));
                    }
                }
            }
        }
    }

    fn path(&mut self, app: &mut FileApp, path: &str, value: &Value<'_>) {
        if path.is_empty() || path.contains('\0') {
            return self.refuse("app.path", "a path", value, &format!("{path:?}"));
        }
        app.path = Some((self.folder.join(path), self.origin(value)));
    }

    fn host(&mut self, app: &mut FileApp, value: &Value<'_>) {
        let text = value.get_ref().as_str();
        match text.and_then(HostPattern::parse) {
            Some(host) => app.hosts.push((host, self.origin(value))),
            None => {
                let found = described(value.get_ref());
                self.refuse("app.host", HostPattern::FORM, value, &found);
            }
        }
    }

    /// A table within is a prefix: `[app.config.database]` with `url` is `database.url`.
    fn config(&mut self, app: &mut FileApp, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let name = format!("{prefix}{}", key.get_ref());
            let shown = format!("app.config.{name}");
            match value.get_ref() {
                DeValue::Table(table) => self.config(app, &format!("{name}."), table),
                DeValue::Float(float) => self.value(app, name, float.as_str(), value),
                DeValue::Datetime(time) => self.value(app, name, &time.to_string(), value),
                _ => {
                    let expected = "a text, a number, a boolean, a time or a table";
                    let text = self.veiled_text(&shown, expected, value);
                    if let Some(text) = text.and_then(|one| one.text.into_string().ok()) {
                        self.value(app, name, &text, value);
                    }
                }
            }
        }
    }

    /// Values that stand in files of their own, as orchestrators mount them; one line end is not theirs.
    fn secrets(&mut self, app: &mut FileApp, table: &DeTable<'_>) {
        for (key, value) in table {
            let name = key.get_ref().clone().into_owned();
            let shown = format!("app.secrets.{name}");
            let Some(path) = value.as_ref().as_str() else {
                // Whoever has written the value itself does not read it in a log.
                let found = kind(value.get_ref());
                let expected = "the path of a file that holds the value";
                self.refuse(&shown, expected, value, found);
                continue;
            };
            let path = self.folder.join(path);
            match read_limited(&path) {
                Ok(secret) => {
                    let secret = secret.strip_suffix('\n').unwrap_or(&secret);
                    self.value(app, name, secret, value);
                }
                Err(cause) => {
                    let place = self.line(value.span());
                    let number = place.number;
                    let problem = Problem::UnreadableSecret {
                        place,
                        name: shown,
                        path,
                        cause,
                    };
                    self.problems.push((number, problem));
                }
            }
        }
    }

    fn value(&mut self, app: &mut FileApp, key: String, text: &str, value: &Value<'_>) {
        if text.contains('\0') || key.contains('\0') {
            let name = format!("app.config.{}", key.escape_default());
            return self.refuse(&name, "a text without NUL", value, "one with it");
        }
        if hidden::is_missing_from(text) {
            let name = format!("app.config.{key}");
            return self.refuse(&name, hidden::EXPECTED, value, hidden::FOUND);
        }
        let origin = self.origin(value);
        app.settings.push((key, text.to_owned(), origin));
    }
}

/// The keys of an application that are no settings of the server, and what they hold.
const KEYS: [(&str, &str); 7] = [
    ("arguments", "a list of texts"),
    ("config", "a table"),
    ("host", HostPattern::FORM),
    ("mount", Mount::FORM),
    ("name", NAME),
    ("path", "a path"),
    ("secrets", "a table of paths"),
];

const NAME: &str = "a name of letters, digits, `-`, `_` and `.`";

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::FileValues;

    fn parse(text: &str) -> (FileValues, Vec<String>) {
        let mut problems = Vec::new();
        let values = FileValues::parse(text, Path::new("/etc/g.toml"), &mut problems);
        (values, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_application_has_a_path_arguments_and_settings() {
        let (values, problems) = parse(
            "[app]\npath = 'current/app.so'\narguments = ['a', 'b c']\n[app.config]\nname = 'x'\n\
             size = 3\non = true\nrate = 1.50\nday = 2026-01-01\n[app.config.database]\nurl = 'u'\n",
        );
        assert_eq!(problems, [""; 0]);
        let app = &values.apps[0];
        let path = app.path.as_ref().unwrap();
        assert_eq!(path.0, Path::new("/etc/current/app.so"));
        assert_eq!(app.arguments.as_ref().unwrap().0, ["a", "b c"]);
        let settings = app.settings.iter().map(|(k, v, _)| format!("{k}={v}"));
        let expected = [
            "database.url=u",
            "day=2026-01-01",
            "name=x",
            "on=true",
            "rate=1.50",
            "size=3",
        ];
        assert_eq!(settings.collect::<Vec<_>>(), expected);
        let (values, _) = parse("app = '/srv/app.so'");
        let path = values.apps[0].path.as_ref().unwrap();
        assert_eq!(path.0, Path::new("/srv/app.so"));
    }

    #[test]
    fn each_of_several_has_a_table_of_its_own() {
        let (values, problems) = parse(
            "workers = 2\n[[app]]\npath = 'a.so'\n\n[[app]]\nname = 'b'\npath = 'b.so'\n\
             host = ['b.org', '*.b.org']\nmount = '/b'\nmax-body = '1KiB'\n[app.config]\nk = 'v'\n",
        );
        assert_eq!(problems, [""; 0]);
        let [one, two] = &values.apps[..] else {
            panic!("expected two")
        };
        let lines = [one, two].map(|app| app.line.as_ref().map(|line| line.number));
        assert_eq!(lines, [Some(2), Some(5)]);
        assert!(one.name.is_none() && one.hosts.is_empty() && one.settings.is_empty());
        assert_eq!(two.name.as_ref().unwrap().0, "b");
        assert_eq!((two.hosts.len(), two.given.len()), (2, 1));
        assert_eq!(two.mount.as_ref().unwrap().1.to_string(), "/etc/g.toml:9");
        assert_eq!(two.settings[0].0, "k");
    }

    #[test]
    fn what_an_application_cannot_have_is_told_with_its_line() {
        let (_, problems) = parse(
            "[[app]]\npath = 3\nname = '-x'\nhost = 'a:80'\nmount = '/a/'\nlinger = '1s'\n\
             max-bdy = 1\nhost-name = 'a'\n[[app]]\nmount = 1\nhost = []\n",
        );
        let expected = [
            "/etc/g.toml:2: app.path: expected a path, found the number 3",
            "/etc/g.toml:3: app.name: expected a name of letters, digits, `-`, `_` and `.`, found the \
             text \"-x\"",
            "/etc/g.toml:4: app.host: expected a host without port, such as `example.com` or \
             `*.example.com`, found the text \"a:80\"",
            "/etc/g.toml:5: app.mount: expected `/`, or a path such as `/shop` without `/` at its end, \
             found \"/a/\"",
            "/etc/g.toml:6: app.linger: expected a setting of requests or of workers, found one of the whole \
             server, which stands before all tables",
            "/etc/g.toml:7: there is no key `app.max-bdy`; did you mean `app.max-body`?",
            "/etc/g.toml:8: there is no key `app.host-name`",
            "/etc/g.toml:10: app.mount: expected `/`, or a path such as `/shop` without `/` at its end, \
             found the number 1",
            "/etc/g.toml:11: app.host: expected a host without port, such as `example.com` or \
             `*.example.com`, found a list",
        ];
        assert_eq!(problems, expected);
        let (_, problems) = parse("app = ['a.so']");
        assert!(
            problems[0].contains("or tables `[[app]]`, found the text"),
            "{problems:?}"
        );
    }

    #[test]
    fn what_may_be_a_password_is_never_told() {
        let texts = [
            "env = { PIN = 20.26, KEY = \"2026\\u0000\" }",
            "[app]\nconfig = '2026'",
            "[app]\nconfig.pin = 0x2026",
            "[app]\nconfig.pin = [2026]",
            "[app]\nsecrets = '2026'",
            "[app]\nsecrets.pin = 2026",
        ];
        for text in texts {
            let (_, problems) = parse(text);
            assert_eq!(problems.len(), 1, "{text}");
            assert!(!problems[0].contains("20"), "{problems:?}");
        }
    }

    #[test]
    fn secrets_are_read_from_files_and_a_key_stands_once() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), "hunter2\n\n").unwrap();
        let path = folder.path().join("g.toml");
        let text = "app.secrets = { key = 'key', none = 'missing' }\n";
        let mut problems = Vec::new();
        let values = FileValues::parse(text, &path, &mut problems);
        assert_eq!(values.apps[0].settings[0].1, "hunter2\n");
        let told = problems[0].to_string();
        assert!(
            told.contains("g.toml:1: app.secrets.none: cannot read"),
            "{told}"
        );
        let text = "[app.secrets]\nkey = 'key'\n[app.config]\nkey = 'x'\n";
        FileValues::parse(text, &path, &mut problems);
        let told = problems[1].to_string();
        assert!(told.contains("`key` has a value already"), "{told}");
    }
}
