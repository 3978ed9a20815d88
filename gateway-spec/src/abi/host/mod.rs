//! The server's side of the ABI, safe to use: a host implements [`Exchange`] and [`Shared`], hands
//! requests over with [`Call::start`] and never sees a raw pointer.
//!
//! A module is checked ([`Descriptor`]), made into an instance ([`Module::create`]), started
//! ([`App::poll_startup`]), called, shut down ([`App::poll_shutdown`]), destroyed.

mod address;
mod block;
mod call;
mod descriptor;
mod exchange;
mod instance;
mod module;
mod services;
mod stream;

pub use address::HostAddress;
pub use block::Pool;
pub use call::{Call, CallHead};
pub use descriptor::{Descriptor, Refusal};
pub use exchange::{AppResponse, Exchange, Shared};
pub(crate) use instance::Instance;
pub use module::{App, Config, HONOURED, Module, StartFailure, Step};
pub use services::{HostTable, Services};
