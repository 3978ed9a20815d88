//! What the project says about itself is true.

use std::fs;
use std::process::Command;

use gateway_tests::artefacts::root;
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::until;

#[test]
fn the_first_command_of_the_readme_serves() {
    let commands = readme_commands();
    // Compiling takes as long as it takes; deadlines are for what has been compiled.
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--bin", "gatewayd"])
        .current_dir(root())
        .status();
    assert!(built.unwrap().success(), "gatewayd does not build");
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!("exec {}", commands[0]))
        .current_dir(root());
    // The test's own port; everything else as a reader would have it.
    let server = Gatewayd::start(command.env("GATEWAYD_BIND", "127.0.0.1:0"));
    // Until the first build is done a page says so.
    until("the example's answer", || {
        server.get("/").body == b"Hello, World!"
    });
}

#[test]
fn ci_runs_exactly_the_second_command_of_the_readme() {
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

#[test]
fn the_application_in_the_readme_is_the_example() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let block = readme
        .split("```rust\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let example = fs::read_to_string(root().join("examples/hello/src/lib.rs")).unwrap();
    assert!(
        example.ends_with(block),
        "README has:\n{block}\nthe example is:\n{example}"
    );
    assert!(example.lines().count() <= 12);
}

#[test]
fn every_dependency_has_a_reason() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let table = manifest.split("[workspace.dependencies]").nth(1).unwrap();
    let table = table.split("\n[").next().unwrap();
    let rationale = fs::read_to_string(root().join("docs/rationale.md")).unwrap();
    let names = table
        .lines()
        .filter(|line| !line.starts_with('#') && line.contains(" = "));
    for name in names.map(|line| line.split(" = ").next().unwrap()) {
        let is_ours = table.contains(&format!("{name} = {{ path"));
        assert!(
            is_ours || rationale.contains(&format!("- `{name}`: ")),
            "no reason for {name}"
        );
    }
}

#[test]
fn links_in_the_documents_lead_somewhere() {
    let documents = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
    ];
    let mut documents: Vec<_> = documents.iter().map(|name| root().join(name)).collect();
    for folder in ["docs", "docs/guide"] {
        let files = fs::read_dir(root().join(folder)).unwrap();
        documents.extend(files.map(|file| file.unwrap().path()));
    }
    documents.retain(|path| path.extension().is_some_and(|found| found == "md"));
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        let links = text.split("](").skip(1);
        for link in links.map(|rest| rest.split(')').next().unwrap()) {
            let path = link.split('#').next().unwrap();
            let is_here = path.is_empty() || document.with_file_name(path).exists();
            assert!(
                path.starts_with("https://") || is_here,
                "{}: {link} leads nowhere",
                document.display()
            );
        }
    }
}

/// The indented lines of README before its first heading after the title.
fn readme_commands() -> Vec<String> {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let before = text.split("\n## ").next().unwrap();
    before
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .map(str::to_owned)
        .collect()
}
