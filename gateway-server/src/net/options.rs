//! What listeners of our own are made with.

/// The same for all of them.
#[derive(Clone, Debug)]
pub(crate) struct ListenOptions {
    /// Connections that may wait to be accepted.
    pub(crate) backlog: u32,
    /// Who may connect to a unix socket.
    pub(crate) unix: UnixAccess,
}

/// Who may connect to a unix socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnixAccess {
    /// The permissions of its path.
    pub(crate) mode: u32,
    /// The path's user, unless it is whoever the server runs as.
    pub(crate) user: Option<u32>,
    /// The path's group, likewise.
    pub(crate) group: Option<u32>,
}
