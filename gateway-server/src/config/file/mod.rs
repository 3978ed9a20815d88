//! The configuration file: TOML whose keys are the names of the settings, and a table `app` for each
//! application.

mod apps;

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;
use std::rc::Rc;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::SETTINGS;
use super::given::{Given, Text};
use super::gunicorn::key_hint;
use super::nearest::hint;
use super::origin::{Line, Origin};
use super::problem::Problem;
pub(super) use apps::FileApp;

/// What a file says; what is wrong with it goes to a list of its own.
#[derive(Default)]
pub(super) struct FileValues {
    /// Values of settings.
    pub(super) given: Vec<Given>,
    /// The applications.
    pub(super) apps: Vec<FileApp>,
}

impl FileValues {
    /// Reads the file at `path`. Relative paths in it begin where it lies.
    pub(super) fn read(path: &Path, problems: &mut Vec<Problem>) -> Self {
        match read_limited(path) {
            Ok(text) => Self::parse(&text, path, problems),
            Err(cause) => {
                problems.push(Problem::UnreadableFile {
                    path: path.to_owned(),
                    cause,
                });
                Self::default()
            }
        }
    }

    fn parse(text: &str, path: &Path, problems: &mut Vec<Problem>) -> Self {
        let mut reader = Reader {
            text,
            file: Rc::from(path),
            folder: path.parent().unwrap_or(Path::new("")),
            broken: Vec::new(),
            problems: Vec::new(),
            values: Self::default(),
        };
        let (table, errors) = DeTable::parse_recoverable(text);
        let short_app = table
            .get_ref()
            .get(APP)
            .is_some_and(|app| app.get_ref().is_str());
        for error in errors {
            let place = reader.line(error.span().unwrap_or_default());
            let mut message = error.message().lines().collect::<Vec<_>>().join(", ");
            if short_app && message.contains(EXTENDS) {
                message = BOTH_APPS.to_owned();
            }
            // The parser may say the same of each part of a key.
            let again = reader.broken.contains(&place.number);
            reader.broken.push(place.number);
            if !again {
                let number = place.number;
                reader
                    .problems
                    .push((number, Problem::Syntax { place, message }));
            }
        }
        reader.top(table.get_ref());
        reader.problems.sort_by_key(|(line, _)| *line);
        problems.extend(reader.problems.into_iter().map(|(_, problem)| problem));
        reader.values
    }
}

/// A walk over the parsed file.
struct Reader<'t> {
    text: &'t str,
    file: Rc<Path>,
    folder: &'t Path,
    /// Lines that could not be parsed; what the parser has made of them means nothing.
    broken: Vec<usize>,
    problems: Vec<(usize, Problem)>,
    values: FileValues,
}

type Key<'t> = Spanned<std::borrow::Cow<'t, str>>;
type Value<'t> = Spanned<DeValue<'t>>;

