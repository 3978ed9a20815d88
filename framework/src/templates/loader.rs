//! [`Loader`]: where templates come from.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use minijinja::{Error, ErrorKind, TemplateSource};

use super::setup::Setup;
use super::{escape, nonces};
use crate::file_names::safe_join;

/// Folders, in the order in which they are searched, and templates in the code.
pub(super) struct Loader {
    folders: Vec<Folder>,
    sources: BTreeMap<String, String>,
    nonces: bool,
}

struct Folder {
    path: PathBuf,
    /// As it was registered, for messages.
    named: String,
}

impl Loader {
    /// A folder that is missing is a mistake.
    pub(super) fn new<'a>(
        root: &Path,
        setups: impl Iterator<Item = &'a Setup>,
        nonces: bool,
        mistakes: &mut Vec<String>,
    ) -> Self {
        let mut loader = Self {
            folders: Vec::new(),
            sources: BTreeMap::new(),
            nonces,
        };
        for setup in setups {
            for folder in &setup.folders {
                let path = root.join(folder);
                if !path.is_dir() {
                    let path = path.display();
                    mistakes.push(format!(
                        "templates: expected a folder at {path}, found none: the application's folder is what `root` \
                         in `[app.config]` says, or `App::root`"
                    ));
                }
                let named = folder.display().to_string();
                loader.folders.push(Folder { path, named });
            }
            for (name, source) in &setup.sources {
                let entry = loader.sources.entry(name.clone());
                entry.or_insert_with(|| source.clone());
            }
        }
        loader
    }

    /// All templates, each with the place to name in a mistake. Links to folders are not followed: what is behind
    /// them is compiled when it is first used.
    pub(super) fn names(&self, mistakes: &mut Vec<String>) -> BTreeMap<String, String> {
        let mut names = BTreeMap::new();
        for name in self.sources.keys() {
            names.insert(name.clone(), format!("template {name:?}"));
        }
        for folder in self.folders.iter().rev() {
            let mut found = Vec::new();
            if let Err(error) = walk(&folder.path, "", &mut found) {
                mistakes.push(format!(
                    "the templates in {}: {error}",
                    folder.path.display()
                ));
            }
            for name in found {
                let place = format!("{}/{name}", folder.named);
                names.insert(name, place);
            }
        }
        names
    }

    /// The source of a template.
    ///
    /// # Errors
    ///
    /// There is none of this name, or it cannot be read.
    pub(super) fn load(&self, name: &str) -> Result<Option<TemplateSource>, Error> {
        for folder in &self.folders {
            let Some(path) = safe_join(&folder.path, name) else {
                break;
            };
            let stamp = Stamp::of(&path);
            match fs::read_to_string(&path) {
                Ok(source) => {
                    let source = TemplateSource::new(self.prepared(name, &source));
                    let unchanged = move || Stamp::of(&path) == stamp;
                    return Ok(Some(source.with_uptodate_check(unchanged)));
                }
                Err(error) if is_missing(&error) => {}
                Err(error) => {
                    let place = path.display();
                    let message = format!("{place} cannot be read: {error}");
                    return Err(Error::new(ErrorKind::InvalidOperation, message));
                }
            }
        }
        match self.sources.get(name) {
            Some(source) => Ok(Some(TemplateSource::new(self.prepared(name, source)))),
            None => Err(self.missing(name)),
        }
    }

    fn prepared(&self, name: &str, source: &str) -> String {
        match self.nonces && escape::is_document(name) {
            true => nonces::with_nonces(source).into_owned(),
            false => source.to_owned(),
        }
    }

    fn missing(&self, name: &str) -> Error {
        let searched: Vec<String> = (self.folders.iter())
            .map(|folder| folder.path.display().to_string())
            .collect();
        let searched = match searched.is_empty() {
            true => "no folder is named by `App::templates`".to_owned(),
            false => format!("searched {}", searched.join(", ")),
        };
        let message = format!("{name:?}; {searched}");
        Error::new(ErrorKind::TemplateNotFound, message)
    }
}

/// What changes with a file's content.
#[derive(PartialEq)]
struct Stamp(Option<(SystemTime, u64)>);

impl Stamp {
    fn of(path: &Path) -> Self {
        let stamp = || {
            let metadata = fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        Self(stamp())
    }
}

/// Whether there is no such template there: no file, or one that is no text.
fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
    )
}

/// Names of the files below `folder`, without those that are hidden or an editor's own.
fn walk(folder: &Path, prefix: &str, found: &mut Vec<String>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // The mistake has been told already.
        Err(error) if is_missing(&error) => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| is_shown(name)) else {
            continue;
        };
        let name = format!("{prefix}{name}");
        match entry.file_type()?.is_dir() {
            true => walk(&entry.path(), &format!("{name}/"), found)?,
            false => found.push(name),
        }
    }
    Ok(())
}

fn is_shown(name: &str) -> bool {
    !name.starts_with(['.', '#']) && !name.ends_with('~')
}
