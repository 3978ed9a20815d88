//! The application's side of the ABI: a [`Gateway`](crate::Gateway) as a `gw_module`.
//!
//! [`export!`](crate::export) makes the descriptor. From `gw_request` to `respond` the way is
//! `app` (the call comes in) - `head` (the head is copied) - `call` (the future is polled) -
//! `respond` (the answer goes out).

mod app;
mod call;
mod commands;
mod exchange;
mod form;
mod head;
pub(crate) mod host;
mod linked;
pub(crate) mod metrics;
mod respond;
mod runtime;
mod stream;
#[cfg(feature = "lint")]
mod watched;

pub use app::create;
pub(crate) use exchange::ForeignExchange;
pub use form::{Constructor, Exportable, Function, Value};
pub use host::{Host, Level};
pub use linked::linked;
pub use metrics::{Counter, Gauge, Histogram, Metrics};
#[cfg(feature = "tokio")]
pub use runtime::Tokio;
pub use runtime::{NoRuntime, Runtime};
#[cfg(feature = "lint")]
pub use watched::{Watched, create_watched};

use super::types::{ABI_MAJOR, ABI_MINOR, GwModule, MAGIC, MODULE_MIN_SIZE, module_flag};

/// The descriptor that `export!` puts into the module.
#[must_use]
pub const fn module<R: Runtime>(
    name: &str,
    version: &str,
    create: unsafe extern "C" fn(
        *const super::types::GwHost,
        *const super::types::GwConfig,
        *mut *const super::types::GwApp,
        *mut super::types::GwError,
    ) -> i32,
) -> GwModule {
    GwModule {
        magic: MAGIC,
        struct_size: MODULE_MIN_SIZE,
        abi_major: ABI_MAJOR,
        abi_minor: ABI_MINOR,
        min_host_minor: 0,
        reserved0: 0,
        reserved1: 0,
        flags: if R::USED {
            module_flag::USES_RUNTIME
        } else {
            0
        },
        name: inline(name),
        version: inline(version),
        builder: inline(BUILDER),
        create: Some(create),
        ext: None,
    }
}

/// A string in a fixed array, cut to what fits with a NUL behind it.
const fn inline<const N: usize>(text: &str) -> [u8; N] {
    let bytes = text.as_bytes();
    let mut array = [0; N];
    let mut index = 0;
    while index < bytes.len() && index < N - 1 {
        array[index] = bytes[index];
        index += 1;
    }
    array
}

const BUILDER: &str = concat!("gateway-spec ", env!("CARGO_PKG_VERSION"));

/// Exports an application from a `cdylib`: the descriptor `gateway_module_v1`.
///
/// Takes a value, a function or an async constructor:
///
/// ```ignore
/// export!(hello);                         // async fn hello(request: Request) -> Response
/// export!(app);                           // fn app() -> impl Gateway
/// export!(start);                         // async fn start(startup: Startup) -> Result<impl Gateway, StartupError>
/// export!(tokio: start);                  // the same, with a tokio runtime of its own (feature `tokio`)
/// ```
///
/// The expression is evaluated at start-up, in each worker. It stands once, in a leaf crate of
/// type `cdylib`: two in one link are a duplicate symbol, so keep what others import in a plain
/// library with a `pub fn app()`.
///
/// Without `tokio:` no runtime is entered: futures that use tokio's timers or sockets panic.
///
/// With the feature `log` the application's `log` records reach the server's log, with the feature
/// `tracing` its `tracing` events. Leave them off to set a logger or a subscriber of one's own. An
/// application that is linked into its server shares the server's, whatever the features.
#[macro_export]
macro_rules! export {
    (tokio: $app:expr) => {
        $crate::__export!($crate::__module!($crate::abi::export::Tokio, $app));
    };
    ($app:expr) => {
        $crate::__export!($crate::__module!($crate::abi::export::NoRuntime, $app));
    };
}

/// Puts a descriptor where servers look for it.
#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    ($module:expr) => {
        #[doc(hidden)]
        #[allow(
            unsafe_code,
            non_upper_case_globals,
            reason = "the symbol that servers look up"
        )]
        #[unsafe(no_mangle)]
        pub static gateway_module_v1: $crate::abi::types::GwModule = $module;
    };
}

/// The descriptor of an application as a value; it exports no symbol.
#[doc(hidden)]
#[macro_export]
macro_rules! __module {
    ($runtime:ty, $app:expr) => {{
        const _: () = ::core::assert!(
            !::core::cfg!(panic = "abort"),
            "a gateway must be built with panic = \"unwind\": one panicking request would end the worker",
        );
        $crate::__descriptor!(
            $runtime,
            $crate::abi::export::create::<_, _, $runtime>,
            || $app
        )
    }};
}

/// The descriptor whose `create` is `$create`, with `$app` as its last argument.
#[doc(hidden)]
#[macro_export]
macro_rules! __descriptor {
    ($runtime:ty, $create:expr, $app:expr) => {{
        #[allow(unsafe_code, reason = "the border of the C ABI")]
        unsafe extern "C" fn create(
            host: *const $crate::abi::types::GwHost,
            config: *const $crate::abi::types::GwConfig,
            out: *mut *const $crate::abi::types::GwApp,
            error: *mut $crate::abi::types::GwError,
        ) -> i32 {
            let app = $app;
            // SAFETY: the host calls this with the arguments of `create`.
            unsafe { $create(host, config, out, error, app) }
        }
        $crate::abi::export::module::<$runtime>(
            ::core::env!("CARGO_PKG_NAME"),
            ::core::env!("CARGO_PKG_VERSION"),
            create,
        )
    }};
}
