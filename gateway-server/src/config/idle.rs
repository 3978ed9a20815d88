//! Settings that somebody has given and that do nothing, because another one is missing.

use super::apps::AppOrigins;
use super::origin::Origin;
use super::{Config, SETTINGS};
use crate::net::{ListenAddress, Place, Scheme};
use crate::value::Sandbox;

/// A line for each; `origins` are those of the settings, `apps` those of what applications have of their own.
pub(super) fn told(config: &Config, origins: &[Origin], apps: &[AppOrigins]) -> Vec<String> {
    let mut lines = of_server(config, origins);
    for (app, origins) in config.all_apps().zip(apps) {
        let mut alone = app.applied(config);
        (alone.apps, alone.pools) = (vec![app.clone()], Vec::new());
        for (own, origin) in app.own.iter().zip(&origins.own) {
            let needs = NEEDS.iter().filter(|one| one.settings.contains(&own.name));
            lines.extend(needs.filter(|one| !(one.met)(&alone)).map(|one| {
                let lead = origin.lead(&format!("app.{}", own.name));
                format!("{lead}: it does nothing without {}", one.what)
            }));
        }
    }
    lines
}

fn of_server(config: &Config, origins: &[Origin]) -> Vec<String> {
    let mut lines = Vec::new();
    for (setting, origin) in SETTINGS.iter().zip(origins) {
        let needs = NEEDS
            .iter()
            .filter(|one| one.settings.contains(&setting.name));
        let missing = needs.filter(|_| *origin != Origin::Default);
        lines.extend(missing.filter(|one| !(one.met)(config)).map(|one| {
            let lead = origin.lead(setting.name);
            format!("{lead}: it does nothing without {}", one.what)
        }));
    }
    lines
}

/// What settings need to have an effect.
struct Need {
    settings: &'static [&'static str],
    what: &'static str,
    met: fn(&Config) -> bool,
}

const NEEDS: &[Need] = &[
    Need {
        settings: &["request-id-field", "proxy-hops", "proxy-fields"],
        what: "trusted-proxies",
        met: |config| !config.trusted_proxies.is_empty(),
    },
    Need {
        settings: &[
            "access-log-always",
            "access-log-format",
            "access-log-sample",
            "access-log-slow",
        ],
        what: "access-log",
        met: |config| config.access_log.is_some(),
    },
    Need {
        settings: &["sandbox-write", "sandbox-connect"],
        what: "sandbox",
        met: |config| config.sandbox != Sandbox::Off,
    },
    Need {
        settings: &["static-immutable", "static-max-age"],
        what: "static",
        met: |config| !config.static_mounts.is_empty(),
    },
    Need {
        settings: &["compress-min-size", "compress-types"],
        what: "compress",
        met: |config| config.compress.is_some(),
    },
    Need {
        settings: &["queue"],
        what: "max-requests-in-flight",
        met: |config| {
            let mut apps = config.all_apps().map(|app| app.applied(config));
            apps.any(|applied| applied.max_requests_in_flight > 0)
        },
    },
    Need {
        settings: &["recycle-jitter"],
        what: "max-requests, max-age or max-rss",
        met: |config| config.max_requests > 0 || !config.max_age.is_zero() || config.max_rss.0 > 0,
    },
    Need {
        settings: &["statsd-interval", "statsd-prefix", "statsd-tags"],
        what: "statsd",
        met: |config| config.statsd.is_some(),
    },
    Need {
        settings: &["trace-queue", "trace-sample", "trace-service"],
        what: "trace-to",
        met: |config| config.trace_to.is_some(),
    },
    Need {
        settings: &["metric-series"],
        what: "admin or statsd",
        met: Config::is_observed,
    },
    Need {
        settings: &["limit-request-line"],
        what: "a limit-request-head as large as it",
        met: |config| config.limit_request_line <= config.limit_request_head,
    },
    Need {
        settings: &["limit-request-field-size"],
        what: "a limit-request-head as large as it",
        met: |config| config.limit_request_field_size <= config.limit_request_head,
    },
    Need {
        settings: &[
            "tls-min-version",
            "tls-client-ca",
            "tls-crl",
            "tls-ticket-lifetime",
        ],
        what: "a bind that begins with https://",
        met: |config| config.tls_files().is_some(),
    },
    Need {
        settings: &["redirect-port"],
        what: "a bind that begins with redirect://",
        met: |config| config.speaks(Scheme::Redirect),
    },
    Need {
        settings: &["http2-streams", "http2-stream-window", "http2-window"],
        what: "HTTP/2, which http1-only turns off",
        met: |config| !config.http1_only,
    },
    Need {
        settings: &["unix-mode"],
        what: "a bind that is a unix socket of the server's own",
        met: |config| {
            let mut binds = config.each_pool().flat_map(|(_, pool)| &pool.bind);
            binds.any(|bind| matches!(&bind.place, Place::Address(ListenAddress::Unix(_))))
        },
    },
    Need {
        settings: &["hook-timeout"],
        what: "a hook",
        met: |config| {
            let hooks = [
                &config.hook_boot,
                &config.hook_ready,
                &config.hook_reload,
                &config.hook_worker_exit,
            ];
            hooks.iter().any(|hook| hook.is_some())
        },
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(texts: &[(&str, &str)]) -> Vec<String> {
        let origin = |name: &str| match texts.iter().any(|(given, _)| *given == name) {
            true => Origin::Flag(format!("--{name}")),
            false => Origin::Default,
        };
        let origins: Vec<_> = SETTINGS.iter().map(|one| origin(one.name)).collect();
        told(&Config::of(texts), &origins, &[])
    }

    #[test]
    fn what_is_needed_exists() {
        for need in NEEDS {
            for name in need.settings {
                assert!(SETTINGS.iter().any(|one| one.name == *name), "{name}");
            }
        }
    }

    #[test]
    fn what_was_given_and_does_nothing_is_told_and_nothing_else() {
        assert_eq!(lines(&[]), [""; 0]);
        let given = [("queue", "5"), ("statsd-prefix", "shop"), ("workers", "1")];
        let idle = [
            "--queue (command line): it does nothing without max-requests-in-flight",
            "--statsd-prefix (command line): it does nothing without statsd",
        ];
        assert_eq!(lines(&given), idle);
        for pair in [
            [
                ("limit-request-line", "64KiB"),
                ("limit-request-head", "32KiB"),
            ],
            [("sandbox-connect", "udp"), ("sandbox", "off")],
            [("access-log-slow", "1s"), ("access-log-sample", "1")],
            [("tls-min-version", "1.3"), ("bind", "127.0.0.1:0")],
        ] {
            assert!(!lines(&pair).is_empty(), "{pair:?}");
        }
        for pair in [
            [
                ("limit-request-line", "16KiB"),
                ("limit-request-head", "32KiB"),
            ],
            [("sandbox-connect", "udp"), ("sandbox", "possible")],
            [("access-log-slow", "1s"), ("access-log", "-")],
            [("tls-min-version", "1.3"), ("bind", "https://127.0.0.1:0")],
            [("unix-mode", "0600"), ("bind", "unix:/run/a")],
            [("max-requests", "5"), ("recycle-jitter", "5")],
        ] {
            assert_eq!(lines(&pair), [""; 0], "{pair:?}");
        }
    }
}
