//! How large and how many things may be.

use std::ops::RangeInclusive;

use crate::config::setting::{Applies, Field, Group, Setting};
use crate::value::ByteCount;

pub(super) static LIMITS: &[Setting] = &[
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
];

/// Windows of flow control: from HTTP/2's own first one to its largest (RFC 9113 §6.9).
const WINDOW: RangeInclusive<ByteCount> = ByteCount(65_535)..=ByteCount((1 << 31) - 1);
