//! [`Known`]: the settings that somebody has asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::nearest::nearest;

/// The settings that somebody has asked for, or that the application itself sets, until the start is over.
#[derive(Debug, Default)]
pub(super) struct Known {
    names: BTreeSet<String>,
    /// Sections that were read as a type: their names, and those of the type's fields.
    sections: BTreeMap<String, BTreeSet<String>>,
    /// Sections that were read as they are, whatever stands in them.
    whole: BTreeSet<String>,
}

impl Known {
    pub(super) fn name(&mut self, key: &str) {
        self.names.insert(key.to_owned());
    }

    pub(super) fn section(&mut self, path: String, fields: &[&'static str]) {
        self.names
            .extend(fields.iter().map(|field| format!("{path}.{field}")));
        let known = self.sections.entry(path).or_default();
        known.extend(fields.iter().map(|field| (*field).to_owned()));
    }

    pub(super) fn whole(&mut self, path: String) {
        self.whole.insert(path);
    }

    /// Words for a warning about a setting that nobody has asked for: what was likely meant, or what else stands in
    /// its section. None if somebody has, or may do so while it serves.
    pub(super) fn slip(&self, key: &str) -> Option<String> {
        let below = format!("{key}.");
        let is_known = self.names.contains(key)
            || self
                .names
                .range(below.clone()..)
                .next()
                .is_some_and(|name| name.starts_with(&below))
            || ancestors(key).any(|section| self.whole.contains(section));
        if is_known {
            return None;
        }
        let names = self.names.iter().map(String::as_str);
        let settings = names.filter(|name| !self.sections.contains_key(*name));
        if let Some(meant) = nearest(key, settings) {
            return Some(format!("did you mean `{meant}`?"));
        }
        let section = ancestors(key).find_map(|path| Some((path, self.sections.get(path)?)));
        let (path, fields) = section?;
        let fields: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
        Some(format!("`{path}` has {}", fields.join(", ")))
    }
}

/// `a.b` and `a` for `a.b.c`.
fn ancestors(key: &str) -> impl Iterator<Item = &str> {
    let first = key.rsplit_once('.').map(|(section, _)| section);
    std::iter::successors(first, |section| {
        section.rsplit_once('.').map(|(outer, _)| outer)
    })
}
