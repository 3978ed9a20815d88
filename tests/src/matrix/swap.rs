//! The swap matrix: the same files under every server, behind the same nginx.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::address::Address;
use crate::artefacts::{Artefacts, compile, root};
use crate::gatewayd::{Gatewayd, program};
use crate::hosts::{self, Host};
use crate::nginx::Nginx;
use crate::python::{self, PythonServer};

use super::manners::Manners;
use super::traffic::{self, Turn};
use super::{Answer, last};

/// A server, and how an application is put under it.
#[derive(Debug)]
pub struct Place {
    pub name: &'static str,
    /// Of the server, as it was built or installed.
    pub version: String,
    manners: Manners,
    under: Under,
}

#[derive(Clone, Copy, Debug)]
enum Under {
    Gatewayd,
    GatewaydUnix,
    Rust(hosts::Kind),
    Python(python::Kind),
}

/// A running server, and where it listens.
#[derive(Debug)]
enum Running {
    Gatewayd(Gatewayd),
    Rust(Host),
    Python(PythonServer),
}

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
    turns: Vec<Turn>,
    is_echo: bool,
}

/// All servers; the first is the one that the others are compared with.
///
/// # Panics
/// When the workspace's own lock cannot be read.
#[must_use]
pub fn places() -> Vec<Place> {
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock");
    let locked = |name: &str| {
        let entry = lock.split_once(&format!("name = \"{name}\"\nversion = \""));
        let version = entry.and_then(|(_, rest)| rest.split('"').next());
        version.unwrap_or("?").to_owned()
    };
    let list = root().join("adapters/python/tests/requirements.txt");
    let list = fs::read_to_string(list).expect("the list of Python's servers");
    let installed = |name: &str| {
        let mut lines = list.lines().filter_map(|line| line.split_once("=="));
        let version = lines.find(|(other, _)| *other == name);
        version.map_or("?", |(_, version)| version).to_owned()
    };
    let place = |name, version, manners, under| Place {
        name,
        version,
        manners,
        under,
    };
    let python =
        |name, version: String, kind| place(name, version, Manners::of(kind), Under::Python(kind));
    let own = || locked("gateway-server");
    vec![
        place("gatewayd, HTTP/1.1", own(), Manners::EXACT, Under::Gatewayd),
        place(
            "gatewayd, unix socket",
            own(),
            Manners::EXACT,
            Under::GatewaydUnix,
        ),
        place(
            "hyper",
            locked("hyper"),
            Manners::MAPPED,
            Under::Rust(hosts::Kind::Hyper),
        ),
        place(
            "axum",
            locked("axum"),
            Manners::MAPPED,
            Under::Rust(hosts::Kind::Axum),
        ),
        place(
            "actix-web",
            locked("actix-web"),
            Manners::MAPPED,
            Under::Rust(hosts::Kind::Actix),
        ),
        python("Gunicorn", installed("gunicorn"), python::Kind::Gunicorn),
        python(
            "Gunicorn, threads",
            installed("gunicorn"),
            python::Kind::GunicornThreads,
        ),
        python("uWSGI", installed("pyuwsgi"), python::Kind::Uwsgi),
        python("Granian, WSGI", installed("granian"), python::Kind::Granian),
        python(
            "Granian, ASGI",
            installed("granian"),
            python::Kind::GranianAsgi,
        ),
        python("uvicorn", installed("uvicorn"), python::Kind::Uvicorn),
    ]
}

/// The applications: one in Rust that tells what it is told, one on carafe, one in C.
#[must_use]
pub fn applications(folder: &TempDir) -> [Application; 3] {
    let built = Artefacts::built();
    let mut small = vec![Turn::get("/"), Turn::get("/missing"), Turn::get("/?x=%20")];
    small.push(Turn::new("HEAD", "/", "", b""));
    small.push(Turn::sized("POST", "/", b"not read"));
    small.push(Turn::chunked("POST", "/", &[b"not", b"read"]));
    [
        Application {
            name: "libecho.so",
            file: built.module("echo").to_owned(),
            turns: traffic::for_echo(),
            is_echo: true,
        },
        Application {
            name: "libblog.so",
            file: built.module("blog").to_owned(),
            turns: traffic::for_blog(),
            is_echo: false,
        },
        Application {
            name: "hello.so, in C",
            file: compile(&["examples/hello-c/hello.c"], &[], folder.path()),
            turns: small,
            is_echo: false,
        },
    ]
}

