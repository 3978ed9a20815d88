//! The rules: tables against what is there. Pure, answers violations as sentences.

use std::collections::{BTreeMap, BTreeSet};

use super::table::{Allowed, Room};
use super::tree::Tree;

/// Members that depend on members which the table does not grant them.
pub(crate) fn crates(
    table: &BTreeMap<String, Allowed>,
    found: &BTreeMap<String, Vec<String>>,
) -> Vec<String> {
    let mut violations = Vec::new();
    for (name, dependencies) in found {
        let Some(allowed) = table.get(name) else {
            violations.push(format!("crate `{name}` has no row in the table of crates"));
            continue;
        };
        for dependency in dependencies.iter().filter(|one| !allowed.permits(one)) {
            violations.push(format!("crate `{name}` must not depend on `{dependency}`"));
        }
    }
    for name in table.keys().filter(|name| !found.contains_key(*name)) {
        violations.push(format!(
            "the table of crates names `{name}`, which does not exist"
        ));
    }
    violations
}

/// Rooms that import, name or contain what the table does not grant them, and cycles.
pub(crate) fn rooms(table: &BTreeMap<String, Room>, tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    let room_of = |path: &str| room_of(path, table);
    let present: BTreeSet<String> = tree.files.iter().map(|file| room_of(&file.path)).collect();
    for room in present.iter().filter(|room| !table.contains_key(*room)) {
        violations.push(format!(
            "room `{room}` of {} has no row in its table",
            tree.name
        ));
    }
    for room in table.keys().filter(|room| !present.contains(*room)) {
        violations.push(format!(
            "the table of {} names `{room}`, which does not exist",
            tree.name
        ));
    }
    for edge in tree.edges() {
        let (from, to) = (&tree.files[edge.from].path, &tree.files[edge.to].path);
        let (from_room, to_room) = (room_of(from), room_of(to));
        let Some(row) = table.get(&from_room) else {
            continue;
        };
        if from_room != to_room && !row.imports.permits(&to_room) {
            let place = format!("{}/src/{from}:{}", tree.name, edge.line);
            violations.push(format!(
                "{place}: `{from_room}` must not import `{to_room}`"
            ));
        }
    }
    for file in &tree.files {
        let Some(row) = table.get(&room_of(&file.path)) else {
            continue;
        };
        let place = |line| format!("{}/src/{}:{line}", tree.name, file.path);
        if !row.may_be_unsafe {
            let lines = file.imports.unsafe_lines.iter();
            violations
                .extend(lines.map(|&line| format!("{}: `unsafe` outside its rooms", place(line))));
        }
        for path in &file.imports.paths {
            let named = row
                .never_names
                .iter()
                .find(|never| path.segments.starts_with(never));
            if let Some(never) = named {
                violations.push(format!(
                    "{}: must not name `{}`",
                    place(path.line),
                    never.join("::")
                ));
            }
        }
    }
    violations.extend(cycles(table, tree));
    violations
}

/// The room that a file belongs to: the longest of its paths that has a row, else what stands
/// directly under `src`. The roots are `lib` and `main`.
fn room_of(path: &str, table: &BTreeMap<String, Room>) -> String {
    let path = path.trim_end_matches(".rs");
    let borders = path
        .match_indices('/')
        .map(|(at, _)| at)
        .chain([path.len()]);
    let rooms: Vec<&str> = borders.map(|at| &path[..at]).collect();
    let row = rooms.iter().rev().find(|room| table.contains_key(**room));
    (*row.unwrap_or(&rooms[0])).to_owned()
}

/// Circles between rooms, and between the entries of any one folder within a room.
fn cycles(table: &BTreeMap<String, Room>, tree: &Tree) -> Vec<String> {
    let mut graphs: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for edge in tree.edges() {
        let (from, to) = (&tree.files[edge.from].path, &tree.files[edge.to].path);
        let rooms = (room_of(from, table), room_of(to, table));
        let (place, a, b) = if rooms.0 == rooms.1 {
            let from: Vec<&str> = from.split('/').collect();
            let to: Vec<&str> = to.split('/').collect();
            let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
            let (Some(a), Some(b)) = (from.get(shared), to.get(shared)) else {
                continue;
            };
            (
                format!("/{}", from[..shared].join("/")),
                (*a).to_owned(),
                (*b).to_owned(),
            )
        } else {
            (String::new(), rooms.0, rooms.1)
        };
        graphs
            .entry(place)
            .or_default()
            .entry(a)
            .or_default()
            .insert(b);
    }
    let mut violations = Vec::new();
    for (folder, graph) in &graphs {
        if let Some(circle) = circle(graph) {
            let place = format!("{}/src{folder}", tree.name);
            violations.push(format!(
                "{place}: circle of imports {}",
                circle.join(" -> ")
            ));
        }
    }
    violations
}