impl Reader<'_> {
    fn top(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            let line = self.line(key.span());
            if self.broken.contains(&line.number) {
                continue;
            }
            let name: &str = key.get_ref();
            if name == APP {
                self.apps(value);
            } else if let Some(setting) = SETTINGS.iter().position(|one| one.name == name) {
                let given = self.setting(setting, value);
                self.values.given.extend(given);
            } else {
                let known = SETTINGS.iter().map(|one| one.name).chain([APP]);
                self.unknown(key, "setting", name, known);
            }
        }
    }

    fn setting(&mut self, at: usize, value: &Value<'_>) -> Option<Given> {
        let setting = &SETTINGS[at];
        let texts = match value.get_ref() {
            DeValue::Array(list) if setting.is_list() => self.list(setting.name, list),
            DeValue::Table(table) if setting.field.is_pair() => self.pairs(at, table),
            _ => self
                .text(setting.name, &setting.field.form(), value)
                .map(|one| vec![one]),
        };
        let mut texts = texts?;
        if texts.is_empty() {
            self.refuse(setting.name, &setting.field.form(), value, "an empty list");
            return None;
        }
        for one in &mut texts {
            if let Some(text) = one.text.to_str() {
                one.text = setting.field.anchored(text, self.folder).into();
            }
        }
        Some(Given { setting: at, texts })
    }

    fn list(&mut self, name: &str, list: &DeArray<'_>) -> Option<Vec<Text>> {
        let expected = "a list of texts";
        let texts: Vec<_> = list
            .iter()
            .map(|one| self.text(name, expected, one))
            .collect();
        texts.into_iter().collect()
    }

    /// A table of names and values, each as it would stand in a list.
    fn pairs(&mut self, at: usize, table: &DeTable<'_>) -> Option<Vec<Text>> {
        let setting = &SETTINGS[at];
        let mut texts = Vec::new();
        for (key, value) in table {
            let shown = format!("{}.{}", setting.name, key.get_ref());
            let mut one = self.veiled_text(&shown, "a text or a number", value)?;
            let mut text = std::ffi::OsString::from(format!("{}=", key.get_ref()));
            text.push(&one.text);
            one.text = text;
            texts.push(one);
        }
        Some(texts)
    }

    /// Texts, whole numbers and booleans are read as their setting reads them everywhere else.
    fn text(&mut self, name: &str, expected: &str, value: &Value<'_>) -> Option<Text> {
        let text = plain(value.get_ref());
        if text.is_none() {
            self.refuse(name, expected, value, &described(value.get_ref()));
        }
        self.known(text?, value)
    }

    /// The same where it may be a password.
    fn veiled_text(&mut self, name: &str, expected: &str, value: &Value<'_>) -> Option<Text> {
        let text = plain(value.get_ref());
        if text.is_none() {
            self.refuse(name, expected, value, kind(value.get_ref()));
        }
        self.known(text?, value)
    }

    fn known(&self, text: String, value: &Value<'_>) -> Option<Text> {
        Some(Text {
            text: text.into(),
            origin: self.origin(value),
        })
    }

    fn refuse(&mut self, name: &str, expected: &str, value: &Value<'_>, found: &str) {
        let origin = self.origin(value);
        let line = self.line(value.span()).number;
        if !self.broken.contains(&line) {
            let problem = Problem::Refused {
                lead: origin.lead(name),
                expected: expected.to_owned(),
                found: found.to_owned(),
            };
            self.problems.push((line, problem));
        }
    }

    fn unknown<'k>(
        &mut self,
        key: &Key<'_>,
        what: &'static str,
        name: &str,
        known: impl Iterator<Item = &'k str>,
    ) {
        let place = self.line(key.span());
        let number = place.number;
        let problem = Problem::UnknownKey {
            place,
            what,
            name: name.to_owned(),
            hint: key_hint(name).unwrap_or_else(|| hint(name, known)),
        };
        self.problems.push((number, problem));
    }

    fn origin(&self, value: &Value<'_>) -> Origin {
        Origin::File(self.line(value.span()))
    }

    fn line(&self, span: Range<usize>) -> Line {
        let before = self.text.as_bytes().get(..span.start).unwrap_or_default();
        Line {
            file: Rc::clone(&self.file),
            number: before.iter().filter(|byte| **byte == b'\n').count() + 1,
        }
    }
}

/// The value as it would stand on the command line.
fn plain(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) if !text.contains('\0') => Some(text.clone().into_owned()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        DeValue::Boolean(truth) => Some(truth.to_string()),
        _ => None,
    }
}

fn described(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the text {text:?}"),
        DeValue::Integer(number) => format!("the number {number}"),
        DeValue::Float(number) => format!("the number {number}"),
        DeValue::Boolean(truth) => format!("`{truth}`"),
        other => kind(other).to_owned(),
    }
}

/// What it is, for a value that nobody is to see.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(text) if text.contains('\0') => "a text with a NUL",
        DeValue::String(_) => "a text",
        DeValue::Integer(number) if number.radix() != 10 => "a number in another base than ten",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number that is not whole",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a time of day",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// A whole file of text; endless ones are cut off with an error.
