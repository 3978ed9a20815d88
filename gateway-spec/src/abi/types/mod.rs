//! The types and constants of the C ABI, as `include/gateway.h` declares them.
//!
//! Layout rules (SPEC.md, chapter "The C ABI"): structures that may grow begin with `struct_size`,
//! written by whoever fills them; a field may be read only if it lies wholly below that size, and
//! counts as zero otherwise. Those of `frozen` never grow, because they occur in arrays or by value.
//!
//! Names are C's without the underscore: `gw_request` is [`GwRequest`].
#![expect(
    missing_docs,
    reason = "gateway.h documents every field; a second copy here would drift"
)]
#![expect(
    clippy::exhaustive_structs,
    reason = "the layout is the contract: a new field is a new minor version, never a surprise"
)]

mod app;
mod body;
pub mod code;
mod commands;
mod exchange;
mod frozen;
mod host;
mod metrics;
mod module;
mod request;
mod response;
mod stream;
mod tls;

pub use app::{GwApp, GwAppVt, GwError};
pub use body::{GwBody, GwBodyVt, GwFrame, frame_flag, frame_kind};
pub use commands::{EXT_COMMANDS, GwCommand, GwCommands};
pub use exchange::{EXT_REQUEST_ID, GwCall, GwCallVt, GwCtx, GwCtxVt, ctx_flag};
pub use frozen::{
    GwAddr, GwBuf, GwHeader, GwIov, GwKv, GwStr, GwWaker, GwWakerVt, family, header_flag,
};
pub use host::{GwHost, log_level};
pub use metrics::{
    EXT_METRICS, GwMetric, GwMetricDefinition, GwMetricVt, GwMetrics, metric_kind, metric_limit,
};
pub use module::{
    ABI_MAJOR, ABI_MINOR, GwConfig, GwModule, MAGIC, MODULE_MIN_SIZE, MODULE_SYMBOL, config_flag,
    module_flag,
};
pub use request::{
    GwRequest, LENGTH_UNKNOWN, SLOT_MIN_SIZE, method, request_flag, scheme, version,
};
pub use response::{GwResponse, response_flag};
pub use stream::{GwStream, GwStreamVt};
pub use tls::{EXT_TLS, GwTls};

#[cfg(not(target_pointer_width = "64"))]
compile_error!("the gateway ABI v1 is defined for 64-bit targets only");
