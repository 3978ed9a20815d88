//! The C ABI, version 1: its types and both of its sides.
//!
//! [`types`] mirrors `include/gateway.h` field by field; a test compares the two. [`export`] is the
//! application's side, `host` the server's, `import` a module as a `Gateway`, `load` the way from a file to a
//! module. Nobody outside this folder needs `unsafe` to use them.
#![expect(
    unsafe_code,
    reason = "one of the two rooms where raw memory is handled: the C ABI"
)]

pub mod body;
pub mod buffer;
mod codes;
mod contain;
pub mod export;
pub mod field;
pub mod host;
pub mod import;
mod instance;
#[cfg(feature = "lint")]
pub mod interpose;
#[cfg(feature = "load")]
pub mod load;
pub mod names;
mod size;
pub mod types;
mod waker;

pub use body::{ForeignBody, ForeignFrame};
pub use buffer::OwnedBuffer;
pub use contain::Entered;
pub use field::Field;
pub use types::*;
