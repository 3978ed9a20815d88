//! `cargo xtask layers`: the import tables of ARCHITECTURE.md against the manifests and sources.
//!
//! The tables are read from the document itself, so the document and the check cannot differ.

mod check;
mod imports;
mod table;
mod tree;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use table::Tables;
use tree::Tree;

/// Checks the whole workspace at `root`, printing every violation.
pub(crate) fn run(root: &Path) -> Result<()> {
    let document = fs::read_to_string(root.join("ARCHITECTURE.md")).context("ARCHITECTURE.md")?;
    let tables = Tables::parse(&document)?;
    let mut violations = check::crates(&tables.crates, &workspace_dependencies(root)?);
    let mut files = 0;
    for (name, rooms) in &tables.rooms {
        let tree = Tree::read(name, &root.join(name).join("src"))?;
        files += tree.files.len();
        violations.extend(check::rooms(rooms, &tree));
    }
    for violation in &violations {
        eprintln!("layers: {violation}");
    }
    if !violations.is_empty() {
        bail!(
            "{} violations of the import tables in ARCHITECTURE.md",
            violations.len()
        );
    }
    println!(
        "layers: {} crates and {files} files keep to the tables",
        tables.crates.len()
    );
    Ok(())
}

/// For each member of the workspace, the other members that it depends on outside of its tests.
fn workspace_dependencies(root: &Path) -> Result<BTreeMap<String, Vec<String>>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root)
        .output()
        .context("cargo metadata")?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let packages = metadata["packages"]
        .as_array()
        .context("no packages in cargo metadata")?;
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let members: Vec<String> = packages
        .iter()
        .map(|package| text(&package["name"]))
        .collect();
    Ok(packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().into_iter().flatten();
            let inside = dependencies
                .filter(|dependency| dependency["kind"] != "dev")
                .map(|dependency| text(&dependency["name"]))
                .filter(|name| members.contains(name));
            (text(&package["name"]), inside.collect())
        })
        .collect())
}
