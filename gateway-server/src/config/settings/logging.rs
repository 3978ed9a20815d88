//! What is written where.

use crate::config::setting::{Applies, Field, Group, Setting};

pub(super) static LOGGING: &[Setting] = &[
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
