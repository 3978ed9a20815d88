//! The Gateway Interface: one small contract between a web server and a web application.
//!
//! An application is a [`Gateway`]: an async function from a [`Request`] to a [`Response`]. Exported
//! with [`export!`] from a `cdylib`, it becomes a file that any conforming server loads, whichever
//! compiler made either side:
//!
//! ```
//! use gateway_spec::{Request, Response};
//!
//! async fn hello(_: Request) -> Response {
//!     Response::text("Hello, World!")
//! }
//!
//! gateway_spec::export!(hello);
//! ```
//!
//! The rules stand in SPEC.md, the C side in `include/gateway.h`.
#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs)]

pub mod abi;
mod address;
mod body;
#[cfg(any(feature = "log", feature = "tracing"))]
mod bridge;
pub mod cgi;
mod command;
mod error;
mod exchange;
mod exchange_host;
mod fields;
mod gateway;
mod head;
#[cfg(feature = "hosting")]
pub mod hosting;
mod lifespan;
#[cfg(feature = "lint")]
pub mod lint;
mod metric;
mod pool;
mod request;
mod response;
pub mod rules;
mod upgrade;

pub use abi::export::{Counter, Gauge, Histogram, Host, Level, Metrics};
pub use address::Address;
pub use body::{Body, BodyStream, FileRegion, Frame};
pub use command::Command;
pub use error::{Error, ErrorKind};
pub use exchange::Exchange;
pub use exchange_host::{HostExchange, TlsInfo};
pub use fields::{DefaultFields, Fields};
pub use gateway::{BoxGateway, Gateway, UNKNOWN_COMMAND};
pub use lifespan::{Startup, StartupError, Worker};
pub use metric::{MetricDefinition, MetricFault, MetricKind};
pub use request::{Request, Scheme};
pub use response::{Response, Upgrade};
pub use upgrade::{Duplex, Upgraded};

pub use bytes;
pub use http;

/// Version of this crate, for diagnostics; the interface's own version is [`abi::ABI_MAJOR`].
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
