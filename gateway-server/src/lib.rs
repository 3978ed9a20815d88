//! The reference server of the Gateway Interface: `gatewayd` and, for an application's own binary,
//! the same command line as a library.

mod app_source;
mod arbiter;
mod banner;
mod cli;
mod clock;
mod config;
mod connection;
mod date;
mod deadlines;
mod drain;
mod http1;
mod limits;
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

/// The insides, for fuzzers and for the corpus tests; no promise is made about them.
#[doc(hidden)]
pub mod internal {
    /// The HTTP/1.1 engine.
    pub mod http1 {
        pub use crate::http1::{
            BodyDecoder, BodyError, BodyFraming, BodyLength, Decoded, EncodeError, Form, Framing,
            Head, HeadError, Length, Recipient, ResponseHead, Span, Version, encode,
        };
    }
    /// The limits and their defaults.
    pub mod limits {
        pub use crate::limits::{BodyLimits, HeadLimits};
    }
}
