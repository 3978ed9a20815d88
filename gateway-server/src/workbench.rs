//! The folder over which `gatewayd dev` and the server that it runs hand things to each other: the
//! last good build, the page that tells why there is none, and word of how a reload went.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};

use gateway_spec::abi::export::{NoRuntime, linked};
use gateway_spec::abi::{Field, GwModule};
use gateway_spec::http::StatusCode;
use gateway_spec::http::header::{HeaderValue, RETRY_AFTER};
use gateway_spec::{Request, Response};
use nix::libc;
use nix::sys::stat::Mode;

/// The folder. Both sides see it as these files.
#[derive(Clone, Debug)]
pub(crate) struct Workbench {
    folder: PathBuf,
}

/// How an attempt to serve a build ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The server is up, with what it has.
    Up,
    /// All requests go to the new build.
    Serving,
    /// The build could not be loaded or did not start; what was served before still is.
    Refused(String),
}

/// What is to become of a request.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The application serves what its sources say.
    Current,
    /// It does not: the answer says so.
    Stale,
    /// A person asks: the page tells what is wrong.
    Page(Vec<u8>),
}

impl Workbench {
    /// The folder as one side knows it.
    pub(crate) fn at(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        Self { folder }
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The last good build; missing before the first.
    pub(crate) fn app(&self) -> PathBuf {
        self.folder.join("app.so")
    }

    /// Makes `module` the last good build.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(crate) fn put(&self, module: &Path) -> io::Result<()> {
        let fresh = self.folder.join("app.so.new");
        let _ = fs::remove_file(&fresh);
        symlink(module, &fresh)?;
        fs::rename(fresh, self.app())
    }

    /// Notes the folder of the package that is worked on.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(crate) fn note_package(&self, folder: &Path) -> io::Result<()> {
        symlink(folder, self.package())
    }

    /// What the application is told beyond its own configuration: that a developer runs it, and where
    /// its package is.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let mut settings = vec![("debug".to_owned(), "true".to_owned())];
        let package = fs::read_link(self.package());
        if let Some(folder) = package
            .ok()
            .and_then(|folder| folder.into_os_string().into_string().ok())
        {
            settings.push(("root".to_owned(), folder));
        }
        settings
    }

    /// Shows this instead of the application: `html` to people, `text` to programs while there is no
    /// build at all.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(crate) fn show(&self, html: &str, text: &str) -> io::Result<()> {
        for (place, content) in [(self.text(), text), (self.page(), html)] {
            let fresh = place.with_extension("new");
            fs::write(&fresh, content)?;
            fs::rename(fresh, place)?;
        }
        Ok(())
    }

    /// Takes the page away.
    pub(crate) fn clear(&self) {
        // There may be none.
        let _ = fs::remove_file(self.page());
        let _ = fs::remove_file(self.text());
    }

    /// Opens the pipe of outcomes; to be called by `dev`, before the server starts.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(crate) fn outcomes(&self) -> io::Result<File> {
        nix::unistd::mkfifo(&self.pipe(), Mode::S_IRUSR | Mode::S_IWUSR)?;
        // Open for both, so that it does not end when no writer has it open.
        OpenOptions::new().read(true).write(true).open(self.pipe())
    }

    /// Tells `dev` how it went; to be called by the server's master, which it never holds up.
    pub(crate) fn tell(&self, outcome: &Outcome) {
        let pipe = OpenOptions::new()
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(self.pipe());
        // A `dev` that is gone needs no news.
        let _ = pipe.and_then(|mut pipe| pipe.write_all(outcome.line().as_bytes()));
    }

    /// What is to become of a request with these fields.
    pub(crate) fn verdict<'a>(&self, fields: impl Iterator<Item = Field<'a>>) -> Verdict {
        if !self.page().exists() {
            return Verdict::Current;
        }
        if !is_navigation(fields) {
            return Verdict::Stale;
        }
        fs::read(self.page()).map_or(Verdict::Current, Verdict::Page)
    }

    /// The application before there is one: every answer is what keeps the build from being there.
    pub(crate) fn waiting(&self) -> &'static GwModule {
        let place = self.text();
        let answer = move |_: Request| {
            let text = fs::read_to_string(&place).unwrap_or_default();
            let response = Response::text(text).with(RETRY_AFTER, HeaderValue::from_static("1"));
            let response = response.with_status(StatusCode::SERVICE_UNAVAILABLE);
            async move { response }
        };
        linked::<_, _, _, NoRuntime>("no build yet", "", move || answer)
    }

    fn package(&self) -> PathBuf {
        self.folder.join("package")
    }

    fn page(&self) -> PathBuf {
        self.folder.join("page.html")
    }

    fn text(&self) -> PathBuf {
        self.folder.join("page.txt")
    }

    fn pipe(&self) -> PathBuf {
        self.folder.join("outcomes")
    }
}

