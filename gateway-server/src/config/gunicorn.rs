//! What Gunicorn calls otherwise, for whoever has its options in the fingers: `docs/from-gunicorn.md` in
//! short.

/// An option of Gunicorn's that is none here.
struct Theirs {
    /// In `gunicorn.conf.py`.
    name: &'static str,
    /// On its command line, long or short, unless it is the name with dashes.
    flags: &'static [&'static str],
    /// What it is here.
    ours: Ours,
    /// What to know beside it; where there is none, why not.
    words: &'static str,
}

enum Ours {
    Setting(&'static str),
    Command(&'static str),
    None,
}

/// Words for the end of a message about an option, `--timeout` or `-t` without its dashes, that is none
/// here but one of Gunicorn's.
pub(crate) fn flag_hint(option: &str) -> Option<String> {
    find(option).map(|one| one.words("--"))
}

/// The same for a key of the file, in its spelling or that of `gunicorn.conf.py`.
pub(super) fn key_hint(key: &str) -> Option<String> {
    (key.len() > 1).then(|| find(key))?.map(|one| one.words(""))
}

fn find(word: &str) -> Option<&'static Theirs> {
    let dashed = word.replace('_', "-");
    THEIRS
        .iter()
        .find(|one| one.name.replace('_', "-") == dashed || one.flags.contains(&&*dashed))
}

impl Theirs {
    fn words(&self, dashes: &str) -> String {
        let more = match self.words {
            "" => String::new(),
            words => format!(" ({words})"),
        };
        match self.ours {
            Ours::Setting(name) => format!("; did you mean `{dashes}{name}`?{more}"),
            Ours::Command(name) => format!("; did you mean the command `{name}`?{more}"),
            Ours::None => format!("; what Gunicorn means by it is not needed: {}", self.words),
        }
    }
}

const fn renamed(
    name: &'static str,
    flags: &'static [&'static str],
    ours: &'static str,
    words: &'static str,
) -> Theirs {
    Theirs {
        name,
        flags,
        ours: Ours::Setting(ours),
        words,
    }
}

const fn needless(
    name: &'static str,
    flags: &'static [&'static str],
    words: &'static str,
) -> Theirs {
    Theirs {
        name,
        flags,
        ours: Ours::None,
        words,
    }
}

const fn command(name: &'static str, ours: &'static str) -> Theirs {
    Theirs {
        name,
        flags: &[],
        ours: Ours::Command(ours),
        words: "",
    }
}

