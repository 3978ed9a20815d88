//! Where the server listens.

mod address;
mod claim;
mod listener;
mod lock;
mod newcomers;

pub(crate) use address::ListenAddress;
pub(crate) use listener::{BindError, Listener};
pub(crate) use lock::{LockError, LockFile};
pub(crate) use newcomers::turn_away;