impl Outcome {
    /// Reads what [`Workbench::tell`] wrote.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "up" => Some(Self::Up),
            "serving" => Some(Self::Serving),
            "refused" => Some(Self::Refused(rest.replace('\u{b}', "\n"))),
            _ => None,
        }
    }

    /// One line, short enough to be written in one piece.
    fn line(&self) -> String {
        let mut line = match self {
            Self::Up => "up".to_owned(),
            Self::Serving => "serving".to_owned(),
            Self::Refused(reason) => format!("refused {}", reason.replace('\n', "\u{b}")),
        };
        line.truncate(line.floor_char_boundary(libc::PIPE_BUF - 1));
        line.push('\n');
        line
    }
}

/// Whether a person has gone to an address, as browsers tell it; older ones by what they accept.
fn is_navigation<'a>(fields: impl Iterator<Item = Field<'a>>) -> bool {
    let mut accepts_html = false;
    for field in fields {
        match field.name() {
            b"sec-fetch-mode" => return field.value() == b"navigate",
            b"accept" => {
                accepts_html |= field
                    .value()
                    .windows(HTML.len())
                    .any(|part| part.eq_ignore_ascii_case(HTML));
            }
            _ => {}
        }
    }
    accepts_html
}

const HTML: &[u8] = b"text/html";

#[cfg(test)]
mod tests {
    use super::*;

    fn fields<'a>(list: &[(&'a str, &'a str)]) -> Vec<Field<'a>> {
        let field =
            |(name, value): &(&'a str, &'a str)| Field::new(0, name.as_bytes(), value.as_bytes());
        list.iter().map(field).collect()
    }

    #[test]
    fn people_are_told_from_programs() {
        let browser = fields(&[("accept", "text/html,*/*"), ("sec-fetch-mode", "navigate")]);
        let script = fields(&[("sec-fetch-mode", "cors"), ("accept", "text/html")]);
        let old = fields(&[("accept", "application/xhtml+xml, Text/HTML;q=0.9")]);
        let curl = fields(&[("accept", "*/*")]);
        let asked = [browser, script, old, curl].map(|list| is_navigation(list.into_iter()));
        assert_eq!(asked, [true, false, true, false]);
    }

    #[test]
    fn a_page_stands_in_only_while_it_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let bench = Workbench::at(folder.path());
        let person = || fields(&[("accept", "text/html")]).into_iter();
        assert!(matches!(bench.verdict(person()), Verdict::Current));
        bench.show("<p>broken</p>", "broken").unwrap();
        assert!(matches!(bench.verdict(person()), Verdict::Page(page) if page == b"<p>broken</p>"));
        assert!(matches!(bench.verdict([].into_iter()), Verdict::Stale));
        bench.clear();
        assert!(matches!(bench.verdict(person()), Verdict::Current));
    }

    #[test]
    fn outcomes_survive_the_pipe() {
        let long = "x".repeat(10_000);
        for outcome in [
            Outcome::Up,
            Outcome::Serving,
            Outcome::Refused("a\nb c".to_owned()),
        ] {
            assert_eq!(Outcome::parse(outcome.line().trim_end()), Some(outcome));
        }
        assert_eq!(Outcome::Refused(long).line().len(), libc::PIPE_BUF);
        assert_eq!(Outcome::parse("other"), None);
    }
}
