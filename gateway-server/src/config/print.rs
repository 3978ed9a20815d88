//! The configuration in the form of its file, each value with its origin behind it.

use std::ffi::OsStr;
use std::fmt::Write as _;

use super::{Resolved, SETTINGS};
use crate::config::origin::Origin;

/// Whether the application's own settings are shown, any of which may be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secrets {
    /// Each is replaced by a word that says so.
    Hidden,
    /// As they are.
    Shown,
}

/// All of it; with nothing hidden the text can serve as the file.
pub(crate) fn print(resolved: &Resolved, secrets: Secrets) -> String {
    let mut rows = Vec::new();
    let mut config = resolved.config.clone();
    for (setting, origin) in SETTINGS.iter().zip(&resolved.settings) {
        let quote = |text: &String| match setting.field.is_bare() {
            true => text.clone(),
            false => quoted(text),
        };
        let values = match secrets {
            Secrets::Hidden => setting.veiled(&mut config),
            Secrets::Shown => setting.show(&mut config),
        };
        let values: Vec<String> = values.iter().map(quote).collect();
        let value = match values.as_slice() {
            [] => {
                rows.push((format!("# {} is not set", setting.name), None));
                continue;
            }
            [one] if !setting.is_list() => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        rows.push((format!("{} = {value}", setting.name), Some(origin)));
    }
    rows.push((String::new(), None));
    rows.push(("[app]".to_owned(), None));
    if let Some(path) = &config.app {
        let line = format!("path = {}", quoted_os(path.as_os_str()));
        rows.push((line, Some(&resolved.app)));
    }
    if !config.app_arguments.is_empty() {
        let words = config.app_arguments.iter().map(|word| quoted_os(word));
        let line = format!("arguments = [{}]", words.collect::<Vec<_>>().join(", "));
        rows.push((line, Some(&resolved.arguments)));
    }
    let pairs = config.app_settings.0.iter().zip(&resolved.app_settings);
    for (at, ((key, value), origin)) in pairs.enumerate() {
        if at == 0 {
            rows.push((String::new(), None));
            rows.push(("[app.config]".to_owned(), None));
        }
        let shown = match secrets {
            Secrets::Hidden => HIDDEN.to_owned(),
            Secrets::Shown => quoted(value),
        };
        rows.push((format!("{} = {shown}", quoted(key)), Some(origin)));
    }
    table(&rows)
}

/// Origins stand in one column, unless a line is too long for it.
fn table(rows: &[(String, Option<&Origin>)]) -> String {
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
/// What stands for a value that is not shown.
const HIDDEN: &str = "\"(hidden; --reveal shows it)\"";

#[cfg(test)]
mod tests {
    use super::super::sources::{AppPlace, CommandLine, resolve};
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
        assert!(line("\"password\"").contains("(hidden; --reveal shows it)"));
        assert!(!text.contains("hunter2"));
    }
}
