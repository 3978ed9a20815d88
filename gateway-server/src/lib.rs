//! The reference server of the Gateway Interface: `gatewayd` and, for an application's own binary,
//! the same command line as a library.

mod app_source;
mod arbiter;
mod banner;
mod cli;
mod config;
mod drain;
mod logging;
mod net;
mod options;
mod orders;
mod os;
mod scoreboard;
mod snapshot;
mod value;
mod worker;

pub use app_source::AppSource;
pub use cli::run;
