//! Applications exported and imported in one image: what goes in at `export!` comes out at
//! `abi::import::Loaded`, across the whole of the C ABI.
//!
//! Small enough to run under miri: `cargo xtask miri`.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking"
)]

mod bodies;
mod cancellation;
mod commands;
mod exchange;
mod forms;
mod host;
mod limits;
mod metrics;
mod panics;
mod threads;
mod upgrade;
