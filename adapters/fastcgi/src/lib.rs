//! FastCGI 1.0, the application's side, without IO and without a clock: what a web server's bytes say,
//! and the records that answer them.
//!
//! [`Decoder`] turns bytes into events: a request begins, its variables are there, its body goes on and
//! ends, it is aborted. [`stdout`] and [`end_request`] write the answer. One request at a time travels
//! on a connection; a server that begins a second one is told `FCGI_CANT_MPX_CONN`.
//! The variables become a request by [`gateway_spec::cgi`].

mod decoder;
mod error;
mod management;
mod pairs;
mod record;

pub use decoder::{Begun, Decoder, Event, Limits, Step};
pub use error::Error;
pub use pairs::Pairs;
pub use record::{HEADER, LONGEST, Protocol, end_request, header, stdout};
