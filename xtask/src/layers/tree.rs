//! A crate's files and which of them imports which.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::imports::{Imports, NamedPath};

/// The source files of one crate.
#[derive(Debug)]
pub(crate) struct Tree {
    /// The package's name.
    pub(crate) name: String,
    pub(crate) files: Vec<File>,
    /// Every module path of the library to the index of the file that holds it.
    modules: BTreeMap<Vec<String>, usize>,
    /// Exported macros, which stand at the crate's root wherever they are written.
    macros: BTreeMap<String, usize>,
}

/// One source file.
#[derive(Debug)]
pub(crate) struct File {
    /// Relative to `src`, with `/`.
    pub(crate) path: String,
    /// The module path of the file, empty for a crate root.
    pub(crate) module: Vec<String>,
    pub(crate) imports: Imports,
}

/// One file naming another.
#[derive(Debug)]
pub(crate) struct Edge {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) line: usize,
}

impl Tree {
    /// Reads every `.rs` file below `source`.
    ///
    /// # Errors
    /// When a file cannot be read or is not Rust.
    pub(crate) fn read(name: &str, source: &Path) -> Result<Self> {
        let mut found = Vec::new();
        list(source, &mut found).with_context(|| source.display().to_string())?;
        found.sort();
        let mut texts = Vec::new();
        for path in found {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let relative = path.strip_prefix(source)?.to_string_lossy().into_owned();
            texts.push((relative, text));
        }
        Self::new(name, texts)
    }

    /// A tree of paths relative to `src` and their texts. Modules for tests only are left out.
    ///
    /// # Errors
    /// When a text is not Rust.
    pub(crate) fn new(name: &str, texts: Vec<(String, String)>) -> Result<Self> {
        let mut files = Vec::new();
        for (path, text) in texts {
            let imports = Imports::parse(&text).with_context(|| path.clone())?;
            files.push(File {
                module: module_path(&path),
                path,
                imports,
            });
        }
        let declared: BTreeSet<Vec<String>> = files
            .iter()
            .flat_map(|file| {
                file.imports
                    .children
                    .iter()
                    .map(|child| join(&file.module, child))
            })
            .collect();
        files.retain(|file| file.module.is_empty() || declared.contains(&file.module));
        let mut modules = BTreeMap::new();
        for (index, file) in files.iter().enumerate() {
            // The binary's root is not a module that others could name.
            if file.path != "main.rs" {
                modules.insert(file.module.clone(), index);
                for inline in &file.imports.inline {
                    modules.insert(join(&file.module, inline), index);
                }
            }
        }
        let mut macros = BTreeMap::new();
        for (index, file) in files.iter().enumerate() {
            macros.extend(file.imports.macros.iter().map(|name| (name.clone(), index)));
        }
        Ok(Self {
            name: name.to_owned(),
            files,
            modules,
            macros,
        })
    }

    /// Every import of one file of this crate by another.
    pub(crate) fn edges(&self) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (from, file) in self.files.iter().enumerate() {
            for path in &file.imports.paths {
                let target = self
                    .absolute(file, path)
                    .and_then(|path| self.resolve(&path, 0));
                if let Some(to) = target.filter(|&to| to != from) {
                    edges.push(Edge {
                        from,
                        to,
                        line: path.line,
                    });
                }
            }
        }
        edges
    }

    /// The path from the crate's root, or none if it leads out of the crate.
    fn absolute(&self, file: &File, path: &NamedPath) -> Option<Vec<String>> {
        let here = join(&file.module, &path.within);
        let first = path.segments.first()?.as_str();
        let rest = &path.segments[1..];
        let library = self.name.replace('-', "_");
        match first {
            "crate" => Some(rest.to_vec()),
            "self" => Some(join(&here, rest)),
            "super" => {
                let ups = path
                    .segments
                    .iter()
                    .take_while(|segment| *segment == "super")
                    .count();
                let base = here.len().checked_sub(ups)?;
                Some(join(&here[..base], &path.segments[ups..]))
            }
            _ if first == library => Some(rest.to_vec()),
            // A path that starts at a child module.
            _ => {
                let child = join(&here, &path.segments[..1]);
                self.modules
                    .contains_key(&child)
                    .then(|| join(&here, &path.segments))
            }
        }
    }

    /// The file that holds what an absolute path names, seen through re-exports.
    fn resolve(&self, path: &[String], depth: usize) -> Option<usize> {
        let length = (0..=path.len())
            .rev()
            .find(|&n| self.modules.contains_key(&path[..n]))?;
        let module = &path[..length];
        let index = self.modules[module];
        let Some(name) = path.get(length) else {
            return Some(index);
        };
        if let (0, Some(&file)) = (length, self.macros.get(name)) {
            return Some(file);
        }
        let file = &self.files[index];
        let through = file.imports.reexports.iter().filter(|one| {
            (one.name == *name || one.name == "*") && join(&file.module, &one.within) == module
        });
        for one in through {
            let target = NamedPath {
                segments: one.segments.clone(),
                within: one.within.clone(),
                line: 0,
            };
            let Some(mut target) = self.absolute(file, &target) else {
                continue;
            };
            if one.name == "*" {
                target.push(name.clone());
            }
            if depth < MAX_REEXPORTS {
                let found = self.resolve(&target, depth + 1);
                // A glob names everything of a module; only what leads further down is taken.
                if one.name != "*" || found != Some(index) {
                    return found;
                }
            }
        }
        Some(index)
    }
}

