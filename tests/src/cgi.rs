//! An application as a CGI program.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::artefacts::Artefacts;

/// `app.cgi`, which serves a module, in a folder that every user may look into: web servers run programs as a
/// user of their own, who may not reach where ours are built.
///
/// # Panics
/// When the folder cannot be written.
#[must_use]
pub fn script(module: &Path, folder: &Path) -> PathBuf {
    let (tool, app) = (folder.join("gateway-cgi"), folder.join("app.so"));
    let copy = |from: &Path, to: &Path| fs::copy(from, to).expect("to copy a program");
    copy(Artefacts::built().program("gateway-cgi"), &tool);
    copy(module, &app);
    let script = folder.join("app.cgi");
    let line = format!("#!{} {}\n", tool.display(), app.display());
    fs::write(&script, line).expect("to write a script");
    for path in [folder, &tool, &app, &script] {
        fs::set_permissions(path, Permissions::from_mode(0o755)).expect("to open it to all");
    }
    script
}
