//! Becoming somebody else, for good.

use std::io;

use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};

/// Gives up every other identity. To be called while the process has one thread.
///
/// # Errors
///
/// The kernel's: the process may not.
pub(crate) fn assume(user: Option<u32>, group: u32, groups: &[u32]) -> io::Result<()> {
    let group = Gid::from_raw(group);
    // Without the right to change them the groups can only stay.
    if Uid::effective().is_root() {
        let groups: Vec<Gid> = groups.iter().copied().map(Gid::from_raw).collect();
        setgroups(&groups)?;
    }
    setresgid(group, group, group)?;
    if let Some(user) = user.map(Uid::from_raw) {
        setresuid(user, user, user)?;
    }
    Ok(())
}

/// Sets the permissions that new files never have.
pub(crate) fn set_umask(mode: u32) {
    umask(Mode::from_bits_truncate(mode));
}
