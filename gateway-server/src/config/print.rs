//! The configuration in the form of its file, each value with its origin behind it.

use std::ffi::OsStr;
use std::fmt::Write as _;

use super::apps::AppOrigins;
use super::hidden::HIDDEN;
use super::origin::Origin;
use super::{AppConfig, Config, Resolved, SETTINGS, Setting};

/// Whether the application's own settings are shown, any of which may be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secrets {
    /// Each is replaced by a word that says so.
    Hidden,
    /// As they are.
    Shown,
}

/// All of it; with nothing hidden the text can serve as the file. What is hidden stands in comments.
pub(crate) fn print(resolved: &Resolved, secrets: Secrets) -> String {
    let mut rows = Vec::new();
    let mut config = resolved.config.clone();
    for (setting, origin) in SETTINGS.iter().zip(&resolved.settings) {
        let row = line(setting, &mut config, secrets);
        let origin = row.is_some().then_some(origin);
        let row = row.unwrap_or_else(|| format!("# {} is not set", setting.name));
        rows.push((row, origin));
    }
    let several = config.all_apps().count() > 1;
    for (app, origins) in config.all_apps().zip(&resolved.apps) {
        rows.push((String::new(), None));
        rows.push((if several { "[[app]]" } else { "[app]" }.to_owned(), None));
        print_app(app, origins, secrets, &mut rows);
    }
    table(&rows)
}

type Row<'a> = (String, Option<&'a Origin>);

fn print_app<'a>(
    app: &AppConfig,
    origins: &'a AppOrigins,
    secrets: Secrets,
    rows: &mut Vec<Row<'a>>,
) {
    let mut row = |line: String, origin| rows.push((line, origin));
    row(format!("name = {}", quoted(&app.name)), Some(&origins.name));
    if let Some(path) = &app.path {
        let line = format!("path = {}", quoted_os(path.as_os_str()));
        row(line, Some(&origins.path));
    }
    if !app.hosts.is_empty() {
        let hosts = app.hosts.iter().map(|host| quoted(&host.to_string()));
        let line = format!("host = [{}]", hosts.collect::<Vec<_>>().join(", "));
        row(line, origins.hosts.first());
    }
    let mount = quoted(&app.mount.to_string());
    row(format!("mount = {mount}"), Some(&origins.mount));
    if !app.arguments.is_empty() {
        let words = app.arguments.iter().map(|word| quoted_os(word));
        let line = format!("arguments = [{}]", words.collect::<Vec<_>>().join(", "));
        row(line, Some(&origins.arguments));
    }
    for (own, origin) in app.own.iter().zip(&origins.own) {
        if let Some(setting) = own.setting() {
            let mut scratch = Config::blank();
            let texts: Vec<&str> = own.texts.iter().map(String::as_str).collect();
            let _accepted_before = setting.set(&mut scratch, &texts);
            if let Some(line) = line(setting, &mut scratch, secrets) {
                row(line, Some(origin));
            }
        }
    }
    let pairs = app.settings.0.iter().zip(&origins.settings);
    for (at, ((key, value), origin)) in pairs.enumerate() {
        if at == 0 {
            row(String::new(), None);
            row("[app.config]".to_owned(), None);
        }
        let line = match secrets {
            Secrets::Hidden => format!("# {} = {HIDDEN}", quoted(key)),
            Secrets::Shown => format!("{} = {}", quoted(key), quoted(value)),
        };
        row(line, Some(origin));
    }
}

/// A setting with its values, if it has any.
fn line(setting: &Setting, config: &mut Config, secrets: Secrets) -> Option<String> {
    let texts = setting.show(config);
    let veiled = match secrets {
        Secrets::Hidden => setting.veiled(config),
        Secrets::Shown => texts.clone(),
    };
    let mark = if veiled == texts { "" } else { "# " };
    let line = || format!("{mark}{} = {}", setting.name, shown(setting, &veiled));
    (!texts.is_empty()).then(line)
}

/// A setting's values as the file has them.
pub(super) fn shown(setting: &Setting, texts: &[String]) -> String {
    let quote = |text: &String| match setting.field.is_bare() {
        true => text.clone(),
        false => quoted(text),
    };
    let values: Vec<String> = texts.iter().map(quote).collect();
    match values.as_slice() {
        [one] if !setting.is_list() => one.clone(),
        many => format!("[{}]", many.join(", ")),
    }
}

/// Origins stand in one column, unless a line is too long for it.
fn table(rows: &[Row<'_>]) -> String {
    let mut text = String::new();
    for (line, origin) in rows {
        // Writing to a string cannot fail.
        let _ = match origin {
            Some(origin) => writeln!(text, "{line:<COLUMN$} # {origin}"),
            None => writeln!(text, "{line}"),
        };
    }
    text
}

fn quoted_os(text: &OsStr) -> String {
    quoted(&text.to_string_lossy())
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            letter if letter.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(letter));
            }
            letter => quoted.push(letter),
        }
    }
    quoted + "\""
}

/// Where origins begin.
const COLUMN: usize = 40;

#[cfg(test)]
mod tests {
    use super::super::apps::AppPlace;
    use super::super::sources::{CommandLine, resolve};
    use super::*;

    fn resolved(file: &std::path::Path) -> Resolved {
        let line = CommandLine {
            file: Some(file.to_owned()),
            ..CommandLine::default()
        };
        resolve(line, std::iter::empty(), AppPlace::File, Vec::new()).unwrap()
    }

    #[test]
    fn what_is_printed_can_be_read_again_and_means_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("a"), folder.path().join("b"));
        let text = "workers = 3\nbind = ['[::]:1', 'unix:/a \"b\\c']\nlint = true\naccess-log = '-'\n\
                    [app]\npath = 'x.so'\narguments = ['--name', 'a\\b']\n\
                    [app.config]\nname = \"line\\nline\"\n'odd key' = 'q\"'\n";
        std::fs::write(&first, text).unwrap();
        let before = resolved(&first);
        std::fs::write(&second, print(&before, Secrets::Shown)).unwrap();
        let mut after = resolved(&second).config;
        after.file.clone_from(&before.config.file);
        after.seen.clone_from(&before.config.seen);
        assert_eq!(after, before.config);
    }

    #[test]
    fn each_value_stands_with_its_origin_and_the_applications_are_hidden() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("g.toml");
        std::fs::write(
            &file,
            "workers = 3\n[app]\npath = 'x.so'\nconfig.password = 'hunter2'\n",
        )
        .unwrap();
        let text = print(&resolved(&file), Secrets::Hidden);
        let line = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap();
        assert!(line("workers = 3").ends_with(&format!("# {}:1", file.display())));
        assert!(line("backlog = 2048").ends_with("# default"));
        assert_eq!(line("# access-log"), "# access-log is not set");
        assert!(
            line("# \"password\" = (hidden; print-config --reveal shows it)").contains("g.toml")
        );
        assert!(!text.contains("hunter2"));
    }
}
