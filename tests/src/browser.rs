//! A browser without a window.

use std::fs;
use std::path::Path;
use std::process::Command;

/// What the browser showed.
#[derive(Debug)]
pub struct Page {
    /// The document after loading, serialized.
    pub dom: String,
    /// A picture of it.
    pub png: Vec<u8>,
}

impl Page {
    /// Opens a URL, keeping the browser's profile in `folder`.
    ///
    /// # Panics
    /// When the browser is not installed or fails.
    #[must_use]
    pub fn open(url: &str, folder: &Path) -> Self {
        let shot = folder.join("page.png");
        let dom = chromium(folder, &["--dump-dom", url]);
        chromium(folder, &[&format!("--screenshot={}", shot.display()), url]);
        Self {
            dom,
            png: fs::read(&shot).expect("the browser to write its picture"),
        }
    }

    /// Width and height of the picture in pixels.
    ///
    /// # Panics
    /// When it is not a PNG.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        assert!(self.png.starts_with(b"\x89PNG\r\n\x1a\n"), "not a PNG");
        let number =
            |at: usize| u32::from_be_bytes(self.png[at..at + 4].try_into().expect("four bytes"));
        (number(16), number(20))
    }
}

fn chromium(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("chromium")
        .args([
            "--headless",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
        ])
        // Its own sandbox needs rights that a container or root lacks; the pages are ours.
        .args(["--no-sandbox", "--timeout=30000", "--window-size=800,600"])
        .arg(format!(
            "--user-data-dir={}",
            folder.join("profile").display()
        ))
        .args(arguments)
        .output()
        .expect("chromium to be installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "chromium {arguments:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
