//! Where the server listens.

mod address;
mod listener;

pub(crate) use address::ListenAddress;
pub(crate) use listener::Listener;
