//! Every way in which an application is served, behind the same nginx.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::address::Address;
use crate::apache::Apache;
use crate::artefacts::root;
use crate::cgi;
use crate::gatewayd::{Gatewayd, program};
use crate::haproxy::{Haproxy, Relay};
use crate::hosts::{self, Host};
use crate::nginx::Nginx;
use crate::python;

use super::manners::Manners;

/// A server, and how an application is put under it.
#[derive(Debug)]
pub struct Place {
    pub name: &'static str,
    /// Of the server, as it was built or installed.
    pub version: String,
    pub(super) manners: Manners,
    under: Under,
}

/// What serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Under {
    Gatewayd,
    GatewaydUnix,
    /// nginx does not speak HTTP/2 to those behind it; HAProxy between them does.
    GatewaydHttp2,
    /// By one of the protocols that nginx has a file of `deploy/` for.
    Front(&'static str),
    /// The same protocols by a host of their own.
    FrontHost(&'static str),
    /// Apache starts a process for each request.
    Cgi,
    Rust(hosts::Kind),
    Python(python::Kind),
}

/// A server behind an nginx.
#[derive(Debug)]
pub(super) struct Site {
    pub nginx: Nginx,
    server: Server,
    between: Option<Haproxy>,
}

#[derive(Debug)]
enum Server {
    Gatewayd(Gatewayd),
    Host(Host),
    Apache(Apache),
}

/// All servers; the first is the one that the others are compared with.
///
/// # Panics
/// When the workspace's own lock cannot be read, or a program is not installed.
#[must_use]
pub fn places() -> Vec<Place> {
    use Under::{Cgi, Front, FrontHost, Python, Rust};
    let own = || locked("gateway-server");
    let place = |name, version, manners, under| Place {
        name,
        version,
        manners,
        under,
    };
    let gatewayd = |name, manners, under| place(name, own(), manners, under);
    let rust = |name: &'static str, manners, kind| place(name, locked(name), manners, Rust(kind));
    let python =
        |name, version: &str, kind| place(name, listed(version), Manners::of(kind), Python(kind));
    vec![
        gatewayd("gatewayd, HTTP/1.1", Manners::EXACT, Under::Gatewayd),
        gatewayd("gatewayd, unix socket", Manners::EXACT, Under::GatewaydUnix),
        gatewayd("gatewayd, h2c", Manners::HTTP2, Under::GatewaydHttp2),
        gatewayd("gatewayd, FastCGI", Manners::FASTCGI, Front("fastcgi")),
        gatewayd(
            "gatewayd, SCGI",
            Manners::FASTCGI.always_with_length(),
            Front("scgi"),
        ),
        gatewayd("gatewayd, uwsgi", Manners::FASTCGI, Front("uwsgi")),
        rust("hyper", Manners::HYPER, hosts::Kind::Hyper),
        rust("axum", Manners::HYPER, hosts::Kind::Axum),
        rust("actix-web", Manners::MAPPED, hosts::Kind::Actix),
        gatewayd(
            "front-host, FastCGI",
            Manners::VARIABLES,
            FrontHost("fastcgi"),
        ),
        gatewayd(
            "front-host, SCGI",
            Manners::VARIABLES.always_with_length(),
            FrontHost("scgi"),
        ),
        gatewayd("front-host, uwsgi", Manners::VARIABLES, FrontHost("uwsgi")),
        place("Apache, CGI", apache_version(), Manners::CGI, Cgi),
        python("Gunicorn", "gunicorn", python::Kind::Gunicorn),
        python(
            "Gunicorn, threads",
            "gunicorn",
            python::Kind::GunicornThreads,
        ),
        python("uWSGI", "pyuwsgi", python::Kind::Uwsgi),
        python("Granian, WSGI", "granian", python::Kind::Granian),
        python("Granian, ASGI", "granian", python::Kind::GranianAsgi),
        python("uvicorn", "uvicorn", python::Kind::Uvicorn),
    ]
}

/// The version in Cargo.lock.
fn locked(name: &str) -> String {
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock");
    let entry = lock.split_once(&format!("name = \"{name}\"\nversion = \""));
    let version = entry.and_then(|(_, rest)| rest.split('"').next());
    version.unwrap_or("?").to_owned()
}

/// The version of one of Python's servers.
fn listed(name: &str) -> String {
    let list = root().join("adapters/python/tests/requirements.txt");
    let list = fs::read_to_string(list).expect("the list of Python's servers");
    let mut lines = list.lines().filter_map(|line| line.split_once("=="));
    let version = lines.find(|(other, _)| *other == name);
    version.map_or("?", |(_, version)| version).to_owned()
}

fn apache_version() -> String {
    let output = Command::new("/usr/sbin/apache2").arg("-v").output();
    let said = output
        .expect("apache2 to be installed: run tests/run")
        .stdout;
    let said = String::from_utf8_lossy(&said).into_owned();
    let version = said
        .split("Apache/")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    version.unwrap_or("?").to_owned()
}

impl Place {
    /// Whether it is the server that the others are compared with.
    #[must_use]
    pub(super) fn is_reference(&self) -> bool {
        self.under == Under::Gatewayd
    }

    /// Serves a module behind an nginx, in a folder of its own; `blog` has the blog's files.
    pub(super) fn serve(&self, module: &Path, blog: &Path, folder: &Path) -> Site {
        let settings = settings(folder, blog);
        let environment = settings
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let gatewayd = |bind: &str| {
            let mut command = program();
            command.args(["--lint", "--workers", "1", "--bind", bind]);
            Server::Gatewayd(Gatewayd::start(command.arg(module).envs(environment)))
        };
        let server = match self.under {
            Under::Gatewayd | Under::GatewaydHttp2 => gatewayd("127.0.0.1:0"),
            Under::GatewaydUnix => gatewayd(&format!("unix:{}/app.sock", folder.display())),
            // One of each kind of place.
            Under::Front("fastcgi") => gatewayd("fastcgi://127.0.0.1:0"),
            Under::Front(protocol) => {
                gatewayd(&format!("{protocol}://unix:{}/app.sock", folder.display()))
            }
            Under::Rust(kind) => Server::Host(kind.serve(module, &environment)),
            Under::FrontHost(protocol) => {
                Server::Host(hosts::front(protocol, module, &environment))
            }
            Under::Python(kind) => Server::Host(kind.serve(module, &environment)),
            Under::Cgi => Server::Apache(apache(module, &environment, folder)),
        };
        let (mut address, mut between) = (server.address().clone(), None);
        if self.under == Under::GatewaydHttp2 {
            let relay = Relay {
                from: "127.0.0.1",
                listening: "\n mode http",
                to: &address,
                sending: "proto h2",
            };
            let haproxy = Haproxy::relay(&[relay], folder);
            address = haproxy.addresses[0].clone();
            between = Some(haproxy);
        }
        Site {
            nginx: Nginx::serve(&self.under.site(&address), folder),
            server,
            between,
        }
    }
}

impl Under {
    /// What nginx is told of a server at this address.
    ///
    /// # Panics
    /// When `deploy/` has no file for the protocol.
    #[must_use]
    pub fn site(self, address: &Address) -> String {
        let place = address.to_string();
        let (Self::Front(protocol) | Self::FrontHost(protocol)) = self else {
            // uWSGI's http-socket closes connections without a word.
            let (kept, connection) = match self {
                Self::Python(python::Kind::Uwsgi) => ("", "close"),
                _ => ("keepalive 16;", "''"),
            };
            return SITE
                .replace("@upstream@", &place)
                .replace("@kept@", kept)
                .replace("@connection@", connection);
        };
        let file = root().join(format!("deploy/nginx/{protocol}.conf"));
        let text = fs::read_to_string(file).expect("a file of deploy/");
        let own = ["server 127.0.0.1:9000;", "unix:/run/gatewayd/app.sock;"];
        assert!(own.iter().any(|own| text.contains(own)), "{text}");
        text.replace(own[0], &format!("server {place};"))
            .replace(own[1], &format!("{place};"))
            .replace("listen 80;", "listen 80; client_max_body_size 64m;")
    }
}

impl Site {
    /// Ends the server: which of the interface's rules it has seen broken, if it looks at them.
    pub(super) fn end(self) -> Vec<String> {
        // Who is behind a proxy that keeps connections would wait for it.
        drop((self.nginx, self.between));
        let said = match self.server {
            Server::Gatewayd(gatewayd) => gatewayd.stop().1,
            Server::Host(host) => host.words(),
            Server::Apache(apache) => apache.said(),
        };
        let is_breach = |line: &&str| line.contains("ERROR [") || line.contains("ERROR gateway: [");
        // How long a poll takes is the machine's affair here.
        let breaches = said.lines().filter(is_breach);
        let breaches = breaches.filter(|line| !line.contains("[CALL-05]"));
        breaches.map(str::to_owned).collect()
    }
}

impl Server {
    fn address(&self) -> &Address {
        match self {
            Self::Gatewayd(gatewayd) => &gatewayd.address,
            Self::Host(host) => &host.address,
            Self::Apache(apache) => &apache.address,
        }
    }
}

/// What applications are told by their environment; the folder is opened to the users of web servers.
fn settings(folder: &Path, blog: &Path) -> [(&'static str, String); 3] {
    open_to_all(folder);
    let database = folder.join("blog.sqlite").display().to_string();
    let key = "of no worth to anybody but those who test".to_owned();
    [
        ("BLOG_DATABASE", database),
        ("CARGO_MANIFEST_DIR", blog.display().to_string()),
        ("BLOG_SECRET_KEY", key),
    ]
}

/// The blog's templates and files, copied into a folder where other users may read them.
pub(super) fn blog_in(folder: &Path) -> PathBuf {
    open_to_all(folder);
    let source = root().join("examples/blog");
    let copied = Command::new("cp")
        .arg("-r")
        .arg(source)
        .arg(folder)
        .status();
    assert!(copied.is_ok_and(|status| status.success()), "cp");
    folder.join("blog")
}

fn open_to_all(folder: &Path) {
    let everybody = Permissions::from_mode(0o777);
    fs::set_permissions(folder, everybody).expect("to open a folder to all");
}

/// An Apache with the file of `deploy/` for CGI.
fn apache(module: &Path, environment: &[(&str, &str)], folder: &Path) -> Apache {
    let script = cgi::script(module, folder);
    open_to_all(folder);
    assert!(script.ends_with("app.cgi"));
    let text = fs::read_to_string(root().join("deploy/apache/cgi.conf")).expect("a file");
    assert!(text.contains("/srv/app"), "{text}");
    let mut site = text.replace("/srv/app", &folder.display().to_string());
    site.push_str("ScriptSock @folder@/cgi.sock\nSetEnv GATEWAY_CGI_LINT 1\n");
    for (name, value) in environment {
        let _ = writeln!(site, "SetEnv {name} \"{value}\"");
    }
    Apache::serve(&site, &["alias", "cgid", "env"], folder)
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
