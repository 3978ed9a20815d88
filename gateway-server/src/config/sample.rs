//! A configuration file to begin with: every setting with its default, commented out.

use std::fmt::Write as _;

use super::SETTINGS;
use super::print::shown;
use super::setting::{Applies, Setting};

/// The whole file; as it is, it changes nothing. `title` is what the program is called.
pub(crate) fn sample(title: &str) -> String {
    let mut text = format!(
        "# Configuration of {title}: {title} --config FILE, or GATEWAYD_CONFIG=FILE.\n\
         #\n\
         # Every setting stands here with its default, commented out. A variable of the environment wins over\n\
         # this file, a flag over both: worker-timeout is GATEWAYD_WORKER_TIMEOUT and --worker-timeout there.\n"
    );
    let mut heading = "";
    for setting in SETTINGS.iter() {
        if setting.group.heading() != heading {
            heading = setting.group.heading();
            // Writing to a string cannot fail.
            let _ = writeln!(text, "\n\n## {heading}");
        }
        text.push_str(&entry(setting));
    }
    text + APP
}

fn entry(setting: &Setting) -> String {
    let mut about = format!("{}.", setting.help);
    if setting.applies == Applies::Restart {
        about += " Only a restart changes it.";
    }
    let form = setting.field.form();
    let list = if setting.is_list() {
        "a list; each "
    } else {
        ""
    };
    let mut text = String::from("\n");
    for line in wrapped(&about).chain(wrapped(&format!("({list}{form})"))) {
        let _ = writeln!(text, "# {line}");
    }
    let value = match setting.default {
        "" => shown(setting, &[setting.field.placeholder().to_owned()]),
        "auto" => "\"auto\"".to_owned(),
        default => shown(setting, &[default.to_owned()]),
    };
    text + &format!("#{} = {value}\n", setting.name)
}

/// Lines of bounded length, broken at spaces.
pub(crate) fn wrapped(text: &str) -> impl Iterator<Item = String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is a first line");
        if !line.is_empty() && line.chars().count() + word.chars().count() >= WIDTH {
            lines.push(word.to_owned());
        } else {
            let space = if line.is_empty() { "" } else { " " };
            *line += &format!("{space}{word}");
        }
    }
    lines.into_iter()
}

/// Longest line, in characters, if words allow.
const WIDTH: usize = 96;

/// The application's part.
const APP: &str = "\n\n## The application\n\n\
# [app]\n\
# path = \"current/libshop.so\"\n\
# arguments = [\"--verbose\"]\n\n\
# What it is told at its start, as texts.\n\
# [app.config]\n\
# currency = \"EUR\"\n\n\
# Files that hold such a text.\n\
# [app.secrets]\n\
# database-url = \"/run/secrets/database-url\"\n";

#[cfg(test)]
mod tests {
    use super::super::AppPlace;
    use super::super::Config;
    use super::super::sources::{CommandLine, resolve};
    use super::*;

    fn read(text: &str) -> Config {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("g.toml");
        std::fs::write(&file, text).unwrap();
        let line = CommandLine {
            file: Some(file),
            app: Some("/app.so".into()),
            ..CommandLine::default()
        };
        let mut config = resolve(line, std::iter::empty(), AppPlace::File, Vec::new())
            .unwrap()
            .config;
        config.file = None;
        config.seen.clear();
        config
    }

    #[test]
    fn the_sample_changes_nothing_with_or_without_its_marks() {
        let sample = sample("gatewayd");
        let without_marks: Vec<&str> = sample
            .lines()
            .map(|line| {
                let name = line
                    .strip_prefix('#')
                    .and_then(|rest| rest.split_once(" = "));
                let known = SETTINGS
                    .iter()
                    .find(|one| name.is_some_and(|(name, _)| name == one.name));
                match known {
                    Some(setting) if !setting.default.is_empty() => &line[1..],
                    _ => line,
                }
            })
            .collect();
        let defaults = read("");
        assert_eq!(read(&sample), defaults);
        assert_eq!(read(&without_marks.join("\n")), defaults);
        for setting in SETTINGS.iter() {
            assert!(sample.contains(&format!("\n#{} = ", setting.name)));
        }
        // A default may be a long list.
        let mut prose = sample.lines().filter(|line| line.starts_with("# "));
        assert!(prose.all(|line| line.chars().count() <= 110));
    }
}
