//! A browser without a window.

use std::fs;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::devtools::DevTools;

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

/// What people like pages to look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Light,
    Dark,
}

/// A browser that goes from page to page.
#[derive(Debug)]
pub struct Browser {
    tools: DevTools,
    session: String,
}

impl Browser {
    /// Opens an empty page, keeping the browser's profile in `folder`.
    ///
    /// # Panics
    /// When the browser is not installed or fails, as all that follows.
    #[must_use]
    pub fn start(folder: &Path) -> Self {
        let mut tools = DevTools::start(folder, &["--window-size=1000,750"]);
        let targets = tools.ask(None, "Target.getTargets", &json!({}));
        let mut targets = targets["targetInfos"].as_array().into_iter().flatten();
        let page = targets.rfind(|target| target["type"] == "page");
        let page = page.expect("chromium to open a page")["targetId"].clone();
        let attach = json!({ "targetId": page, "flatten": true });
        let attached = tools.ask(None, "Target.attachToTarget", &attach);
        let session = attached["sessionId"].as_str().expect("a session");
        let session = session.to_owned();
        tools.ask(Some(&session), "Page.enable", &json!({}));
        Self { tools, session }
    }

    /// Shows pages from now on so many pixels wide, and to people who like them so.
    pub fn appear(&mut self, width: u32, scheme: Scheme) {
        let size =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.ask("Emulation.setDeviceMetricsOverride", &size);
        let value = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let feature = json!({ "name": "prefers-color-scheme", "value": value });
        self.ask(
            "Emulation.setEmulatedMedia",
            &json!({ "features": [feature] }),
        );
    }

    /// Goes to a URL and waits until the page has loaded.
    pub fn open(&mut self, url: &str) {
        self.tools.forget();
        self.ask("Page.navigate", &json!({ "url": url }));
        self.tools.await_event("Page.loadEventFired");
    }

    /// What a script on the page says.
    pub fn run(&mut self, script: &str) -> Value {
        let told = json!({ "expression": script, "returnByValue": true, "awaitPromise": true, "userGesture": true });
        let said = self.ask("Runtime.evaluate", &told);
        assert!(said["exceptionDetails"].is_null(), "{script}: {said}");
        said["result"]["value"].clone()
    }

    /// Types over what stands in the input that a CSS selector names.
    pub fn type_into(&mut self, selector: &str, text: &str) {
        self.run(&format!("{}.select()", one(selector)));
        self.ask("Input.insertText", &json!({ "text": text }));
    }

    /// Clicks on what a CSS selector names.
    pub fn click(&mut self, selector: &str) {
        self.run(&format!("{}.click()", one(selector)));
    }

    /// Clicks on what a CSS selector names and waits until another page has loaded.
    pub fn follow(&mut self, selector: &str) {
        self.tools.forget();
        self.click(selector);
        self.tools.await_event("Page.loadEventFired");
    }

    /// The words that the page shows.
    pub fn text(&mut self) -> String {
        let said = self.run("document.body.innerText");
        said.as_str().unwrap_or_default().to_owned()
    }

    /// The path of the page's URL.
    pub fn path(&mut self) -> String {
        let said = self.run("location.pathname");
        said.as_str().unwrap_or_default().to_owned()
    }

    /// A picture of the page, as the bytes of a PNG.
    pub fn picture(&mut self) -> Vec<u8> {
        let shot = self.ask("Page.captureScreenshot", &json!({ "format": "png" }));
        let text = shot["data"].as_str().expect("a picture");
        STANDARD.decode(text).expect("base64")
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.tools.ask(Some(&self.session), method, params)
    }
}

/// The script that finds one element, or fails with its selector.
fn one(selector: &str) -> String {
    let selector = json!(selector);
    format!("(document.querySelector({selector}) ?? (() => {{ throw Error({selector}) }})())")
}

fn chromium(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("chromium")
        .args(flags(folder))
        .args(["--timeout=30000", "--window-size=800,600"])
        .args(arguments)
        .output()
        .expect("chromium to be installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "chromium {arguments:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What every start of the browser says; its profile is in `folder`.
pub(crate) fn flags(folder: &Path) -> [String; 6] {
    let profile = folder.join("profile");
    [
        "--headless".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--no-first-run".to_owned(),
        // Its own sandbox needs rights that a container or root lacks; the pages are ours.
        "--no-sandbox".to_owned(),
        format!("--user-data-dir={}", profile.display()),
    ]
}
