//! Noticing that sources change.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

/// Watches folders of packages and calls back for each change that may matter to a build.
pub(super) struct Watch {
    watcher: RecommendedWatcher,
    watched: BTreeMap<PathBuf, RecursiveMode>,
}

impl Watch {
    /// `changed` is called with the file, on a thread of the watch.
    ///
    /// # Errors
    ///
    /// The kernel's: too many watches, for one.
    pub(super) fn new(changed: impl Fn(&Path) + Send + 'static) -> notify::Result<Self> {
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // An overflow means that something has changed, and nobody knows what.
            let event = event.unwrap_or_default();
            if matches!(event.kind, EventKind::Access(_)) {
                return;
            }
            if event.paths.is_empty() {
                changed(Path::new(""));
            }
            event
                .paths
                .iter()
                .filter(|path| matters(path))
                .for_each(|path| changed(path));
        })?;
        Ok(Self {
            watcher,
            watched: BTreeMap::new(),
        })
    }

    /// Watches the package in `folder`: its files, and all below its folders. What cargo makes, in
    /// `target`, what the application keeps, in `instance`, hidden folders and packages within are
    /// left out.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(super) fn follow(&mut self, folder: &Path, target: Option<&Path>) -> notify::Result<()> {
        self.add(folder, RecursiveMode::NonRecursive)?;
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            let made = is_made(&path) || target == Some(&*path);
            if path.is_dir() && !hidden && !made && !path.join("Cargo.toml").exists() {
                self.add(&path, RecursiveMode::Recursive)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &Path, mode: RecursiveMode) -> notify::Result<()> {
        if self.watched.get(path) != Some(&mode) {
            self.watcher.watch(path, mode)?;
            self.watched.insert(path.to_owned(), mode);
        }
        Ok(())
    }
}

/// Whether a build may read the file: not an editor's own files, nor what cargo or the application
/// writes. Of the files beside a manifest it reads the manifest and Rust sources.
fn matters(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    if name.starts_with(b".") || name.ends_with(b"~") || is_made(path) {
        return false;
    }
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    let beside_manifest = path
        .parent()
        .is_some_and(|folder| folder.join("Cargo.toml").exists());
    if beside_manifest {
        return name == b"Cargo.toml" || extension == "rs" || path.is_dir();
    }
    let kind = extension.split('-').next().unwrap_or_default();
    name == b"Cargo.toml" || !WRITTEN.contains(&kind)
}

fn is_made(path: &Path) -> bool {
    MADE.iter().any(|name| path.ends_with(name))
}

/// Extensions of what programs write while they run; `db-journal` counts as `db`.
const WRITTEN: [&str; 5] = ["log", "db", "sqlite", "sqlite3", "pid"];
/// Folders of what is made while programs are built and run: cargo's, and an application's own.
const MADE: [&str; 2] = ["target", "instance"];

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn files_of_editors_of_cargo_and_of_the_application_do_not_matter() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Cargo.toml"), "").unwrap();
        let matter = |path: &str| matters(&folder.path().join(path));
        for path in ["src/lib.rs", "templates/a.html", "Cargo.toml", "build.rs"] {
            assert!(matter(path), "{path}");
        }
        let others = [
            "a/.lib.rs.swp",
            "lib.rs~",
            "Cargo.lock",
            "access.log",
            "notes.txt",
            "data/blog.db",
            "data/blog.sqlite3-journal",
            "instance",
        ];
        for path in others {
            assert!(!matter(path), "{path}");
        }
    }

    const LONG: Duration = Duration::from_secs(120);

    #[test]
    fn a_change_below_a_package_is_told_and_one_of_what_cargo_makes_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (src, target) = (folder.path().join("src"), folder.path().join("made"));
        std::fs::create_dir_all(src.join("deep")).unwrap();
        std::fs::create_dir_all(&target).unwrap();
        let (tell, told) = mpsc::channel();
        let mut watch = Watch::new(move |path| tell.send(path.to_owned()).unwrap()).unwrap();
        watch.follow(folder.path(), Some(&target)).unwrap();
        std::fs::write(target.join("libapp.so"), "").unwrap();
        std::fs::write(src.join("deep/a.rs"), "").unwrap();
        let first = told.recv_timeout(LONG).unwrap();
        assert_eq!(first, src.join("deep/a.rs"));
        // An editor that replaces the file is noticed as well.
        std::fs::write(folder.path().join(".new"), "").unwrap();
        std::fs::rename(folder.path().join(".new"), folder.path().join("Cargo.toml")).unwrap();
        let mut paths = std::iter::from_fn(|| told.recv_timeout(LONG).ok());
        assert!(paths.any(|path| path == folder.path().join("Cargo.toml")));
    }
}
