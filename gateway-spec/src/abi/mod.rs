//! The C ABI, version 1: its types and both of its sides.
//!
//! [`types`] mirrors `include/gateway.h` field by field; a test compares the two. Nobody outside
//! this folder needs `unsafe` to use it.
#![expect(
    unsafe_code,
    reason = "one of the two rooms where raw memory is handled: the C ABI"
)]

pub mod field;
pub mod names;
pub mod types;

pub use field::Field;
pub use types::*;
