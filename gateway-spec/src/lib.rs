//! The Gateway Interface.
pub mod abi;
