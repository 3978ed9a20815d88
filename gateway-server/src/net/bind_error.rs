//! Why an address cannot be listened on.

use std::io;

use super::ListenAddress;
use super::bind::Bind;

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BindError {
    /// Another socket has the address.
    #[error("cannot listen on {address}: the address is in use")]
    InUse {
        /// The address.
        address: ListenAddress,
    },
    /// The path of a unix socket is something else.
    #[error("cannot listen on {address}: expected a socket or nothing at this path, found a file")]
    NotASocket {
        /// The address.
        address: ListenAddress,
    },
    /// The server was not started with a socket that is asked for. Only a start can bring it.
    #[error("cannot listen on {bind}: expected the server to be started with it, found {found}")]
    NotPassed {
        /// What is asked for.
        bind: Bind,
        /// What the server was started with.
        found: String,
    },
    /// The server was started with something else under that name.
    #[error("cannot listen on {bind}: expected a stream socket that listens, found {found}")]
    NotListening {
        /// What is asked for.
        bind: Bind,
        /// What it is instead.
        found: String,
    },
    /// There is no memory for what stands beside a listener.
    #[error("cannot share memory with the admin process: {cause}")]
    Memory {
        /// What the kernel said.
        cause: io::Error,
    },
    /// Everything else, in the kernel's words.
    #[error("cannot listen on {address}: {cause}")]
    Socket {
        /// The address.
        address: ListenAddress,
        /// What the kernel said.
        cause: io::Error,
    },
}

impl BindError {
    /// Whether somebody else has the address, and may give it back.
    pub(crate) fn is_in_use(&self) -> bool {
        matches!(self, Self::InUse { .. })
    }
}
