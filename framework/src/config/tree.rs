//! Dotted keys in a tree of JSON objects.

use serde_json::{Map, Value};

/// The value at `path`.
pub(super) fn find<'a>(root: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut parts = path.split('.');
    let mut value = root.get(parts.next()?)?;
    for part in parts {
        value = value.as_object()?.get(part)?;
    }
    Some(value)
}

/// Sets the value at `path`, making objects on the way; what stood there and was none goes.
pub(super) fn set(root: &mut Map<String, Value>, path: &str, value: Value) {
    let mut node = root;
    let (folders, name) = path.rsplit_once('.').unwrap_or(("", path));
    for part in folders.split('.').filter(|part| !part.is_empty()) {
        let entry = node
            .entry(part)
            .or_insert_with(|| Value::Object(Map::new()));
        if !entry.is_object() {
            *entry = Value::Object(Map::new());
        }
        node = entry.as_object_mut().expect("made an object above");
    }
    node.insert(name.to_owned(), value);
}

/// The leaves of a tree with their dotted keys; an empty object is a leaf.
pub(super) fn leaves(root: Map<String, Value>) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    let mut left: Vec<(String, Value)> = root.into_iter().rev().collect();
    while let Some((path, value)) = left.pop() {
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                let children = inner.into_iter().rev();
                left.extend(children.map(|(name, value)| (format!("{path}.{name}"), value)));
            }
            leaf => found.push((path, leaf)),
        }
    }
    found
}
