//! Files that the server sends by itself: to the clients that people use, as nginx sends them, and to
//! nobody what was not meant to be sent.

mod attacks;
mod beside_nginx;
mod confined;
mod serving;
mod settings;

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use gateway_tests::artefacts::Artefacts;
use gateway_tests::gatewayd::Gatewayd;
use nix::unistd::geteuid;
use tempfile::TempDir;

/// A folder `public` with files that were changed long ago, and something beside it.
struct Site {
    folder: TempDir,
}

impl Site {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // For workers of another user.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(folder.path().join("public")).unwrap();
        let site = Self { folder };
        for (name, content) in files {
            site.write(name, content);
        }
        site
    }

    fn public(&self) -> std::path::PathBuf {
        self.folder.path().join("public")
    }

    fn write(&self, name: &str, content: &[u8]) {
        let path = self.public().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        age(&path, CHANGED);
    }

    /// The setting that serves the folder at a path.
    fn mount(&self, path: &str) -> String {
        format!("--static={path}={}", self.public().display())
    }

    /// A server that has the files at `/assets`.
    fn serve(&self, arguments: &[&str]) -> Gatewayd {
        let mount = self.mount("/assets");
        probe(&[&["--workers", "1", &mount], arguments].concat())
    }
}

fn probe(arguments: &[&str]) -> Gatewayd {
    Gatewayd::serve(Artefacts::built().module("probe"), arguments)
}

/// What makes workers somebody who may not read everything: root may.
fn as_nobody() -> &'static [&'static str] {
    match geteuid().is_root() {
        true => &["--user", "nobody"],
        false => &[],
    }
}

/// Has a file be changed so many seconds after 1970.
fn age(path: &Path, seconds: u64) {
    let file = File::options().append(true).open(path).unwrap();
    let time = UNIX_EPOCH + Duration::from_secs(seconds);
    file.set_modified(time).unwrap();
}

/// When the files were changed.
const CHANGED: u64 = 1_700_000_000;
