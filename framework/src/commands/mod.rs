//! Commands: what an application can do at a terminal besides serving (Flask's `@app.cli.command`).
//!
//! `gatewayd init-db app.so` and an application's own binary, `app init-db`, start the application as for
//! serving and run one command in it.

mod builtin;
mod command;
mod console;
mod gather;
mod registration;
mod told;
mod usage;
mod words;

pub(crate) use command::Command;
pub use console::Console;
pub(crate) use console::Sink;
pub(crate) use gather::gather;
pub use told::{CommandReply, Told};
pub use words::Words;
pub(crate) use words::{Given, WrongWords};
