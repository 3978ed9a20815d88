//! The gates in the walls.

use std::path::PathBuf;

/// What stays allowed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Openings {
    /// Files, and folders with all that is in them, that may be written.
    pub(crate) write: Vec<PathBuf>,
    /// TCP ports that may be connected to.
    pub(crate) tcp: Vec<u16>,
    /// UDP may be spoken, to anybody.
    pub(crate) udp: bool,
    /// Unix sockets may be connected to.
    pub(crate) unix: bool,
}
