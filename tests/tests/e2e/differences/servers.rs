//! The servers that are compared, each on a unix socket, each answering with the request's target.

use std::fs;
use std::path::Path;
use std::process::Command;

use gateway_tests::address::Address;
use gateway_tests::artefacts::{Artefacts, root};
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::nginx::Nginx;
use gateway_tests::process::Process;
use gateway_tests::python;
use gateway_tests::until;
use tempfile::TempDir;

/// All of them, running.
pub(super) struct Servers {
    addresses: Vec<Address>,
    _gatewayd: Gatewayd,
    _nginx: Nginx,
    _others: [Process; 2],
    _folder: TempDir,
}

impl Servers {
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let ours = at("gatewayd.sock").display().to_string();
        let bind = format!("unix:{ours}");
        let arguments = [
            "--workers",
            "1",
            "--http1-only",
            "--max-body",
            "64MiB",
            "--bind",
            &bind,
        ];
        let gatewayd = Gatewayd::serve(Artefacts::built().module("echo"), &arguments);
        let hyper = Process::start(
            Command::new(Artefacts::built().program("peer-hyper")).arg(at("hyper.sock")),
        );
        let nginx = Nginx::serve(
            &SITE.replace("@folder@", &folder.path().display().to_string()),
            folder.path(),
        );
        fs::write(at("target.py"), APPLICATION).unwrap();
        let gunicorn = Process::start(&mut gunicorn(folder.path(), &at("gunicorn.sock")));
        let addresses = vec![
            Address::Unix(ours.into()),
            Address::Unix(at("hyper.sock")),
            nginx.address.clone(),
            Address::Unix(at("gunicorn.sock")),
        ];
        for address in &addresses {
            until("a listener", || address.connect().is_ok());
        }
        Self {
            addresses,
            _gatewayd: gatewayd,
            _nginx: nginx,
            _others: [hyper, gunicorn],
            _folder: folder,
        }
    }

    /// Ours first.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.addresses.iter()
    }

    /// Their names, with the versions of the others.
    pub(super) fn versions(&self) -> [String; 4] {
        let requirements =
            fs::read_to_string(root().join("adapters/python/tests/requirements.txt"));
        let lock = fs::read_to_string(root().join("Cargo.lock"));
        let behind = |text: &str, mark: &str| {
            let (_, rest) = text.split_once(mark).expect(mark);
            rest.split(['\n', '"'])
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        [
            "gatewayd".to_owned(),
            format!(
                "hyper {}",
                behind(&lock.unwrap(), "name = \"hyper\"\nversion = \"")
            ),
            format!("nginx {}", nginx_version()),
            format!("Gunicorn {}", behind(&requirements.unwrap(), "gunicorn==")),
        ]
    }
}

/// Upstream's version: Debian's revisions mend what they mend without another.
fn nginx_version() -> String {
    let output = Command::new("/usr/sbin/nginx")
        .arg("-v")
        .output()
        .expect("nginx");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let (_, version) = said.trim().rsplit_once('/').expect("a version");
    version.split(' ').next().unwrap_or_default().to_owned()
}

fn gunicorn(folder: &Path, socket: &Path) -> Command {
    let bind = format!("unix:{}", socket.display());
    let mut command = python::program(
        "gunicorn",
        &[&[
            "--no-control-socket",
            "-k",
            "gthread",
            "--threads",
            "4",
            "-b",
            &bind,
            "target:app",
        ]],
    );
    command.env("PYTHONPATH", folder);
    command
}

/// nginx reads a body as a whole only where it passes it on: to itself.
const SITE: &str = "
server {
    listen 80;
    client_max_body_size 64m;
    location / {
        proxy_pass http://unix:@folder@/inner.sock;
        proxy_http_version 1.1;
        proxy_ignore_client_abort on;
    }
}
server {
    listen unix:@folder@/inner.sock;
    location / { return 200 $request_uri; }
}
";

const APPLICATION: &str = "
def app(environ, start_response):
    environ['wsgi.input'].read()
    target = environ['RAW_URI'].encode('latin-1')
    start_response('200 OK', [('Content-Length', str(len(target)))])
    return [target]
";
