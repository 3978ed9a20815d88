//! The lines of a program around a place in it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::context::Cx;

/// The lines around `line` of `file`, with their numbers; none if the file is not at hand.
pub(super) fn around(cx: &Cx, file: &str, line: u32) -> Vec<(u32, String)> {
    let Some(text) = read(cx.root(), Path::new(file)) else {
        return Vec::new();
    };
    let first = line.saturating_sub(AROUND).max(1);
    (1..)
        .zip(text.lines())
        .skip_while(|(number, _)| *number < first)
        .take_while(|(number, _)| *number <= line.saturating_add(AROUND))
        .map(|(number, line)| (number, line.to_owned()))
        .collect()
}

/// The compiler names a file from the folder of the workspace, which the application's is or is in.
fn read(root: &Path, file: &Path) -> Option<String> {
    let mut places = root.ancestors().map(|folder| folder.join(file));
    let found: PathBuf = places.find(|path| path.is_file())?;
    fs::read_to_string(found).ok()
}

/// Lines before and behind the one that counts.
const AROUND: u32 = 6;
