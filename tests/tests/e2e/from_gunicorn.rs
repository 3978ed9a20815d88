//! Whoever comes from Gunicorn finds each of its settings, and what the page names exists.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use gateway_tests::artefacts::root;
use gateway_tests::gatewayd::program;
use gateway_tests::python::environment;

fn page() -> String {
    fs::read_to_string(root().join("docs/from-gunicorn.md")).unwrap()
}

/// The rows of the tables of settings: their first, second and third column.
fn rows(page: &str) -> Vec<[String; 3]> {
    let before = page.split("\n## Signals").next().unwrap();
    let rows = before.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 5, "{line}");
        [1, 2, 3].map(|at| cells[at].to_owned())
    })
    .collect()
}

/// What stands between backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_setting_of_gunicorn_has_a_row_and_an_answer() {
    let ask =
        "from gunicorn.config import KNOWN_SETTINGS\nfor one in KNOWN_SETTINGS: print(one.name)";
    let output = Command::new(environment().join("bin/python"))
        .args(["-c", ask])
        .output();
    let output = output.expect("target/servers, which tests/run installs");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let theirs: BTreeSet<&str> = text.lines().collect();
    assert!(theirs.len() > 100, "{theirs:?}");
    let page = page();
    let rows = rows(&page);
    let named: Vec<&str> = rows
        .iter()
        .filter_map(|[name, ..]| quoted(name).next())
        .collect();
    let told: BTreeSet<&str> = named.iter().copied().collect();
    assert_eq!(told.len(), named.len(), "a setting has one row");
    assert_eq!(told, theirs);
    let mut heading = "";
    for [name, ours, why] in &rows {
        // Of the arbiters for long work the section's first words say why.
        heading = if name.contains("dirty") {
            "dirty"
        } else {
            heading
        };
        let answered =
            ours != "-" || !why.is_empty() || heading == "dirty" || name.contains("control");
        assert!(answered, "{name}: neither what to use nor why not");
    }
}

#[test]
fn what_the_page_names_exists() {
    let help = program().arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let page = page();
    let ours = rows(&page)
        .into_iter()
        .flat_map(|[_, ours, why]| [ours, why]);
    let texts: Vec<String> = ours.collect();
    let mut seen = 0;
    for word in texts.iter().flat_map(|text| quoted(text)) {
        if word.starts_with("--") {
            let word = word.split(' ').next().unwrap();
            let is_flag = |line: &str| line.split([' ', ',', '[', '=']).any(|one| one == word);
            assert!(help.lines().any(is_flag), "there is no {word}");
            seen += 1;
        } else if let Some(rest) = word.strip_prefix("gatewayd ") {
            let command = rest.split(' ').next().unwrap();
            assert!(help.contains(command), "there is no command {command}");
        }
    }
    assert!(seen > 40, "{seen} settings");
    for variable in [
        "GATEWAYD_WORKERS",
        "GATEWAYD_TRUSTED_PROXIES",
        "GATEWAYD_BIND",
    ] {
        assert!(page.contains(variable));
    }
}