impl Application {
    /// How many requests it is asked.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.turns.len()
    }

    /// What it answers under a server, behind nginx.
    ///
    /// # Panics
    /// When the server does not come up.
    #[must_use]
    pub fn answers(&self, place: &Place) -> Vec<Result<Answer, String>> {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        let running = place.start(&self.file, folder.path());
        let (kept, connection) = match place.under {
            // Its http-socket closes connections without a word.
            Under::Python(python::Kind::Uwsgi) => ("", "close"),
            _ => ("keepalive 16;", "''"),
        };
        let site = SITE
            .replace("@upstream@", &running.address().to_string())
            .replace("@kept@", kept)
            .replace("@connection@", connection);
        let nginx = Nginx::serve(&site, folder.path());
        let turns = self.turns.iter();
        turns
            .map(|turn| {
                let response = last(&nginx.address, turn);
                response
                    .map(|response| Answer::of(&response).masked())
                    .map_err(|broken| format!("{broken:?}"))
            })
            .collect()
    }

    /// Compares the answers of two servers.
    #[must_use]
    pub fn compare(
        &self,
        place: &Place,
        wanted: &[Result<Answer, String>],
        found: &[Result<Answer, String>],
    ) -> Cell {
        let mut cell = Cell::default();
        for ((turn, wanted), found) in self.turns.iter().zip(wanted).zip(found) {
            let (Ok(wanted), Ok(found)) = (wanted, found) else {
                let what = format!("{}: {wanted:?}, {found:?}", turn.name);
                cell.different.push(what);
                continue;
            };
            if wanted == found {
                cell.same += 1;
            } else if self.is_as_told(&place.manners, wanted, found) {
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

    /// Whether an answer is what the server's manners make of the other.
    fn is_as_told(&self, manners: &Manners, wanted: &Answer, found: &Answer) -> bool {
        let has_body = !wanted.body.is_empty() && wanted.status == 200;
        if !self.is_echo || !has_body {
            return found.differs(wanted, manners).is_none();
        }
        let [wanted_echo, found_echo] = [wanted, found].map(|answer| {
            serde_json::from_slice::<serde_json::Value>(&answer.body).unwrap_or_default()
        });
        let told = manners.sorted(&manners.of_echo(&wanted_echo));
        found.status == wanted.status && manners.sorted(&found_echo) == told
    }
}

impl Place {
    fn start(&self, module: &Path, folder: &Path) -> Running {
        let database = folder.join("blog.sqlite").display().to_string();
        let blog = root().join("examples/blog").display().to_string();
        let environment = [
            ("CARGO_MANIFEST_DIR", blog.as_str()),
            ("BLOG_DATABASE", &database),
            ("BLOG_SECRET_KEY", "of no worth to anybody but this test"),
        ];
        let gatewayd = |bind: &str| {
            let mut command = program();
            command.args(["--workers", "1", "--bind", bind]).arg(module);
            Running::Gatewayd(Gatewayd::start(command.envs(environment)))
        };
        match self.under {
            Under::Gatewayd => gatewayd("127.0.0.1:0"),
            Under::GatewaydUnix => gatewayd(&format!("unix:{}/app.sock", folder.display())),
            Under::Rust(kind) => {
                let mut command = Command::new(Artefacts::built().program(kind.program()));
                command.arg(module).args(["--bind", "127.0.0.1:0"]);
                Running::Rust(Host::start(command.envs(environment)))
            }
            Under::Python(kind) => Running::Python(PythonServer::serve(kind, module, &environment)),
        }
    }
}

impl Running {
    fn address(&self) -> &Address {
        match self {
            Self::Gatewayd(gatewayd) => &gatewayd.address,
            Self::Rust(host) => &host.address,
            Self::Python(server) => &server.address,
        }
    }
}

/// The matrix as a table in Markdown, and what differs that should not.
#[must_use]
pub fn table() -> (String, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let (applications, places) = (applications(&folder), places());
    let [reference, ..] = places.as_slice() else {
        return (String::new(), Vec::new());
    };
    let wanted = applications.each_ref().map(|one| one.answers(reference));
    let mut table = String::from("| server | version |");
    for application in &applications {
        let _ = write!(
            table,
            " `{}`, {} |",
            application.name,
            application.requests()
        );
    }
    table.push_str("\n|---|---|---|---|---|\n");
    let mut faults = Vec::new();
    for place in &places {
        let _ = write!(table, "| {} | {} |", place.name, place.version);
        for (application, wanted) in applications.iter().zip(&wanted) {
            let cell = application.compare(place, wanted, &application.answers(place));
            let _ = match (cell.limited, cell.different.len()) {
                (0, 0) => write!(table, " all |"),
                (limited, 0) => write!(table, " {} + {limited} |", cell.same),
                (limited, faults) => write!(table, " {} + {limited}, {faults} differ |", cell.same),
            };
            let name = |fault: &String| format!("{}, {}: {fault}", place.name, application.name);
            faults.extend(cell.different.iter().map(name));
        }
        table.push('\n');
    }
    (table, faults)
}

const SITE: &str = "
upstream gateway { server @upstream@; @kept@ }
server {
    listen 80;
    client_max_body_size 64m;
    location / {
        proxy_pass http://gateway;
        proxy_http_version 1.1;
        proxy_set_header Connection @connection@;
        proxy_set_header Host $http_host;
        proxy_request_buffering off;
        proxy_next_upstream off;
    }
}
";
