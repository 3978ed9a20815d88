//! What cargo says of a package: whether it is an application, and which folders it is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A package as cargo sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) name: String,
    /// Whether it makes a shared object.
    pub(super) is_cdylib: bool,
    /// Where cargo puts what it makes.
    pub(super) target: PathBuf,
    /// The folders of the package and of all that it depends on by path.
    pub(super) folders: BTreeSet<PathBuf>,
}

/// Why there is no build; `output` is what cargo had to say, with colours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) title: String,
    pub(super) output: String,
}

impl Package {
    /// Reads it from what `ask` answers for a manifest: `cargo metadata` of its workspace.
    ///
    /// # Errors
    ///
    /// There is no package at `manifest`, or what `ask` cannot answer.
    pub(super) fn find(
        manifest: &Path,
        mut ask: impl FnMut(&Path) -> Result<Value, Failure>,
    ) -> Result<Self, Failure> {
        let metadata = ask(manifest)?;
        let mut members: BTreeMap<PathBuf, Value> = members(&metadata).collect();
        let Some(ours) = members.get(manifest).cloned() else {
            return Err(Failure {
                title: format!("{} is no package", manifest.display()),
                output: "expected a Cargo.toml with a [package], found a workspace without one: \
                         name the folder of the application, as in `gatewayd dev apps/shop`\n"
                    .to_owned(),
            });
        };
        let mut folders = BTreeSet::new();
        let mut next = vec![manifest.to_owned()];
        while let Some(manifest) = next.pop() {
            let folder = manifest.parent().unwrap_or(&manifest).to_owned();
            if !folders.insert(folder) {
                continue;
            }
            if !members.contains_key(&manifest) {
                members.extend(self::members(&ask(&manifest)?));
            }
            next.extend(members.get(&manifest).into_iter().flat_map(neighbours));
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(Self {
            name: text(&ours["name"]),
            is_cdylib: list(&ours["targets"]).any(is_cdylib),
            target: text(&metadata["target_directory"]).into(),
            folders,
        })
    }
}

/// The packages of a workspace, by manifest.
fn members(metadata: &Value) -> impl Iterator<Item = (PathBuf, Value)> {
    list(&metadata["packages"]).filter_map(|package| {
        let manifest = package["manifest_path"].as_str()?;
        Some((manifest.into(), package.clone()))
    })
}

/// The manifests of what a package depends on by path.
fn neighbours(package: &Value) -> impl Iterator<Item = PathBuf> {
    list(&package["dependencies"])
        .filter(|one| one["kind"] != "dev")
        .filter_map(|one| Some(Path::new(one["path"].as_str()?).join("Cargo.toml")))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Whether a target of a package is a shared object.
pub(super) fn is_cdylib(target: &Value) -> bool {
    let kinds = target["kind"].as_array();
    kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "cdylib"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_knows_the_folders_of_its_path_dependencies() {
        let package = |name: &str, kind: &str, dependencies: Value| {
            serde_json::json!({
                "name": name,
                "manifest_path": format!("/w/{name}/Cargo.toml"),
                "targets": [{"kind": [kind]}],
                "dependencies": dependencies,
            })
        };
        let on = |name: &str| serde_json::json!({"path": format!("/w/{name}"), "kind": null});
        let tests = serde_json::json!({"path": "/w/tests", "kind": "dev"});
        let far = serde_json::json!({"source": "registry", "path": null});
        let near = package("near", "lib", serde_json::json!([on("outside"), on("app")]));
        let app = package("app", "cdylib", serde_json::json!([far, tests, on("near")]));
        let stranger = package("stranger", "lib", serde_json::json!([]));
        let mut asked = Vec::new();
        let mut find = |name: &str| {
            Package::find(Path::new(name), |manifest| {
                asked.push(manifest.to_owned());
                let packages = if manifest.starts_with("/w/outside") {
                    vec![package("outside", "lib", serde_json::json!([]))]
                } else {
                    vec![near.clone(), app.clone(), stranger.clone()]
                };
                Ok(serde_json::json!({"target_directory": "/w/target", "packages": packages}))
            })
        };
        let found = find("/w/app/Cargo.toml").unwrap();
        assert!(found.is_cdylib);
        let folders: Vec<_> = found
            .folders
            .iter()
            .map(|one| one.to_str().unwrap())
            .collect();
        assert_eq!(folders, ["/w/app", "/w/near", "/w/outside"]);
        assert!(!find("/w/stranger/Cargo.toml").unwrap().is_cdylib);
        assert!(
            find("/w/Cargo.toml")
                .unwrap_err()
                .title
                .contains("is no package")
        );
        assert_eq!(asked.len(), 4, "{asked:?}");
    }
}
