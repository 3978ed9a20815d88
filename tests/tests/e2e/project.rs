//! What the project says about itself is true.

use std::fs;

use gateway_tests::artefacts::root;

#[test]
fn ci_runs_exactly_the_test_command_of_the_readme() {
    let commands = readme_commands();
    assert_eq!(
        commands.len(),
        2,
        "expected the main job and the tests, found {commands:?}"
    );
    let script = fs::read_to_string(root().join(".ci/run")).unwrap();
    let last = script.lines().last().unwrap();
    assert_eq!(
        last,
        format!(r#"cd "$(dirname "$0")/.." && exec {}"#, commands[1])
    );
}

/// The indented lines of README before its first heading.
fn readme_commands() -> Vec<String> {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let before = text.split("\n## ").next().unwrap();
    before
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .map(str::to_owned)
        .collect()
}
