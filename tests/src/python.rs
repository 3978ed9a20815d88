//! Python's web servers with an application behind the package of `adapters/python`, installed as a
//! user installs it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::address::Address;
use crate::artefacts::root;
use crate::hosts::Host;
use crate::process::Process;
use crate::until;

/// A server, and by which of its workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Gunicorn's sync workers.
    Gunicorn,
    /// Gunicorn's threaded workers.
    GunicornThreads,
    Uwsgi,
    Granian,
    GranianAsgi,
    Uvicorn,
}

impl Kind {
    /// Whether its interface is ASGI.
    #[must_use]
    pub fn is_asgi(self) -> bool {
        matches!(self, Self::GranianAsgi | Self::Uvicorn)
    }

    /// Its command, where the environment names the application.
    fn command(self, socket: &str) -> Command {
        let (wsgi, asgi) = ("gateway_interface.wsgi:app", "gateway_interface.asgi:app");
        let unix = format!("unix:{socket}");
        match self {
            Self::Gunicorn => program("gunicorn", &[GUNICORN, &["-b", &unix, wsgi]]),
            Self::GunicornThreads => {
                let threads = ["-k", "gthread", "--threads", "4", "-b", &unix, wsgi];
                program("gunicorn", &[GUNICORN, &threads])
            }
            Self::Uwsgi => {
                let bind = ["--http-socket", socket, "--module", wsgi];
                program("uwsgi", &[UWSGI, &bind])
            }
            Self::Granian => {
                let bind = ["--interface", "wsgi", "--uds", socket, wsgi];
                program("granian", &[&bind, &["--blocking-threads", "4"]])
            }
            Self::GranianAsgi => program(
                "granian",
                &[&["--interface", "asgi", "--uds", socket, asgi]],
            ),
            Self::Uvicorn => program("uvicorn", &[&["--uds", socket, asgi]]),
        }
    }

    /// What it says once a request would be answered.
    fn ready(self) -> &'static str {
        match self {
            Self::Gunicorn | Self::GunicornThreads => "Booting worker",
            Self::Uwsgi => "spawned uWSGI worker 1",
            Self::Granian | Self::GranianAsgi => "Started worker-1",
            Self::Uvicorn => "Uvicorn running on",
        }
    }

    /// Serves a module, and waits until the server says that it is ready.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn serve(self, module: &Path, environment: &[(&str, &str)]) -> Host {
        let host = self.start(module, environment);
        host.process.line_with(self.ready(), 0);
        // Granian says so before its workers listen.
        until("a listener", || host.address.connect().is_ok());
        if let Address::Unix(path) = &host.address {
            // For an nginx whose worker is another user.
            let everybody = Permissions::from_mode(0o777);
            fs::set_permissions(path, everybody).expect("to open the socket to all");
        }
        host
    }

    /// The same without waiting.
    ///
    /// # Panics
    /// When the server is not installed.
    #[must_use]
    pub fn start(self, module: &Path, environment: &[(&str, &str)]) -> Host {
        let (folder, socket) = socket();
        let mut command = self.command(&socket);
        command.env("GATEWAY_APP", module);
        host(command.envs(environment.iter().copied()), folder, socket)
    }
}

/// Gunicorn with a callable of one's own, `load(...)`, and flags beside it; not waited for.
///
/// # Panics
/// When it is not installed.
#[must_use]
pub fn gunicorn(callable: &str, flags: &[&str]) -> Host {
    let (folder, socket) = socket();
    let callable = format!("gateway_interface.wsgi:{callable}");
    let bind = ["-b", &format!("unix:{socket}"), &callable];
    let mut command = program("gunicorn", &[GUNICORN, flags, &bind]);
    host(&mut command, folder, socket)
}

/// uvicorn with HTTP/2.
///
/// # Panics
/// When it does not come up.
#[must_use]
pub fn uvicorn_http2(module: &Path) -> Host {
    let (folder, socket) = socket();
    let flags = ["--http", "zttp", "--http2", "--uds", &socket];
    let mut command = program("uvicorn", &[&flags, &["gateway_interface.asgi:app"]]);
    let host = host(command.env("GATEWAY_APP", module), folder, socket);
    host.process.line_with(Kind::Uvicorn.ready(), 0);
    host
}

fn host(command: &mut Command, folder: TempDir, socket: String) -> Host {
    Host {
        process: Process::start(command),
        address: Address::Unix(socket.into()),
        _folder: Some(folder),
    }
}

/// A program of the environment that `tests/run` has made, with the package in its way.
#[must_use]
pub fn program(name: &str, arguments: &[&[&str]]) -> Command {
    let mut command = Command::new(environment().join("bin").join(name));
    // Granian takes the name of a module for one of the package in whose folder it is started.
    command.current_dir("/").env("PYTHONPATH", installed());
    command.args(arguments.concat());
    command
}

/// Where the package is installed, once per run.
fn installed() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let folder = tempfile::tempdir()
            .expect("a folder for temporary files")
            .keep();
        // What builds a package writes beside its sources; the header is a link there.
        let copied = Command::new("cp")
            .arg("-rL")
            .arg(root().join("adapters/python"))
            .arg(folder.join("sources"))
            .status();
        assert!(copied.is_ok_and(|status| status.success()), "cp");
        let site = folder.join("site");
        let python = environment().join("bin/python");
        let output = Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args([
                "--no-index",
                "--no-deps",
                "--no-build-isolation",
                "--target",
            ])
            .arg(&site)
            .arg(folder.join("sources"))
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}: {INSTALL}", python.display()));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{INSTALL}");
        site
    })
}

/// Where the servers are installed.
#[must_use]
pub fn environment() -> PathBuf {
    root().join("target/servers")
}

fn socket() -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let socket = folder.path().join("socket").display().to_string();
    (folder, socket)
}

const GUNICORN: &[&str] = &["--no-control-socket"];
const UWSGI: &[&str] = &[
    "--master",
    "--threads=2",
    "--need-app",
    "--die-on-term",
    "--disable-logging",
    "--buffer-size=32768",
];
const INSTALL: &str = "the servers are installed by: python3 -m venv target/servers && \
    target/servers/bin/pip install -r adapters/python/tests/requirements.txt";
