//! The word that every growable structure begins with.

pub(super) use crate::abi::size::struct_size;