const THEIRS: &[Theirs] = &[
    renamed(
        "timeout",
        &["t"],
        "worker-timeout",
        "for a loop that is stuck; for a slow request `--request-timeout`",
    ),
    renamed("keepalive", &["keep-alive"], "keep-alive", ""),
    renamed(
        "worker_connections",
        &[],
        "max-connections",
        "at work at once: `--max-requests-in-flight`",
    ),
    renamed("max_requests_jitter", &[], "recycle-jitter", "in percent"),
    renamed("accesslog", &["access-logfile"], "access-log", ""),
    renamed(
        "access_log_format",
        &["access-logformat"],
        "access-log-format",
        "",
    ),
    renamed("loglevel", &[], "log-level", ""),
    renamed("statsd_host", &[], "statsd", ""),
    renamed("dogstatsd_tags", &[], "statsd-tags", ""),
    renamed(
        "syslog_addr",
        &["log-syslog-to"],
        "access-log",
        "`syslog:HOST:PORT`",
    ),
    renamed(
        "syslog",
        &["log-syslog"],
        "access-log",
        "`syslog:HOST:PORT`",
    ),
    renamed(
        "forwarded_allow_ips",
        &[],
        "trusted-proxies",
        "and `--proxy-fields`",
    ),
    renamed(
        "proxy_allow_ips",
        &["proxy-allow-from"],
        "trusted-proxies",
        "",
    ),
    renamed("secure_scheme_headers", &[], "proxy-fields", ""),
    renamed("forwarder_headers", &[], "proxy-fields", ""),
    renamed(
        "proxy_protocol",
        &[],
        "bind",
        "with `proxy+http://` before the address",
    ),
    renamed(
        "protocol",
        &[],
        "bind",
        "with `uwsgi://` or another before the address",
    ),
    renamed("pidfile", &["p"], "pid", ""),
    renamed("user", &["u"], "user", ""),
    renamed("group", &["g"], "group", ""),
    renamed("umask", &["m"], "umask", ""),
    renamed(
        "initgroups",
        &[],
        "groups",
        "all of the user's, unless these are named",
    ),
    renamed("raw_env", &[], "env", ""),
    renamed(
        "certfile",
        &[],
        "tls-cert",
        "with `https://` before the address of `--bind`",
    ),
    renamed(
        "keyfile",
        &[],
        "tls-key",
        "with `https://` before the address of `--bind`",
    ),
    renamed("ca_certs", &[], "tls-client-ca", ""),
    renamed("cert_reqs", &[], "tls-client-auth", ""),
    renamed("ssl_version", &[], "tls-min-version", ""),
    renamed(
        "http_protocols",
        &[],
        "http1-only",
        "HTTP/2 is spoken too unless that is set",
    ),
    renamed("http2_max_concurrent_streams", &[], "http2-streams", ""),
    renamed("http2_initial_window_size", &[], "http2-stream-window", ""),
    renamed("control_socket", &[], "control", ""),
    command("check_config", "check-config"),
    command("print_config", "print-config"),
    needless(
        "worker_class",
        &["k"],
        "there is one kind of worker, an event loop; what blocks runs on threads of the application's",
    ),
    needless("threads", &[], "they are the application's own"),
    needless(
        "preload_app",
        &["preload"],
        "the application is read once for all workers, and a reload always loads new code",
    ),
    needless(
        "daemon",
        &["D"],
        "supervisors want the process that they have started",
    ),
    needless(
        "proc_name",
        &["name", "n"],
        "workers are `gatewayd/1` and so on in `ps -c`",
    ),
    needless(
        "errorlog",
        &["error-logfile", "log-file"],
        "it is standard error, which supervisors keep",
    ),
    needless(
        "capture_output",
        &[],
        "what an application writes to standard error is where the server's lines are",
    ),
    needless(
        "reuse_port",
        &[],
        "all workers accept from one socket, so that nobody waits for a stuck one",
    ),
    needless(
        "sendfile",
        &["no-sendfile"],
        "files are always sent by the kernel",
    ),
    needless("worker_tmp_dir", &[], "heartbeats are in memory"),
    needless("reload_engine", &[], "the kernel tells what has changed"),
    needless(
        "reload_extra_files",
        &["reload-extra-file"],
        "`gatewayd dev` watches the whole package",
    ),
    needless(
        "spew",
        &[],
        "`--lint` shows what goes between server and application",
    ),
    needless("logger_class", &[], "applications log by the server"),
    needless(
        "logconfig",
        &["log-config"],
        "lines are chosen by `--log-level` and `--log-format`",
    ),
    needless("enable_stdio_inheritance", &["R"], "it is always so"),
    needless("pythonpath", &[], "it is for Python"),
    needless("paste", &["paster"], "it is for Python"),
    needless(
        "ciphers",
        &[],
        "they are the library's, in the server's order",
    ),
    needless("root_path", &[], "`mount` in the file's `[[app]]`"),
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::SETTINGS;

    fn is_setting(name: &str) -> bool {
        SETTINGS.iter().any(|one| one.name == name)
    }

    #[test]
    fn the_table_names_what_exists_and_says_what_the_page_says() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/from-gunicorn.md");
        let page = std::fs::read_to_string(path).unwrap();
        for one in THEIRS {
            let start = format!("| `{}`", one.name);
            let row = page.lines().find(|line| line.starts_with(&start));
            let row = row.unwrap_or_else(|| panic!("{} has no row", one.name));
            let ours = row.split('|').nth(2).unwrap().trim();
            match one.ours {
                Ours::Setting(name) => {
                    assert!(is_setting(name), "{name}");
                    assert!(ours.contains(&format!("`--{name}`")), "{row}");
                }
                Ours::Command(name) => assert_eq!(ours, format!("`gatewayd {name}`")),
                Ours::None if one.name == "root_path" => assert!(ours.contains("mount"), "{row}"),
                Ours::None => assert_eq!(ours, "-", "{row}"),
            }
            let quoted = one.words.split('`').skip(1).step_by(2);
            for flag in quoted.filter_map(|word| word.strip_prefix("--")) {
                assert!(is_setting(flag), "{}: {flag}", one.name);
            }
        }
    }

    #[test]
    fn options_are_found_long_short_and_as_keys() {
        let timeout = flag_hint("timeout").unwrap();
        assert!(timeout.starts_with("; did you mean `--worker-timeout`? (for a loop"));
        assert_eq!(flag_hint("t").unwrap(), timeout);
        let key = key_hint("max_requests_jitter").unwrap();
        assert_eq!(key, "; did you mean `recycle-jitter`? (in percent)");
        let check = flag_hint("check-config").unwrap();
        assert_eq!(check, "; did you mean the command `check-config`?");
        assert!(flag_hint("D").unwrap().contains("supervisors"));
        assert_eq!((key_hint("t"), flag_hint("wokers")), (None, None));
    }
}