pub(super) fn read_limited(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(MAX_FILE + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > MAX_FILE {
        return Err(io::Error::other("expected at most 1 MiB, found more"));
    }
    Ok(text)
}

/// Longest configuration file, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// What the parser says of a table whose name is taken by a value.
const EXTENDS: &str = "cannot extend value";
/// What to do then about the name that invites to it.
const BOTH_APPS: &str =
    "`app` is a path above and cannot be a table as well: write `[app]` and `path = ...` in it";

/// The table of the application.
pub(super) const APP: &str = "app";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (FileValues, Vec<String>) {
        let mut problems = Vec::new();
        let values = FileValues::parse(text, Path::new("/etc/g.toml"), &mut problems);
        (values, problems.iter().map(ToString::to_string).collect())
    }

    fn told(text: &str) -> Vec<String> {
        parse(text).1
    }

    #[test]
    fn values_are_texts_numbers_and_booleans_and_know_their_lines() {
        let (values, problems) =
            parse("workers = 4\nlint = true\n\nbind = [\n 'unix:s', '[::]:1',\n]\n");
        assert_eq!(problems, [""; 0]);
        let mut read: Vec<_> = values
            .given
            .iter()
            .flat_map(|given| &given.texts)
            .map(|one| format!("{} {}", one.origin, one.text.display()))
            .collect();
        read.sort();
        let expected = [
            "/etc/g.toml:1 4",
            "/etc/g.toml:2 true",
            "/etc/g.toml:5 [::]:1",
            "/etc/g.toml:5 unix:/etc/s",
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn every_mistake_is_told_in_the_order_of_lines() {
        let text = "workers = 0x10\nwokers = 2\nkeep-alive = 1.5\nbind = []\n\
                    keep_alive = '1s'\nzoo = 1\n[app]\npath = 3\nparh = 'x'\narguments = 'x'\n";
        assert_eq!(
            told(text),
            [
                "/etc/g.toml:1: workers: expected `auto` or a number from 0 to 512, found the number 0x10",
                "/etc/g.toml:2: there is no setting `wokers`; did you mean `workers`?",
                "/etc/g.toml:3: keep-alive: expected a time from 0s to 24h such as `500ms`, `30s` or \
                 `2m`, found the number 1.5",
                "/etc/g.toml:4: bind: expected `ADDRESS:PORT`, `[IPV6]:PORT`, `unix:/PATH`, `fd://N`, \
                 `systemd` or `systemd:NAME`, for TLS with `https://` before it, for redirects with \
                 `redirect://`, for a web server in front with `fastcgi://`, `scgi://` or `uwsgi://`; for \
                 the PROXY protocol `proxy+http://`, `proxy+https://` or `proxy+redirect://`, found an \
                 empty list",
                "/etc/g.toml:5: there is no setting `keep_alive`; did you mean `keep-alive`?",
                "/etc/g.toml:6: there is no setting `zoo`",
                "/etc/g.toml:8: app.path: expected a path, found the number 3",
                "/etc/g.toml:9: there is no key `app.parh`; did you mean `app.path`?",
                "/etc/g.toml:10: app.arguments: expected a list of texts, found the text \"x\"",
            ]
        );
    }

    #[test]
    fn mistakes_of_syntax_hide_no_others() {
        let told = told("workers = \nwokers = 1\nbind = 'unclosed\nlint = yes\nlint = true\n");
        let lines: Vec<_> = told.iter().map(|one| &one[..13]).collect();
        assert!(told.len() >= 4, "{told:#?}");
        assert!(lines.is_sorted(), "{told:#?}");
        assert!(told[1].contains("`wokers`"), "{told:#?}");
    }

    #[test]
    fn an_application_with_a_path_and_a_table_is_told_how_to_have_both() {
        let told = told("app = 'a.so'\nworkers = 2\n[app.config]\nk = 'v'\n");
        let expected = format!("/etc/g.toml:3: {BOTH_APPS}");
        assert_eq!(told, [expected]);
    }

    #[test]
    fn a_file_that_never_ends_is_refused() {
        let error = read_limited(Path::new("/dev/zero")).unwrap_err();
        assert!(error.to_string().contains("1 MiB"), "{error}");
    }
}
