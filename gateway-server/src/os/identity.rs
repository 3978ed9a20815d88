//! Becoming somebody else, for good.

use std::io;

use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};
use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_keep_capabilities, set_no_new_privs,
};

/// Whether this process is root's.
pub(crate) fn is_root() -> bool {
    Uid::effective().is_root()
}

/// Gives up every other identity. To be called while the process has one thread.
///
/// # Errors
///
/// The kernel's: the process may not.
pub(crate) fn assume(user: Option<u32>, group: u32, groups: &[u32]) -> io::Result<()> {
    let group = Gid::from_raw(group);
    // Without the right to change them the groups can only stay.
    if is_root() {
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

/// Lets no program that is started from now on have other capabilities than those that are kept, and
/// these survive [`assume`]. To be followed by [`keep`].
///
/// # Errors
///
/// The kernel's.
pub(crate) fn bound(all: impl Iterator<Item = (CapabilitySet, bool)>) -> io::Result<()> {
    for (one, _) in all.filter(|(_, kept)| !kept) {
        match remove_capability_from_bounding_set(one) {
            // An older kernel does not know it. Who may not bound what others get has the less itself.
            Ok(()) | Err(Errno::INVAL | Errno::PERM) => {}
            Err(error) => return Err(error.into()),
        }
    }
    set_keep_capabilities(true)?;
    Ok(())
}

/// Gives up every capability but those, of which it keeps what it has.
///
/// # Errors
///
/// The kernel's.
pub(crate) fn keep(kept: CapabilitySet) -> io::Result<()> {
    let had = capabilities(None)?.permitted;
    set_capabilities(
        None,
        CapabilitySets {
            effective: had & kept,
            permitted: had & kept,
            inheritable: CapabilitySet::empty(),
        },
    )?;
    clear_ambient_capability_set()?;
    set_keep_capabilities(false)?;
    Ok(())
}

/// Whatever program is started from now on, it has no more rights than this process.
///
/// # Errors
///
/// The kernel's.
pub(crate) fn renounce_privileges() -> io::Result<()> {
    Ok(set_no_new_privs(true)?)
}
