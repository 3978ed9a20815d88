//! What the settings for static files mean together, and whether the folders are there.

use std::path::{Path, absolute};

use super::origin::Origin;
use super::problem::Problem;
use super::spelled::Spelled;
use super::{Config, SETTINGS};
use crate::static_files::{StaticMount, UrlPath};

impl Spelled for StaticMount {
    const FORM: &'static str =
        "`PATH=FOLDER`, a URL's path and a folder such as `/assets=./public`";
    const PLACEHOLDER: &'static str = "PATH=FOLDER";
    const IS_PAIR: bool = true;

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    fn anchored(text: &str, folder: &Path) -> String {
        match text.split_once('=') {
            Some((path, place)) if !place.is_empty() => {
                format!("{path}={}", folder.join(place).to_string_lossy())
            }
            _ => text.to_owned(),
        }
    }
}

impl Spelled for UrlPath {
    const FORM: &'static str = "a URL's path such as `/assets`";
    const PLACEHOLDER: &'static str = "PATH";

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

/// Has folders begin where the server was started, and finds paths that have two; `origins` are those
/// of the settings.
pub(super) fn settle(config: &mut Config, origins: &[Origin], problems: &mut Vec<Problem>) {
    let mut known = Vec::new();
    for mount in &mut config.static_mounts {
        // Workers may be elsewhere.
        if let Ok(folder) = absolute(&mount.folder) {
            mount.folder = folder;
        }
        if known.contains(&&mount.path) {
            let expected = format!("one folder for {}", mount.path);
            problems.push(refusal(
                origins,
                expected,
                format!("`{mount}` beside another"),
            ));
        }
        known.push(&mount.path);
    }
}

/// The folders that are to be served and are none.
pub(super) fn missing(config: &Config, origins: &[Origin]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for mount in &config.static_mounts {
        let found = match std::fs::metadata(&mount.folder) {
            Ok(found) if found.is_dir() => continue,
            Ok(_) => "something else".to_owned(),
            Err(error) => error.to_string(),
        };
        let expected = format!("a folder at {} for {}", mount.folder.display(), mount.path);
        problems.push(refusal(origins, expected, found));
    }
    problems
}

fn refusal(origins: &[Origin], expected: String, found: String) -> Problem {
    let at = SETTINGS.iter().position(|one| one.name == SETTING);
    Problem::Refused {
        lead: at.map_or_else(|| SETTING.to_owned(), |at| origins[at].lead(SETTING)),
        expected,
        found,
    }
}

const SETTING: &str = "static";
