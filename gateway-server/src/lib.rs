//! The reference server of the Gateway Interface: `gatewayd` and, for an application's own binary,
//! the same command line as a library.

mod admin;
mod app_metrics;
mod app_source;
mod arbiter;
mod banner;
mod board;
mod check;
mod cli;
mod clock;
mod coding;
mod command;
mod compression;
mod config;
mod connection;
mod control;
mod ctl;
mod date;
mod deadlines;
mod dev;
mod drain;
mod fronts;
mod hook;
mod http1;
mod http2;
mod limits;
mod linked;
mod log_files;
mod logging;
mod manual;
mod net;
mod options;
mod orders;
mod os;
mod prepare;
mod proxies;
mod proxy_protocol;
mod routes;
mod sandbox;
mod scoreboard;
mod shares;
mod snapshot;
mod start;
mod static_files;
mod tls;
mod traces;
mod value;
mod watch;
mod wire;
mod workbench;
mod worker;

pub use app_source::AppSource;
pub use cli::run;
pub use linked::{main, run_linked};

/// The interface that applications are written against.
pub use gateway_spec;

/// The same as [`main()`](crate::main()), with the name and version of the crate that it stands in.
///
/// The expression is evaluated at start-up, in each worker. `main!(tokio: app)` gives the application
/// a tokio runtime of its own (feature `tokio` of `gateway-spec`).
///
/// ```no_run
/// # use gateway_server::gateway_spec::{Request, Response};
/// # async fn hello(_: Request) -> Response { Response::text("Hello, World!") }
/// fn main() -> std::process::ExitCode {
///     gateway_server::main!(hello)
/// }
/// ```
#[macro_export]
macro_rules! main {
    (tokio: $app:expr) => {
        $crate::__main!($crate::gateway_spec::abi::export::Tokio, $app)
    };
    ($app:expr) => {
        $crate::__main!($crate::gateway_spec::abi::export::NoRuntime, $app)
    };
}

/// The rest of [`main!`](crate::main!).
#[doc(hidden)]
#[macro_export]
macro_rules! __main {
    ($runtime:ty, $app:expr) => {
        $crate::run_linked::<_, _, _, $runtime>(
            ::core::env!("CARGO_PKG_NAME"),
            ::core::env!("CARGO_PKG_VERSION"),
            move || $app,
        )
    };
}

/// The insides, for fuzzers and for the corpus tests; no promise is made about them.
#[doc(hidden)]
pub mod internal {
    /// The HTTP/1.1 engine.
    pub mod http1 {
        pub use crate::http1::{
            BodyDecoder, BodyError, BodyFraming, BodyLength, DateLine, Decoded, EncodeError, Form,
            Framing, Head, HeadError, Length, Recipient, ResponseHead, Span, Version, encode,
        };
    }
    /// What proxies say in fields.
    pub mod proxies {
        pub use crate::proxies::{Told, hear};
    }
    /// The PROXY protocol.
    pub mod proxy_protocol {
        pub use crate::proxy_protocol::{Introduction, ProxyError, Source, parse};
    }
    /// Requests of fronts in the words of HTTP/1, and back.
    pub mod fronts {
        pub use crate::fronts::{Front, FrontLimits, Protocol, Taken};
    }
    /// Whole connections, in memory.
    pub mod worker {
        pub use crate::worker::{Heard, Rehearsal};
    }
    /// The limits and their defaults.
    pub mod limits {
        pub use crate::limits::{BodyLimits, HeadLimits};
    }
}
