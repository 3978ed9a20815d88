//! The swap matrix: the same files under every server, behind the same nginx.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::artefacts::{Artefacts, compile};

use super::manners::Manners;
use super::places::{Place, blog_in, places};
use super::site::for_blog;
use super::tour::for_tour;
use super::traffic::{self, Turn};
use super::visitor::Visitor;
use super::{Answer, last_of};

/// What came of asking one application under one server.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// Requests that were answered byte for byte as under gatewayd.
    pub same: usize,
    /// Answers that differ as the server's limits say.
    pub limited: usize,
    /// Those that differ otherwise: what was asked, and how.
    pub different: Vec<String>,
}

/// An application, and what is asked of it.
#[derive(Debug)]
pub struct Application {
    pub name: &'static str,
    file: PathBuf,
    /// Where the blog finds its templates.
    blog: PathBuf,
    turns: Vec<Turn>,
}

/// The applications: one in Rust that tells what it is told, one on carafe, one in C.
#[must_use]
pub fn applications(folder: &TempDir) -> [Application; 3] {
    let built = Artefacts::built();
    let blog = blog_in(folder.path());
    [
        Application {
            name: "libecho.so",
            file: built.module("echo").to_owned(),
            blog: blog.clone(),
            turns: traffic::for_echo(),
        },
        Application {
            name: "libblog.so",
            file: built.module("blog").to_owned(),
            blog: blog.clone(),
            turns: for_blog(),
        },
        Application {
            name: "tour.so, in C",
            file: compile(&["examples/tour-c/tour.c"], &[], folder.path()),
            blog,
            turns: for_tour(),
        },
    ]
}

impl Application {
    /// How many requests it is asked.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.turns.len()
    }

    /// What it answers under a server, behind nginx; and which rules of the interface were broken meanwhile,
    /// where the server can look at them.
    ///
    /// # Panics
    /// When the server does not come up.
    #[must_use]
    fn answers(&self, place: &Place) -> (Answers, Vec<String>) {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        let site = place.serve(&self.file, &self.blog, folder.path());
        let mut visitor = Visitor::default();
        let turns = self.turns.iter();
        let answers = turns.map(|turn| {
            let response = last_of(&site.nginx.address, turn, &visitor.bytes(turn));
            let response = response.map_err(|broken| format!("{broken:?}"))?;
            visitor.hears(turn, &response);
            Ok(Answer::of(&response).masked())
        });
        (answers.collect(), site.end())
    }

    /// Compares the answers of two servers.
    fn compare(&self, place: &Place, wanted: &Answers, found: &Answers) -> Cell {
        let mut cell = Cell::default();
        for ((turn, wanted), found) in self.turns.iter().zip(wanted).zip(found) {
            let (Ok(wanted), Ok(found)) = (wanted, found) else {
                let what = format!("{}: {wanted:?}, {found:?}", turn.name);
                cell.different.push(what);
                continue;
            };
            if wanted == found {
                cell.same += 1;
            } else if is_as_told(turn, &place.manners, wanted, found) {
                cell.limited += 1;
            } else {
                let what = format!(
                    "{}: {} expected, {}",
                    turn.name,
                    wanted.told(),
                    found.told()
                );
                cell.different.push(what);
            }
        }
        cell
    }
}

/// Whether an answer is what the server's manners make of the other.
fn is_as_told(turn: &Turn, manners: &Manners, wanted: &Answer, found: &Answer) -> bool {
    let echo = |answer: &Answer| serde_json::from_slice::<Json>(&answer.body).ok();
    let is_json =
        |(name, value): &(String, String)| name == "content-type" && value.ends_with("/json");
    match (echo(wanted), echo(found)) {
        (Some(wanted_echo), Some(found_echo)) => {
            let told = manners.sorted(&manners.of_echo(&wanted_echo));
            found.status == wanted.status && manners.sorted(&found_echo) == told
        }
        // What would be told is of another length.
        _ if turn.is_head() && wanted.fields.iter().any(is_json) => {
            let [wanted, found] = [wanted, found].map(Answer::without_length);
            found.differs(&wanted, manners).is_none()
        }
        _ => found.differs(wanted, manners).is_none(),
    }
}

/// The matrix as a table in Markdown, and what differs that should not; `wanted` is a part of the names of
/// the servers that are wanted.
///
/// # Panics
/// When a server does not come up.
#[must_use]
pub fn table(wanted: &str) -> (String, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let (applications, mut places) = (applications(&folder), places());
    places.retain(|place| place.is_reference() || place.name.contains(wanted));
    let reference = places.iter().find(|place| place.is_reference());
    let reference = reference.expect("something to compare with");
    let wanted = applications.each_ref().map(|one| one.answers(reference));
    let mut faults: Vec<String> = wanted
        .iter()
        .flat_map(|(_, breaches)| breaches.clone())
        .collect();
    let wanted = wanted.map(|(answers, _)| answers);
    let mut table = String::from("| server | version |");
    for application in &applications {
        let (name, count) = (application.name, application.requests());
        let _ = write!(table, " `{name}`, {count} |");
    }
    table.push_str("\n|---|---|---|---|---|\n");
    let rows = rows(&applications, &places, &wanted);
    for (place, cells) in places.iter().zip(rows) {
        let _ = write!(table, "| {} | {} |", place.name, place.version);
        for (application, cell) in applications.iter().zip(cells) {
            let _ = write!(table, " {} |", cell.told());
            let name = |fault: &String| format!("{}, {}: {fault}", place.name, application.name);
            faults.extend(cell.different.iter().map(name));
        }
        table.push('\n');
    }
    (table, faults)
}

/// The cells of every place, some of them at a time: most of it is waiting for servers to start.
fn rows(
    applications: &[Application; 3],
    places: &[Place],
    wanted: &[Answers; 3],
) -> Vec<Vec<Cell>> {
    let next = AtomicUsize::new(0);
    let rows: Vec<OnceLock<Vec<Cell>>> = places.iter().map(|_| OnceLock::new()).collect();
    let work = || {
        while let Some(place) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
            let asked = applications.iter().zip(wanted);
            let cells = asked.map(|(application, wanted)| {
                let (found, breaches) = application.answers(place);
                let mut cell = application.compare(place, wanted, &found);
                cell.different.extend(breaches);
                cell
            });
            let cells = cells.collect();
            let row = places.iter().position(|other| std::ptr::eq(other, place));
            let _ = rows[row.expect("one of them")].set(cells);
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(work);
        }
    });
    rows.into_iter()
        .map(|row| row.into_inner().expect("all were asked"))
        .collect()
}

impl Cell {
    fn told(&self) -> String {
        match (self.limited, self.different.len()) {
            (0, 0) => "all".to_owned(),
            (limited, 0) => format!("{} + {limited}", self.same),
            (limited, faults) => format!("{} + {limited}, {faults} differ", self.same),
        }
    }
}

/// What came for each request, or why nothing did.
type Answers = Vec<Result<Answer, String>>;

const AT_A_TIME: usize = 3;
