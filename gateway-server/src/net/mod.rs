//! Where the server listens.

mod address;
mod listener;
mod newcomers;

pub(crate) use address::ListenAddress;
pub(crate) use listener::{BindError, Listener};
pub(crate) use newcomers::turn_away;
