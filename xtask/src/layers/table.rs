//! The import tables, as written in ARCHITECTURE.md.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};

/// All import tables of the document.
#[derive(Debug)]
pub(crate) struct Tables {
    /// Per workspace member, the members it may depend on.
    pub(crate) crates: BTreeMap<String, Allowed>,
    /// Per workspace member that has a table of rooms, its rooms.
    pub(crate) rooms: BTreeMap<String, BTreeMap<String, Room>>,
}

/// What may be imported.
#[derive(Debug, PartialEq)]
pub(crate) enum Allowed {
    Anything,
    Only(Vec<String>),
}

/// One row of a table of rooms: a file or folder directly under a crate's `src`.
#[derive(Debug, PartialEq)]
pub(crate) struct Room {
    /// Other rooms of the same crate.
    pub(crate) imports: Allowed,
    /// Paths, such as `std::net`, that the room must not name.
    pub(crate) never_names: Vec<Vec<String>>,
    /// Whether `unsafe` may stand in it.
    pub(crate) may_be_unsafe: bool,
}

impl Tables {
    /// Reads every table whose first heading is `crate` or ``room of `NAME` ``.
    ///
    /// # Errors
    /// When there is no table of crates, or a row has the wrong number of cells.
    pub(crate) fn parse(document: &str) -> Result<Self> {
        let mut tables = Self {
            crates: BTreeMap::new(),
            rooms: BTreeMap::new(),
        };
        let mut lines = document.lines().enumerate().peekable();
        while let Some((_, line)) = lines.next() {
            let Some(heading) = cells(line) else { continue };
            let title = heading.first().copied().unwrap_or_default().to_lowercase();
            let krate = title
                .strip_prefix("room of")
                .map(|rest| names(rest).join(""));
            while let Some((number, row)) = lines.next_if(|(_, line)| line.starts_with('|')) {
                let row = cells(row).unwrap_or_default();
                if row
                    .iter()
                    .all(|cell| cell.chars().all(|c| c == '-' || c == ':'))
                {
                    continue;
                }
                let place = || format!("ARCHITECTURE.md line {}", number + 1);
                if let Some(krate) = &krate {
                    let rooms = tables.rooms.entry(krate.clone()).or_default();
                    let (name, room) = Room::parse(&row).with_context(place)?;
                    ensure!(
                        rooms.insert(name, room).is_none(),
                        "{}: a second row",
                        place()
                    );
                } else if title == "crate" {
                    ensure!(
                        row.len() >= 2,
                        "{}: expected a name and its imports",
                        place()
                    );
                    for name in names(row[0]) {
                        let allowed = Allowed::parse(row[1]).with_context(place)?;
                        ensure!(
                            tables.crates.insert(name, allowed).is_none(),
                            "{}: again",
                            place()
                        );
                    }
                }
            }
        }
        ensure!(
            !tables.crates.is_empty(),
            "ARCHITECTURE.md has no table headed `crate`"
        );
        Ok(tables)
    }
}

impl Allowed {
    /// Whether `name` may be imported.
    pub(crate) fn permits(&self, name: &str) -> bool {
        match self {
            Self::Anything => true,
            Self::Only(list) => list.iter().any(|allowed| allowed == name),
        }
    }

    fn parse(cell: &str) -> Result<Self> {
        match (cell, names(cell)) {
            ("anything", _) => Ok(Self::Anything),
            ("nothing", _) => Ok(Self::Only(Vec::new())),
            (_, list) if !list.is_empty() => Ok(Self::Only(list)),
            _ => bail!("expected names in backticks, `anything` or `nothing`, found {cell:?}"),
        }
    }
}

impl Room {
    fn parse(row: &[&str]) -> Result<(String, Self)> {
        let &[name, imports, never_names, may_be_unsafe] = row else {
            bail!(
                "expected room, imports, never names, unsafe; found {} cells",
                row.len()
            );
        };
        let segments = |path: String| path.split("::").map(str::to_owned).collect();
        let room = Self {
            imports: Allowed::parse(imports)?,
            never_names: names(never_names).into_iter().map(segments).collect(),
            may_be_unsafe: match may_be_unsafe {
                "yes" => true,
                "" => false,
                other => bail!("expected `yes` or nothing under unsafe, found {other:?}"),
            },
        };
        Ok((names(name).join(""), room))
    }
}

/// The trimmed cells of a table's line.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(str::trim).collect())
}

/// What stands in backticks.
fn names(cell: &str) -> Vec<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "\
# Title

| Crate | imports | why |
|---|---|---|
| `spec`, `app` | nothing | floor |
| `server` | `spec` | |
| `tests` | anything | |

Words.

| Room of `server` | imports | never names | unsafe |
|---|---|---|:-:|
| `http1` | `limits` | `tokio`, `std::net` | |
| `os` | nothing | | yes |
";

    #[test]
    fn tables_are_read_from_the_document() {
        let tables = Tables::parse(DOCUMENT).unwrap();
        assert_eq!(tables.crates["spec"], Allowed::Only(Vec::new()));
        assert_eq!(tables.crates["app"], Allowed::Only(Vec::new()));
        assert!(tables.crates["server"].permits("spec"));
        assert!(!tables.crates["server"].permits("tests"));
        assert!(tables.crates["tests"].permits("server"));
        let rooms = &tables.rooms["server"];
        assert_eq!(
            rooms["http1"].never_names,
            [vec!["tokio"], vec!["std", "net"]]
        );
        assert!(rooms["os"].may_be_unsafe && !rooms["http1"].may_be_unsafe);
    }

    #[test]
    fn a_cell_that_says_nothing_readable_is_an_error() {
        let broken = DOCUMENT.replace("| `limits` |", "| limits |");
        let error = format!("{:#}", Tables::parse(&broken).unwrap_err());
        assert!(
            error.contains("line 13") && error.contains("limits"),
            "{error}"
        );
    }

    #[test]
    fn a_document_without_tables_is_an_error() {
        Tables::parse("# Title\n").unwrap_err();
    }
}
