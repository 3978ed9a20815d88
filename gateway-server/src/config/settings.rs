//! Every setting of the server, declared once: the command line, the environment, `--help` and the
//! worker's copy of the configuration are all made from this table.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::setting::{Accounts, Applies, Field, Group, Setting};
use crate::value::ByteCount;

/// All settings, in the order of `--help`.
pub(crate) static SETTINGS: &[Setting] = &[
    Setting {
        name: "bind",
        short: Some('b'),
        group: Group::Serving,
        field: Field::Addresses(|c| &mut c.bind),
        default: "127.0.0.1:8000",
        help: "Listen on ADDRESS:PORT, [IPV6]:PORT or unix:/PATH, on a socket that the server is started \
               with, fd://N, or on those of systemd's socket activation, systemd or systemd:NAME; may be \
               repeated. [::]:PORT takes IPv4 as well. With https:// before it TLS is spoken there, with \
               redirect:// every request is sent on to https",
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
               removed once no worker uses it",
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
        name: "trusted-proxies",
        short: None,
        group: Group::Proxies,
        field: Field::Peers(|c| &mut c.trusted_proxies),
        default: "",
        help: "Believe what the other end of a connection says of the client for whom it asks, if it has \
               one of these addresses; unix believes whoever connects to a unix socket. Everybody else's \
               word counts for nothing; may be repeated",
        applies: Applies::Reload,
    },
    Setting {
        name: "proxy-fields",
        short: None,
        group: Group::Proxies,
        field: Field::ProxyFields(|c| &mut c.proxy_fields),
        default: "x-forwarded-for,x-forwarded-proto",
        help: "Fields in which trusted proxies say it. Name only those that the proxies set whatever a client \
               has sent: a field that they pass on is the client's word; may be repeated",
        applies: Applies::Reload,
    },
    Setting {
        name: "proxy-hops",
        short: None,
        group: Group::Proxies,
        field: Field::Count(0..=32, |c| &mut c.proxy_hops),
        default: "0",
        help: "Number of proxies in a row, where not all their addresses are known: the client is so many \
               from the end of the list. With 0 it is the last one who is no trusted proxy",
        applies: Applies::Reload,
    },
    Setting {
        name: "user",
        short: None,
        group: Group::Process,
        field: Field::Account(Accounts::User, |c| &mut c.user),
        default: "",
        help: "User that the workers become before they load the application, with its groups; the \
               server has to be started as root",
        applies: Applies::Reload,
    },
    Setting {
        name: "group",
        short: None,
        group: Group::Process,
        field: Field::Account(Accounts::Group, |c| &mut c.group),
        default: "",
        help: "Group that the workers become instead of the user's own",
        applies: Applies::Reload,
    },
    Setting {
        name: "umask",
        short: None,
        group: Group::Process,
        field: Field::Mode(|c| &mut c.umask),
        default: "",
        help: "Permissions that files of the workers never have, instead of the umask of the start",
        applies: Applies::Reload,
    },
    Setting {
        name: "tls-cert",
        short: None,
        group: Group::Tls,
        field: Field::Files(|c| &mut c.tls_cert),
        default: "",
        help: "Certificate for https addresses, in PEM, with those that lead to its root behind it; or a \
               folder of NAME.crt or NAME.pem with NAME.key, or of NAME/fullchain.pem with \
               NAME/privkey.pem. May be repeated: clients get the one for the name that they ask for, \
               else the first",
        applies: Applies::Reload,
    },
    Setting {
        name: "tls-key",
        short: None,
        group: Group::Tls,
        field: Field::Files(|c| &mut c.tls_key),
        default: "",
        help: "Private key of a certificate that is a file, in PEM; repeated in the same order. Without \
               one it is looked for in the certificate's file",
        applies: Applies::Reload,
    },
    Setting {
        name: "tls-min-version",
        short: None,
        group: Group::Tls,
        field: Field::TlsVersion(|c| &mut c.tls_min_version),
        default: "1.2",
        help: "Oldest version of TLS that is spoken",
        applies: Applies::Reload,
    },
    Setting {
        name: "tls-client-auth",
        short: None,
        group: Group::Tls,
        field: Field::ClientAuth(|c| &mut c.tls_client_auth),
        default: "none",
        help: "Whether clients show certificates, which the application is told of. With optional a \
               client may have none; a bad one is refused",
        applies: Applies::Reload,
    },
    Setting {
        name: "tls-client-ca",
        short: None,
        group: Group::Tls,
        field: Field::File(|c| &mut c.tls_client_ca),
        default: "",
        help: "Certificates, in PEM, of those who sign clients' certificates",
        applies: Applies::Reload,
    },
    Setting {
        name: "tls-crl",
        short: None,
        group: Group::Tls,
        field: Field::File(|c| &mut c.tls_crl),
        default: "",
        help: "Lists, in PEM, of clients' certificates that are revoked",
        applies: Applies::Reload,
    },
    Setting {
        name: "tls-ticket-lifetime",
        short: None,
        group: Group::Tls,
        field: Field::Time(SECOND..=WEEK, |c| &mut c.tls_ticket_lifetime),
        default: "12h",
        help: "How long a TLS session can be resumed, at least; twice that at most. The keys of session \
               tickets are replaced as often. Where clients show certificates nothing is resumed",
        applies: Applies::Reload,
    },
    Setting {
        name: "redirect-port",
        short: None,
        group: Group::Tls,
        field: Field::Count(0..=65_535, |c| &mut c.redirect_port),
        default: "0",
        help: "Port that redirect:// addresses send clients to; 0 is that of the first https address",
        applies: Applies::Reload,
    },
    Setting {
        name: "handshake-timeout",
        short: None,
        group: Group::Timeouts,
        field: Field::Time(MILLISECOND..=DAY, |c| &mut c.handshake_timeout),
        default: "10s",
        help: "From connecting to the end of the TLS handshake",
        applies: Applies::Reload,
    },
    Setting {
        name: "head-timeout",
        short: None,
        group: Group::Timeouts,
        field: Field::Time(MILLISECOND..=DAY, |c| &mut c.head_timeout),
        default: "30s",
        help: "From the first byte of a request, or from connecting, to the end of its head",
        applies: Applies::Reload,
    },
    Setting {
        name: "body-timeout",
        short: None,
        group: Group::Timeouts,
        field: Field::Time(MILLISECOND..=DAY, |c| &mut c.body_timeout),
        default: "30s",
        help: "Longest pause within a request body that the application waits for",
        applies: Applies::Reload,
    },
    Setting {
        name: "keep-alive",
        short: None,
        group: Group::Timeouts,
        field: Field::Time(Duration::ZERO..=DAY, |c| &mut c.keep_alive),
        default: "75s",
        help: "How long a connection may be idle between requests; 0 closes it after each answer. \
               Keep it above that of a proxy in front (nginx: 60s)",
        applies: Applies::Reload,
    },
    Setting {
        name: "write-timeout",
        short: None,
        group: Group::Timeouts,
        field: Field::Time(MILLISECOND..=DAY, |c| &mut c.write_timeout),
        default: "30s",
        help: "Longest pause while a client takes nothing of an answer that waits for it",
        applies: Applies::Reload,
    },
    Setting {
        name: "request-timeout",
        short: None,
        group: Group::Timeouts,
        field: Field::Time(Duration::ZERO..=DAY, |c| &mut c.request_timeout),
        default: "0s",
        help: "How long the application may take from the end of a request's head to the end of its \
               own answer; then the request is cancelled and answered with 504, or broken off if its \
               answer has begun. 0 sets no limit",
        applies: Applies::Reload,
    },
    Setting {
        name: "linger",
        short: None,
        group: Group::Timeouts,
        field: Field::Time(Duration::ZERO..=MINUTE, |c| &mut c.linger),
        default: "2s",
        help: "How long a draining worker leaves idle connections open, so that a request already \
               on its way is answered",
        applies: Applies::Reload,
    },
    Setting {
        name: "drain-delay",
        short: None,
        group: Group::Timeouts,
        field: Field::Time(Duration::ZERO..=DAY, |c| &mut c.drain_delay),
        default: "0s",
        help: "After TERM, how long the server goes on serving before it stops: applications know \
               at once, so that a readiness check can fail, and a load balancer has time to notice",
        applies: Applies::Reload,
    },
    Setting {
        name: "graceful-timeout",
        short: None,
        group: Group::Timeouts,
        field: Field::Time(Duration::ZERO..=DAY, |c| &mut c.graceful_timeout),
        default: "30s",
        help: "How long a worker may take to finish its requests when it is stopped or replaced; 0 drops \
               them",
        applies: Applies::Reload,
    },
    Setting {
        name: "worker-timeout",
        short: None,
        group: Group::Timeouts,
        field: Field::Time(Duration::ZERO..=DAY, |c| &mut c.worker_timeout),
        default: "30s",
        help: "A worker whose event loop has been stuck for this long is replaced; 0 never does",
        applies: Applies::Reload,
    },
    Setting {
        name: "boot-timeout",
        short: None,
        group: Group::Timeouts,
        field: Field::Time(SECOND..=DAY, |c| &mut c.boot_timeout),
        default: "1m",
        help: "How long a worker may take from its start until the application is ready",
        applies: Applies::Reload,
    },
    Setting {
        name: "limit-request-line",
        short: None,
        group: Group::Limits,
        field: Field::Bytes(ByteCount(64)..=ByteCount(64 << 10), |c| {
            &mut c.limit_request_line
        }),
        default: "8190",
        help: "Longest request line; more is answered with 414",
        applies: Applies::Reload,
    },
    Setting {
        name: "limit-request-fields",
        short: None,
        group: Group::Limits,
        field: Field::Count(1..=4096, |c| &mut c.limit_request_fields),
        default: "100",
        help: "Most header fields in a request; more are answered with 431",
        applies: Applies::Reload,
    },
    Setting {
        name: "limit-request-field-size",
        short: None,
        group: Group::Limits,
        field: Field::Bytes(ByteCount(64)..=ByteCount(1 << 20), |c| {
            &mut c.limit_request_field_size
        }),
        default: "8190",
        help: "Longest header field, name and value together; more is answered with 431",
        applies: Applies::Reload,
    },
    Setting {
        name: "limit-request-head",
        short: None,
        group: Group::Limits,
        field: Field::Bytes(ByteCount(512)..=ByteCount(16 << 20), |c| {
            &mut c.limit_request_head
        }),
        default: "64KiB",
        help: "Longest request head, request line and all fields; more is answered with 431",
        applies: Applies::Reload,
    },
    Setting {
        name: "max-body",
        short: None,
        group: Group::Limits,
        field: Field::Bytes(ByteCount(0)..=ByteCount(1 << 50), |c| &mut c.max_body),
        default: "100MiB",
        help: "Longest request body; more is answered with 413",
        applies: Applies::Reload,
    },
    Setting {
        name: "min-body-rate",
        short: None,
        group: Group::Limits,
        field: Field::Bytes(ByteCount(0)..=ByteCount(1 << 30), |c| &mut c.min_body_rate),
        default: "240",
        help: "Bytes a second that a request body must bring while it is waited for, once it has \
               used up body-timeout; with 0 any byte is enough",
        applies: Applies::Reload,
    },
    Setting {
        name: "min-write-rate",
        short: None,
        group: Group::Limits,
        field: Field::Bytes(ByteCount(0)..=ByteCount(1 << 30), |c| &mut c.min_write_rate),
        default: "240",
        help: "Bytes a second that a client must take of an answer that waits for it, once it has \
               used up write-timeout; with 0 any byte is enough",
        applies: Applies::Reload,
    },
    Setting {
        name: "keep-alive-requests",
        short: None,
        group: Group::Limits,
        field: Field::Count(0..=1_000_000_000, |c| &mut c.keep_alive_requests),
        default: "0",
        help: "Requests on one connection, which the answer to the last one closes; 0 sets no limit",
        applies: Applies::Reload,
    },
    Setting {
        name: "max-requests-in-flight",
        short: None,
        group: Group::Limits,
        field: Field::Count(0..=1_000_000, |c| &mut c.max_requests_in_flight),
        default: "0",
        help: "Requests that the application of one worker works on at once. While there are so \
               many, the worker leaves new connections to others, and requests on those that it has \
               wait; 0 sets no limit but max-connections",
        applies: Applies::Reload,
    },
    Setting {
        name: "queue",
        short: None,
        group: Group::Limits,
        field: Field::Count(0..=1_000_000, |c| &mut c.queue),
        default: "100",
        help: "Requests of one worker that wait while max-requests-in-flight are worked on; more are \
               answered with 503 and Retry-After",
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
    Setting {
        name: "http2-streams",
        short: None,
        group: Group::Limits,
        field: Field::Count(1..=10_000, |c| &mut c.http2_streams),
        default: "100",
        help: "Requests that a connection in HTTP/2 may have at once",
        applies: Applies::Reload,
    },
    Setting {
        name: "http2-stream-window",
        short: None,
        group: Group::Limits,
        field: Field::Bytes(WINDOW, |c| &mut c.http2_stream_window),
        default: "256KiB",
        help: "Bytes of a request body in HTTP/2 that a client may send before the application has \
               taken any",
        applies: Applies::Reload,
    },
    Setting {
        name: "http2-window",
        short: None,
        group: Group::Limits,
        field: Field::Bytes(WINDOW, |c| &mut c.http2_window),
        default: "1MiB",
        help: "The same, for all bodies of a connection together",
        applies: Applies::Reload,
    },
    Setting {
        name: "access-log",
        short: None,
        group: Group::Logging,
        field: Field::Target(|c| &mut c.access_log),
        default: "",
        help: "Write a line for each request to the file PATH, or to standard output with -",
        applies: Applies::Reload,
    },
    Setting {
        name: "log-level",
        short: None,
        group: Group::Logging,
        field: Field::Level(|c| &mut c.log_level),
        default: "info",
        help: "Least severe messages that are written to standard error: error, warn, info, debug \
               or trace",
        applies: Applies::Reload,
    },
];

/// Most worker processes of one server.
pub(crate) const MAX_WORKERS: u32 = 512;

/// Windows of flow control: from HTTP/2's own first one to its largest (RFC 9113 §6.9).
const WINDOW: RangeInclusive<ByteCount> = ByteCount(65_535)..=ByteCount((1 << 31) - 1);
const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::config::Config;

    #[test]
    fn names_flags_and_variables_are_unique_and_well_formed() {
        let (mut names, mut shorts) = (HashSet::new(), HashSet::new());
        for setting in SETTINGS {
            assert!(
                names.insert(setting.name),
                "{} is declared twice",
                setting.name
            );
            let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            assert!(setting.name.bytes().all(is_plain), "{}", setting.name);
            assert!(
                setting.short.is_none_or(|short| shorts.insert(short)),
                "{}",
                setting.name
            );
        }
    }

    #[test]
    fn every_setting_explains_itself_in_one_line_of_prose() {
        for setting in SETTINGS {
            assert!(
                setting.help.len() > 20,
                "{} needs a help text",
                setting.name
            );
            assert!(
                setting.help.starts_with(|c: char| c.is_uppercase()),
                "{}",
                setting.name
            );
            assert!(
                !setting.help.ends_with('.') && !setting.help.contains("  "),
                "{}",
                setting.name
            );
            assert!(!setting.field.form().is_empty());
        }
    }

    #[test]
    fn every_default_is_accepted_and_shown_as_it_is_read() {
        let mut config = Config::blank();
        for setting in SETTINGS
            .iter()
            .filter(|setting| !setting.default.is_empty())
        {
            setting.set(&mut config, &[setting.default]).unwrap();
            if setting.default != "auto" {
                assert_eq!(
                    setting.show(&mut config).join(","),
                    setting.default,
                    "{}",
                    setting.name
                );
            }
        }
    }

    #[test]
    fn every_setting_refuses_nonsense_and_says_what_it_wants() {
        let mut config = Config::blank();
        for setting in SETTINGS
            .iter()
            .filter(|s| !matches!(s.field, Field::Target(_) | Field::File(_) | Field::Files(_)))
        {
            let refused = setting.set(&mut config, &["+nonsense"]).unwrap_err();
            assert_eq!(refused.expected, setting.field.form(), "{}", setting.name);
        }
    }
}
