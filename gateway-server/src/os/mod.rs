//! The operating system: the one room of the server with `unsafe` code.
#![expect(
    unsafe_code,
    reason = "fork, exec, signal handlers and shared memory have no safe form"
)]

pub(crate) mod fd;
pub(crate) mod identity;
pub(crate) mod last_words;
pub(crate) mod memfd;
pub(crate) mod process;
pub(crate) mod shared_memory;
pub(crate) mod signals;
pub(crate) mod socket;
pub(crate) mod station;
pub(crate) mod walls;
