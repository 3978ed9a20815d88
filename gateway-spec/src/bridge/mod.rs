//! What an application says through `log` and `tracing`, on its way to the host's log.
//!
//! Both crates' loggers are globals of an image, so an application has its own, which nobody has
//! set. `export!` sets them; an application that was quicker, or that wants to, keeps its own.

#[cfg(feature = "log")]
mod records;
#[cfg(feature = "tracing")]
mod traces;

use crate::abi::export::host::Host;

/// From now on this image's records go to the host's log. Once per image.
pub(crate) fn install(host: Host) {
    #[cfg(feature = "log")]
    records::install(host);
    #[cfg(feature = "tracing")]
    traces::install(host);
}