/// Some circle in the graph, by removing entries that import nothing until none is left to remove.
fn circle(graph: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    let mut left = graph.clone();
    loop {
        let keys: BTreeSet<String> = left.keys().cloned().collect();
        for targets in left.values_mut() {
            targets.retain(|target| keys.contains(target));
        }
        let before = left.len();
        left.retain(|_, targets| !targets.is_empty());
        if left.len() == before {
            break;
        }
    }
    let mut walk = vec![left.keys().next()?.clone()];
    loop {
        let next = left[walk.last()?].first()?.clone();
        let seen = walk.iter().position(|entry| *entry == next);
        walk.push(next);
        if let Some(start) = seen {
            return Some(walk.split_off(start));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::table::Tables;

    const TABLES: &str = "\
| crate | imports |
|---|---|
| `spec` | nothing |
| `server` | `spec` |

| room of `server` | imports | never names | unsafe |
|---|---|---|---|
| `lib` | anything | | |
| `worker` | `http1`, `os` | | |
| `http1` | nothing | `tokio`, `std::net` | |
| `os` | nothing | | yes |
";

    fn check(changes: &[(&str, &str)]) -> Vec<String> {
        let mut texts = BTreeMap::from([
            ("lib.rs", "mod worker; mod http1; mod os;"),
            (
                "worker.rs",
                "use crate::http1::head::Head; use crate::os::fork;",
            ),
            ("http1/mod.rs", "pub mod head; pub mod body;"),
            ("http1/head.rs", ""),
            ("http1/body.rs", "use super::head::Head;"),
            ("os/mod.rs", "pub fn fork() { unsafe { f() } }"),
        ]);
        texts.extend(changes.iter().copied());
        let texts = texts
            .into_iter()
            .map(|(path, text)| (path.to_owned(), text.to_owned()));
        let tree = Tree::new("server", texts.collect()).unwrap();
        rooms(&Tables::parse(TABLES).unwrap().rooms["server"], &tree)
    }

    #[test]
    fn a_tree_that_keeps_to_the_table_passes() {
        assert_eq!(check(&[]), Vec::<String>::new());
    }

    #[test]
    fn an_import_that_is_not_granted_is_named_with_its_line() {
        let found = check(&[("http1/head.rs", "\nuse crate::os::fork;")]);
        assert_eq!(
            found,
            ["server/src/http1/head.rs:2: `http1` must not import `os`"]
        );
    }

    #[test]
    fn a_forbidden_path_is_found_in_use_trees_and_in_code() {
        let found = check(&[(
            "http1/head.rs",
            "use std::{net::TcpStream, io};\nfn f() { tokio::spawn() }",
        )]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[0].ends_with("head.rs:1: must not name `std::net`"),
            "{found:?}"
        );
        assert!(
            found[1].ends_with("head.rs:2: must not name `tokio`"),
            "{found:?}"
        );
    }

    #[test]
    fn unsafe_stands_in_its_rooms_only() {
        let found = check(&[("worker.rs", "fn f() { unsafe { g() } }")]);
        assert_eq!(
            found,
            ["server/src/worker.rs:1: `unsafe` outside its rooms"]
        );
    }

    #[test]
    fn files_of_one_folder_form_no_circle() {
        let found = check(&[("http1/head.rs", "use super::body::Body;")]);
        assert_eq!(
            found,
            ["server/src/http1: circle of imports body.rs -> head.rs -> body.rs"]
        );
    }

    #[test]
    fn rooms_form_no_circle_even_where_the_table_grants_one() {
        let found = check(&[("os/mod.rs", "use crate::lib_type; use crate::worker::W;")]);
        assert!(
            found
                .iter()
                .any(|one| one.contains("src: circle of imports")),
            "{found:?}"
        );
    }

    #[test]
    fn a_row_with_a_slash_makes_a_nested_room() {
        let found = check(&[("os/inner.rs", "use crate::http1::body::B;")]);
        assert_eq!(
            found,
            Vec::<String>::new(),
            "not declared, hence not part of the crate"
        );
        let tables = TABLES.replace("| `os` |", "| `os/inner` | `http1` | | |\n| `os` |");
        let rows = Tables::parse(&tables).unwrap().rooms;
        assert_eq!(room_of("os/inner/deep.rs", &rows["server"]), "os/inner");
        assert_eq!(room_of("os/mod.rs", &rows["server"]), "os");
        assert_eq!(room_of("new/file.rs", &rows["server"]), "new");
    }

    #[test]
    fn a_room_without_a_row_and_a_row_without_a_room_are_violations() {
        let found = check(&[
            ("lib.rs", "mod worker; mod http1; mod extra;"),
            ("extra.rs", ""),
        ]);
        assert!(
            found[0].contains("`extra` of server has no row"),
            "{found:?}"
        );
        assert!(
            found[1].contains("names `os`, which does not exist"),
            "{found:?}"
        );
    }

    #[test]
    fn crates_depend_only_as_granted() {
        let table = Tables::parse(TABLES).unwrap().crates;
        let found = |spec: &[&str]| {
            let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
            crates(
                &table,
                &BTreeMap::from([
                    ("spec".to_owned(), names(spec)),
                    ("server".to_owned(), names(&["spec"])),
                ]),
            )
        };
        assert!(found(&[]).is_empty());
        assert_eq!(
            found(&["server"]),
            ["crate `spec` must not depend on `server`"]
        );
    }
}
