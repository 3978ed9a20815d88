//! Harness of the whole-system tests: real processes, real sockets, deadlines everywhere.
//!
//! A failed expectation panics with what was expected and what came instead, and a program's own
//! output is part of the message.

pub mod address;
pub mod apache;
pub mod artefacts;
pub mod browser;
pub mod certificates;
pub mod cgi;
pub mod chaos;
pub mod client;
pub mod control_group;
pub mod curl;
mod devtools;
pub mod evenness;
pub mod frames;
pub mod fronts;
pub mod gatewayd;
#[cfg(doctest)]
pub mod guide;
pub mod haproxy;
pub mod hosts;
pub mod isolation;
pub mod judges;
pub mod lambda;
pub mod lighttpd;
pub mod load;
pub mod matrix;
pub mod network;
pub mod nginx;
mod notebook;
pub mod process;
pub mod python;
pub mod response;
pub mod soak;
pub mod starvation;
pub mod websocket;

use std::time::{Duration, Instant};

/// How long anything may take that ought to happen: it guards against waiting for ever, and measures nothing.
/// Compilers and valgrind on a busy machine need most of it.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// How long a server may take to end: less than its graceful timeout, at which it would end as well.
pub const END: Duration = Duration::from_secs(29);

/// Asks again and again, each time by a real request or system call, until the answer is yes.
///
/// # Panics
/// At the deadline.
pub fn until(what: &str, mut ask: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !ask() {
        assert!(Instant::now() < deadline, "no {what} by the deadline");
    }
}
