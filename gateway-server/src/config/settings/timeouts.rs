//! How long things may take.

use std::time::Duration;

use super::durations::{DAY, MILLISECOND, MINUTE, SECOND};
use crate::config::setting::{Applies, Field, Group, Setting};

pub(super) static TIMEOUTS: &[Setting] = &[
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
];
