//! The server's side of the ABI, safe to use: a host implements [`Exchange`] and [`Shared`], hands
//! requests over with [`Call::start`] and never sees a raw pointer.
//!
//! A module is checked ([`Descriptor`]), made into an instance ([`Module::create`]), started
//! ([`App::poll_startup`]), called, shut down ([`App::poll_shutdown`]), destroyed.

mod address;
mod block;
mod call;
mod commands;
mod descriptor;
mod exchange;
mod head;
mod lifespan;
mod metrics;
mod module;
mod services;
mod stream;
mod tls;

pub use address::HostAddress;
pub use block::Pool;
pub use call::Call;
pub use commands::Commands;
pub use descriptor::{Descriptor, Refusal};
pub use exchange::{AppResponse, Exchange, Shared, Text};
pub use head::CallHead;
pub use lifespan::{StartFailure, Step};
pub(crate) use lifespan::{poll_shutdown, poll_startup};
pub use metrics::{Instrument, Metric, Recorder};
pub use module::{App, Config, HONOURED, Module};
pub use services::{HostTable, Services};
pub use tls::HostTls;
