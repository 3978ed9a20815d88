//! Sockets, workers and the application.

use std::time::Duration;

use super::durations::YEAR;
use crate::config::setting::{Accounts, Applies, Field, Group, Setting};
use crate::value::ByteCount;

pub(super) static SERVING: &[Setting] = &[
    Setting {
        name: "bind",
        short: Some('b'),
        group: Group::Serving,
        field: Field::Addresses(|c| &mut c.bind),
        default: "127.0.0.1:8000",
        help: "Listen on ADDRESS:PORT, [IPV6]:PORT or unix:/PATH, on a socket that the server is started \
               with, fd://N, or on those of systemd's socket activation, systemd or systemd:NAME; may be \
               repeated. [::]:PORT takes IPv4 as well. With https:// before it TLS is spoken there, with \
               redirect:// every request is sent on to https, with fastcgi://, scgi:// or uwsgi:// the server \
               stands behind a web server that speaks that, with proxy+http://, proxy+https:// or \
               proxy+redirect:// connections of trusted-proxies begin with a header of the PROXY protocol",
        applies: Applies::Reload,
    },
    Setting {
        name: "unix-mode",
        short: None,
        group: Group::Serving,
        field: Field::Mode(|c| &mut c.unix_mode),
        default: "0666",
        help: "Permissions of the unix sockets that the server makes. The default lets everybody connect \
               who can reach the path, like a TCP port of this machine: proxies run as another user",
        applies: Applies::Reload,
    },
    Setting {
        name: "unix-owner",
        short: None,
        group: Group::Serving,
        field: Field::Account(Accounts::Both, |c| &mut c.unix_owner),
        default: "",
        help: "User, group or both that the unix sockets are to belong to; only root can give them away",
        applies: Applies::Reload,
    },
    Setting {
        name: "workers",
        short: Some('w'),
        group: Group::Serving,
        field: Field::Workers(0..=MAX_WORKERS, |c| &mut c.workers),
        default: "auto",
        help: "Number of worker processes; auto is one for each core. With 0 the application is \
               served in this one process, for debuggers and profilers",
        applies: Applies::Reload,
    },
    Setting {
        name: "max-connections",
        short: None,
        group: Group::Serving,
        field: Field::Count(1..=1_000_000, |c| &mut c.max_connections),
        default: "10000",
        help: "Connections that one worker keeps open at most; more wait in the backlog",
        applies: Applies::Reload,
    },
    Setting {
        name: "backlog",
        short: None,
        group: Group::Serving,
        field: Field::Count(1..=65_535, |c| &mut c.backlog),
        default: "2048",
        help: "Connections that may wait to be accepted, for each address; the kernel caps it at \
               net.core.somaxconn",
        applies: Applies::Reload,
    },
    Setting {
        name: "max-requests",
        short: None,
        group: Group::Serving,
        field: Field::Count(0..=u32::MAX, |c| &mut c.max_requests),
        default: "0",
        help: "Replace a worker after about so many requests; it serves until another is ready. 0 \
               never does",
        applies: Applies::Reload,
    },
    Setting {
        name: "max-age",
        short: None,
        group: Group::Serving,
        field: Field::Time(Duration::ZERO..=YEAR, |c| &mut c.max_age),
        default: "0s",
        help: "Replace a worker after about so long; 0 never does",
        applies: Applies::Reload,
    },
    Setting {
        name: "max-rss",
        short: None,
        group: Group::Serving,
        field: Field::Bytes(ByteCount(0)..=ByteCount(1 << 50), |c| &mut c.max_rss),
        default: "0",
        help: "Replace a worker that holds about so much memory; looked at once a second. 0 never does",
        applies: Applies::Reload,
    },
    Setting {
        name: "recycle-jitter",
        short: None,
        group: Group::Serving,
        field: Field::Count(0..=100, |c| &mut c.recycle_jitter),
        default: "20",
        help: "Percentage by which chance may lower each worker's own max-requests, max-age and \
               max-rss, so that they are not reached together",
        applies: Applies::Reload,
    },
    Setting {
        name: "pid",
        short: None,
        group: Group::Serving,
        field: Field::File(|c| &mut c.pid),
        default: "",
        help: "Write the number of the master process to the file PATH, and hold it for as long as the \
               server runs: another server with the same file does not start",
        applies: Applies::Restart,
    },
    Setting {
        name: "control",
        short: None,
        group: Group::Serving,
        field: Field::File(|c| &mut c.control),
        default: "",
        help: "Take commands of gatewayd ctl on the unix socket PATH, from root and from the user that the \
               server runs as. A server that cannot have it goes on without",
        applies: Applies::Restart,
    },
    Setting {
        name: "reload",
        short: None,
        group: Group::Serving,
        field: Field::Switch(|c| &mut c.reload),
        default: "false",
        help: "Reload, as HUP does, when the application's or the configuration's file has changed and \
               stays so for a moment; a server of one process does not",
        applies: Applies::Reload,
    },
    Setting {
        name: "snapshot-dir",
        short: None,
        group: Group::Serving,
        field: Field::File(|c| &mut c.snapshot_dir),
        default: "",
        help: "Copy the application into this folder instead of into memory: for one whose libraries are \
               looked for beside it ($ORIGIN), or where nothing may be executed from memory. A copy is \
               removed at the next reload, or at the end, once no worker uses it",
        applies: Applies::Reload,
    },
    Setting {
        name: "lint",
        short: None,
        group: Group::Serving,
        field: Field::Switch(|c| &mut c.lint),
        default: "false",
        help: "Check every call between server and application against the specification and log \
               what breaks it; slow, for development",
        applies: Applies::Reload,
    },
    Setting {
        name: "http1-only",
        short: None,
        group: Group::Serving,
        field: Field::Switch(|c| &mut c.http1_only),
        default: "false",
        help: "Speak no HTTP/2, not even with clients that begin with it",
        applies: Applies::Reload,
    },
];

/// Most worker processes of one server.
pub(crate) const MAX_WORKERS: u32 = 512;
