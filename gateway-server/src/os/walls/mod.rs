//! What a process may never do again, by two of the kernel's means: Landlock for files and TCP ports,
//! seccomp for system calls. Neither can be taken back, and whatever the process starts has them too.

mod calls;
mod files;
mod never;
mod openings;

use std::io;

use nix::libc;

pub(crate) use openings::Openings;

/// What the running kernel can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Abilities {
    /// The version of Landlock, 0 for none.
    pub(crate) landlock: u32,
    /// Whether there is seccomp, for a processor that we know the calls of.
    pub(crate) seccomp: bool,
}

impl Abilities {
    /// Those of this system.
    pub(crate) fn found() -> Self {
        Self {
            landlock: landlock_version(),
            seccomp: calls::KNOWN && has_seccomp(),
        }
    }
}

/// Raises every wall that the kernel can. To be called while the process has one thread.
///
/// # Errors
///
/// A path that is not there, by its name, or the kernel's.
pub(crate) fn raise(openings: &Openings, abilities: Abilities) -> io::Result<()> {
    if abilities.landlock > 0 {
        files::restrict(openings)?;
    }
    if abilities.seccomp {
        calls::restrict(openings)?;
    }
    Ok(())
}

fn landlock_version() -> u32 {
    let none = std::ptr::null::<libc::c_void>();
    // SAFETY: with this flag the kernel reads nothing and answers a number.
    let version = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            none,
            0_usize,
            LANDLOCK_CREATE_RULESET_VERSION,
        )
    };
    u32::try_from(version).unwrap_or(0)
}

fn has_seccomp() -> bool {
    let action: u32 = libc::SECCOMP_RET_ERRNO;
    // SAFETY: the kernel reads the one number.
    let found = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_GET_ACTION_AVAIL,
            0_u32,
            &raw const action,
        )
    };
    found == 0
}

/// `landlock_create_ruleset(2)`.
const LANDLOCK_CREATE_RULESET_VERSION: u32 = 1;
