//! Metrics, health, and who is told of them.

use std::path::Path;
use std::time::Duration;

use super::durations::DAY;
use crate::config::setting::{Applies, Field, Group, Setting};
use crate::config::spelled::{Perhaps, Spelled};
use crate::net::ListenAddress;
use crate::value::{CollectorUrl, DatagramPlace, MetricPrefix, ServiceName};

pub(super) static OBSERVING: &[Setting] = &[
    Setting {
        name: "admin",
        short: None,
        group: Group::Observing,
        field: Field::Of(&Perhaps(|c| &mut c.admin)),
        default: "",
        help: "Answer operators at this address, from a process of its own: /metrics, /livez, /readyz, \
               /status.json and a status page. Whoever reaches it may read everything there; a unix \
               socket has the mode 0600 and the owner that unix-owner names",
        applies: Applies::Restart,
    },
    Setting {
        name: "metric-series",
        short: None,
        group: Group::Observing,
        field: Field::Count(0..=10_000, |c| &mut c.metric_series),
        default: "1000",
        help: "Most series of metrics that an application may have in a worker, each combination of labels \
               being one; more are refused, and the application is told. 0 lets applications have none",
        applies: Applies::Reload,
    },
    Setting {
        name: "trace-to",
        short: None,
        group: Group::Observing,
        field: Field::Of(&Perhaps(|c| &mut c.trace_to)),
        default: "",
        help: "Send a span for each request to the OpenTelemetry collector at this address, by OTLP over \
               HTTP. Needs a gatewayd that was built with the feature `opentelemetry`",
        applies: Applies::Reload,
    },
    Setting {
        name: "trace-sample",
        short: None,
        group: Group::Observing,
        field: Field::Count(1..=1_000_000, |c| &mut c.trace_sample),
        default: "1",
        help: "Trace one of so many requests, unless a trusted proxy has decided for a request",
        applies: Applies::Reload,
    },
    Setting {
        name: "trace-queue",
        short: None,
        group: Group::Observing,
        field: Field::Count(1..=1_000_000, |c| &mut c.trace_queue),
        default: "2048",
        help: "Most spans of a worker that wait for being sent; more are dropped",
        applies: Applies::Reload,
    },
    Setting {
        name: "trace-service",
        short: None,
        group: Group::Observing,
        field: Field::Of(&Perhaps(|c| &mut c.trace_service)),
        default: "",
        help: "The name that the collector knows this service by; otherwise OTEL_SERVICE_NAME, or what the \
               application calls itself",
        applies: Applies::Reload,
    },
    Setting {
        name: "statsd",
        short: None,
        group: Group::Observing,
        field: Field::Of(&Perhaps(|c| &mut c.statsd)),
        default: "",
        help: "Send metrics to the StatsD server at this address, in datagrams",
        applies: Applies::Restart,
    },
    Setting {
        name: "statsd-interval",
        short: None,
        group: Group::Observing,
        field: Field::Time(Duration::from_millis(100)..=DAY, |c| &mut c.statsd_interval),
        default: "10s",
        help: "How often metrics are sent to the StatsD server",
        applies: Applies::Restart,
    },
    Setting {
        name: "statsd-prefix",
        short: None,
        group: Group::Observing,
        field: Field::Of(&Perhaps(|c| &mut c.statsd_prefix)),
        default: "gatewayd",
        help: "What the names of the metrics begin with that are sent to the StatsD server",
        applies: Applies::Restart,
    },
    Setting {
        name: "statsd-tags",
        short: None,
        group: Group::Observing,
        field: Field::Switch(|c| &mut c.statsd_tags),
        default: "false",
        help: "Send labels as DogStatsD's tags instead of as parts of the name",
        applies: Applies::Restart,
    },
];

impl Spelled for ListenAddress {
    const FORM: &'static str = "`ADDRESS:PORT`, `[IPV6]:PORT` or `unix:/PATH`";
    const PLACEHOLDER: &'static str = "ADDRESS";

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    fn anchored(text: &str, folder: &Path) -> String {
        match text.strip_prefix("unix:") {
            Some(path) if !path.is_empty() => format!("unix:{}", folder.join(path).display()),
            _ => text.to_owned(),
        }
    }
}

impl Spelled for CollectorUrl {
    const FORM: &'static str = "`http://HOST:PORT`, with a path if that is not `/v1/traces`";
    const PLACEHOLDER: &'static str = "URL";

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text).filter(|_| cfg!(feature = "opentelemetry"))
    }

    fn expected() -> &'static str {
        if cfg!(feature = "opentelemetry") {
            Self::FORM
        } else {
            "nothing, for this gatewayd was built without the feature `opentelemetry`"
        }
    }
}

impl Spelled for ServiceName {
    const FORM: &'static str = "at most 255 visible characters";
    const PLACEHOLDER: &'static str = "NAME";

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

impl Spelled for DatagramPlace {
    const FORM: &'static str = "`HOST:PORT` for UDP, or `unix:/PATH`";
    const PLACEHOLDER: &'static str = "ADDRESS";

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

impl Spelled for MetricPrefix {
    const FORM: &'static str = "letters, digits, dots, dashes and underscores";
    const PLACEHOLDER: &'static str = "NAME";

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}
