//! What is written where.

use std::time::Duration;

use super::durations::DAY;
use crate::config::setting::{Applies, Field, Group, Setting};
use crate::config::spelled::{Perhaps, Spelled};
use crate::logging::{Always, Format};
use crate::value::{FieldName, LogFormat};

pub(super) static LOGGING: &[Setting] = &[
    Setting {
        name: "access-log",
        short: None,
        group: Group::Logging,
        field: Field::Target(|c| &mut c.access_log),
        default: "",
        help: "Write a line for each request to the file PATH, to standard output with -, or to a \
               system's log, by RFC 5424 in datagrams",
        applies: Applies::Reload,
    },
    Setting {
        name: "access-log-format",
        short: None,
        group: Group::Logging,
        field: Field::Of(&Perhaps(|c| &mut c.access_log_format)),
        default: "combined",
        help: "What a line of the access log says",
        applies: Applies::Reload,
    },
    Setting {
        name: "access-log-sample",
        short: None,
        group: Group::Logging,
        field: Field::Count(0..=1_000_000, |c| &mut c.access_log_sample),
        default: "1",
        help: "Write a line for one of so many requests of each worker; 0 for none but those that \
               access-log-always names",
        applies: Applies::Reload,
    },
    Setting {
        name: "access-log-always",
        short: None,
        group: Group::Logging,
        field: Field::Of(&Perhaps(|c| &mut c.access_log_always)),
        default: "",
        help: "Requests that have a line whatever access-log-sample says: by their status, or because they \
               took as long as access-log-slow",
        applies: Applies::Reload,
    },
    Setting {
        name: "access-log-slow",
        short: None,
        group: Group::Logging,
        field: Field::Time(Duration::ZERO..=DAY, |c| &mut c.access_log_slow),
        default: "1s",
        help: "How long a slow request takes, for access-log-always",
        applies: Applies::Reload,
    },
    Setting {
        name: "request-id-field",
        short: None,
        group: Group::Logging,
        field: Field::Of(&Perhaps(|c| &mut c.request_id_field)),
        default: "",
        help: "Take the id of a request from this field if a trusted proxy sends it, such as x-request-id; \
               without one, and for everybody else, the server makes it",
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
    Setting {
        name: "log-format",
        short: None,
        group: Group::Logging,
        field: Field::Of(&Perhaps(|c| &mut c.log_format)),
        default: "text",
        help: "How messages on standard error are written: for people, or each as an object of JSON in a \
               line of its own",
        applies: Applies::Restart,
    },
];

impl Spelled for Format {
    const FORM: &'static str = Self::FORM;
    const PLACEHOLDER: &'static str = "FORMAT";

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

impl Spelled for Always {
    const FORM: &'static str = Self::FORM;
    const PLACEHOLDER: &'static str = "KINDS";

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

impl Spelled for FieldName {
    const FORM: &'static str = "the name of a field";
    const PLACEHOLDER: &'static str = "FIELD";

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

impl Spelled for LogFormat {
    const FORM: &'static str = "`text` or `json`";
    const PLACEHOLDER: &'static str = "FORMAT";

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}
