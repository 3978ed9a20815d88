//! The two forms that an application reaches the server in.

use std::path::Path;

use gateway_spec::abi::GwModule;

/// Where the application comes from.
#[derive(Clone, Copy, Debug)]
pub enum AppSource {
    /// A shared object, named on the command line: `gatewayd app.so`.
    CommandLine,
    /// The program itself, which is an application with the server linked in.
    LinkedIn(&'static GwModule),
}

/// Looks whether somebody has named a package instead of what is built of it.
///
/// # Errors
///
/// There is a folder at `path`; in words that follow its name.
pub(crate) fn refuse_folder(path: &Path) -> Result<(), String> {
    if !path.is_dir() {
        return Ok(());
    }
    let folder = path.display();
    Err(format!(
        "expected a shared object, found a folder; `gatewayd dev {folder}` builds and serves it"
    ))
}
