//! Values on their way from a source to their setting.

use std::ffi::OsString;

use super::origin::Origin;
use super::problem::Problem;
use super::{Config, SETTINGS};

/// The values of one setting from one source.
#[derive(Debug)]
pub(super) struct Given {
    /// Which setting, as an index into [`SETTINGS`].
    pub(super) setting: usize,
    /// Its values; several only for a list.
    pub(super) texts: Vec<Text>,
}

/// A value as it stands in its source.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) text: OsString,
    pub(super) origin: Origin,
}

impl Given {
    /// Values that have one origin.
    pub(super) fn all(setting: usize, texts: Vec<OsString>, origin: &Origin) -> Self {
        let text = |text| Text {
            text,
            origin: origin.clone(),
        };
        let texts = texts.into_iter().map(text).collect();
        Self { setting, texts }
    }

    /// Reads them into the configuration, and answers where they come from.
    ///
    /// # Errors
    ///
    /// The first that the setting refuses.
    pub(super) fn apply(&self, config: &mut Config) -> Result<Origin, Problem> {
        let setting = &SETTINGS[self.setting];
        let refuse = |one: &Text, expected: String, found: String| Problem::Refused {
            lead: one.origin.lead(setting.name),
            expected,
            found,
        };
        let mut texts = Vec::new();
        for one in &self.texts {
            let text = one.text.to_str();
            let form = || setting.field.form();
            texts.push(text.ok_or_else(|| refuse(one, form(), "text that is not UTF-8".into()))?);
        }
        match (setting.set(config, &texts), self.texts.first()) {
            (Ok(()), first) => Ok(first.map_or(Origin::Default, |one| one.origin.clone())),
            (Err(refused), first) => {
                let culprit = self.texts.iter().find(|one| *one.text == *refused.text);
                let one = culprit.or(first).expect("only what was given is refused");
                Err(refuse(one, refused.expected, refused.found))
            }
        }
    }
}
