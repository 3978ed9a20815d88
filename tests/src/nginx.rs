//! An unprivileged nginx in front of a server under test, in a folder of its own.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal;

use crate::address::Address;
use crate::process::Process;

/// A running nginx that listens on a unix path and keeps its upstream connections alive.
#[derive(Debug)]
pub struct Nginx {
    /// Where it listens.
    pub address: Address,
    process: Process,
    folder: PathBuf,
}

impl Nginx {
    /// Starts nginx with `folder` for everything it writes.
    ///
    /// # Panics
    /// When it is not installed or does not come up.
    #[must_use]
    pub fn start(upstream: &Address, folder: &Path) -> Self {
        Self::serve(&SITE.replace("@upstream@", &upstream.to_string()), folder)
    }

    /// Starts nginx with what a site's file says; its `listen 80` is the unix path instead.
    ///
    /// # Panics
    /// When it is not installed or does not come up.
    #[must_use]
    pub fn serve(site: &str, folder: &Path) -> Self {
        Self::run(&CONFIGURATION.replace("@site@", site), folder)
    }

    /// Has it go by what another site's file says, as an operator does: a reload.
    pub fn go_by(&self, site: &str) {
        write(&CONFIGURATION.replace("@site@", site), &self.folder);
        self.process.signal(Signal::SIGHUP);
    }

    /// Starts nginx as a relay of bytes that introduces its clients in the PROXY protocol.
    ///
    /// # Panics
    /// When it is not installed or does not come up.
    #[must_use]
    pub fn relay(upstream: &Address, folder: &Path) -> Self {
        Self::run(&RELAY.replace("@upstream@", &upstream.to_string()), folder)
    }

    fn run(configuration: &str, folder: &Path) -> Self {
        let path = write(configuration, folder);
        let program = ["/usr/sbin/nginx", "/usr/bin/nginx"];
        let program = program.iter().find(|path| Path::new(path).exists());
        let mut command = Command::new(program.expect("nginx to be installed"));
        command
            .arg("-p")
            .arg(folder)
            .arg("-c")
            .arg(&path)
            .args(["-e", "stderr"]);
        let process = Process::start(&mut command);
        process.line_with("start worker process ", 0);
        Self {
            address: Address::Unix(folder.join(SOCKET)),
            process,
            folder: folder.to_owned(),
        }
    }

    /// The group of its worker, which is another user's if root has started it.
    ///
    /// # Panics
    /// When it has no worker.
    #[must_use]
    pub fn worker_group(&self) -> u32 {
        let master = self.process.pid();
        let list = fs::read_to_string(format!("/proc/{master}/task/{master}/children"));
        let list = list.expect("nginx to run");
        let worker = list.split_whitespace().next().expect("a worker");
        let found = fs::metadata(format!("/proc/{worker}")).expect("the worker to live");
        found.gid()
    }

    /// Everything nginx said: its error log.
    #[must_use]
    pub fn said(&self) -> String {
        self.process.said()
    }
}

/// Writes nginx's file, with a unix path of the folder to listen on.
fn write(configuration: &str, folder: &Path) -> PathBuf {
    assert!(configuration.contains("listen 80;"), "{configuration}");
    let socket = folder.join(SOCKET);
    let configuration = configuration
        .replace("listen 80;", &format!("listen unix:{};", socket.display()))
        .replace("@folder@", &folder.display().to_string());
    let path = folder.join("nginx.conf");
    fs::write(&path, configuration).expect("to write nginx.conf");
    path
}

const SOCKET: &str = "nginx.sock";

const CONFIGURATION: &str = "
daemon off;
worker_processes 1;
pid @folder@/nginx.pid;
error_log stderr notice;
events { worker_connections 512; }
http {
    access_log off;
    client_body_temp_path @folder@/client;
    proxy_temp_path @folder@/proxy;
    fastcgi_temp_path @folder@/fastcgi;
    uwsgi_temp_path @folder@/uwsgi;
    scgi_temp_path @folder@/scgi;
    @site@
}
";

const RELAY: &str = "
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
worker_processes 1;
pid @folder@/nginx.pid;
error_log stderr notice;
events { worker_connections 512; }
stream {
    server {
        listen 80;
        proxy_pass @upstream@;
        proxy_protocol on;
    }
}
";

const SITE: &str = "
# As nginx's own page on WebSockets says it.
map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
upstream gateway { server @upstream@; keepalive 16; }
server {
    listen 80;
    client_max_body_size 64m;
    location / {
        proxy_pass http://gateway;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        proxy_set_header Host $http_host;
        proxy_request_buffering off;
        proxy_next_upstream off;
    }
}
";
