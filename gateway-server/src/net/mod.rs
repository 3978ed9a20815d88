//! Where the server listens.

mod address;
mod bind;
mod bind_error;
mod claim;
mod listener;
mod lock;
mod newcomers;
mod open;
mod options;
mod passed;
mod unix_path;

pub(crate) use address::ListenAddress;
pub(crate) use bind::{Bind, Manner, Place, Preface, Scheme};
pub(crate) use bind_error::BindError;
pub(crate) use listener::{LeftListener, Listener, Tenure};
pub(crate) use lock::{LockError, LockFile};
pub(crate) use newcomers::turn_away;
pub(crate) use open::{Opened, adjust, open_all};
pub(crate) use options::{ListenOptions, UnixAccess};
pub(crate) use passed::Passed;