fn join(base: &[String], rest: &[String]) -> Vec<String> {
    [base, rest].concat()
}

/// `http1/head.rs` is `http1::head`; `lib.rs`, `main.rs` and `mod.rs` stand for their folder.
fn module_path(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = path
        .trim_end_matches(".rs")
        .split('/')
        .map(str::to_owned)
        .collect();
    if parts
        .last()
        .is_some_and(|last| ["lib", "main", "mod"].contains(&last.as_str()))
    {
        parts.pop();
    }
    parts
}

fn list(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

const MAX_REEXPORTS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(texts: &[(&str, &str)]) -> Vec<String> {
        let texts = texts
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        let tree = Tree::new("my-crate", texts.collect()).unwrap();
        let name = |index: usize| tree.files[index].path.clone();
        tree.edges()
            .iter()
            .map(|edge| format!("{} {}", name(edge.from), name(edge.to)))
            .collect()
    }

    #[test]
    fn edges_follow_crate_super_self_and_child_paths() {
        let found = edges(&[
            ("lib.rs", "mod a; mod b; fn f() { a::go() }"),
            ("a/mod.rs", "mod x; use self::x::X;"),
            ("a/x.rs", "use super::super::b::B;"),
            ("b.rs", "use crate::a::x::X;"),
        ]);
        assert_eq!(
            found,
            [
                "lib.rs a/mod.rs",
                "a/mod.rs a/x.rs",
                "a/x.rs b.rs",
                "b.rs a/x.rs"
            ]
        );
    }

    #[test]
    fn edges_are_seen_through_reexports() {
        let found = edges(&[
            ("lib.rs", "mod a; mod b; pub use a::X;"),
            ("a/mod.rs", "mod x; pub use x::*;"),
            ("a/x.rs", ""),
            ("b.rs", "use crate::X;"),
        ]);
        assert_eq!(found, ["b.rs a/x.rs"]);
    }

    #[test]
    fn exported_macros_are_found_where_they_are_written() {
        let inner =
            "macro_rules! outer { () => { $crate::inner!() } } macro_rules! inner { () => {} }";
        let found = edges(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", inner),
            ("b.rs", "crate::outer!();"),
        ]);
        assert_eq!(found, ["b.rs a.rs"]);
    }

    #[test]
    fn the_binary_names_the_library_by_its_name() {
        let found = edges(&[
            ("lib.rs", "pub mod a;"),
            ("a.rs", ""),
            ("main.rs", "use my_crate::a::go;"),
        ]);
        assert_eq!(found, ["main.rs a.rs"]);
    }

    #[test]
    fn modules_for_tests_are_left_out() {
        let found = edges(&[
            ("lib.rs", "mod a; mod b;"),
            ("a/mod.rs", "#[cfg(test)] mod tests;"),
            ("a/tests.rs", "use crate::b::B;"),
            ("b.rs", ""),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }
}
