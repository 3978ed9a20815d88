//! The path of a unix socket: claimed, cleared of what a dead server has left, bound, and removed.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use nix::libc;
use socket2::{Domain, SockAddr, Socket, Type};

use super::ListenAddress;
use super::bind_error::BindError;
use super::claim::Claim;
use super::options::UnixAccess;

/// The path of a socket that this process has bound.
#[derive(Debug)]
pub(super) struct OwnedPath {
    pub(super) path: PathBuf,
    pub(super) device: u64,
    pub(super) inode: u64,
}

impl OwnedPath {
    /// The path of a socket that was bound there just now.
    fn of(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let found = stands_at(&path)?.metadata()?;
        // Whoever has the folder may have put something else there.
        if !found.file_type().is_socket() {
            return Err(io::Error::other("what was bound there has been replaced"));
        }
        Ok(Self {
            path,
            device: found.dev(),
            inode: found.ino(),
        })
    }

    /// Whether it still is the socket that was bound.
    pub(super) fn is_ours(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|found| self.is(&found))
    }

    /// Changes who may connect; nothing if it is no longer the socket that was bound.
    pub(super) fn give(&self, access: UnixAccess) -> io::Result<()> {
        let file = match stands_at(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            file => file?,
        };
        if !self.is(&file.metadata()?) {
            return Ok(());
        }
        // By the path it could be another file by now, or lead to one.
        let place = format!("/proc/self/fd/{}", file.as_raw_fd());
        // The owner first: a change of owner may take permissions away.
        if access.user.is_some() || access.group.is_some() {
            chown(&place, access.user, access.group)?;
        }
        fs::set_permissions(&place, Permissions::from_mode(access.mode))
    }

    fn is(&self, found: &Metadata) -> bool {
        (found.dev(), found.ino()) == (self.device, self.inode)
    }
}

impl Drop for OwnedPath {
    fn drop(&mut self) {
        if self.is_ours()
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!("cannot remove {}: {error}", self.path.display());
        }
    }
}

/// Bound and not yet listening, its path as accessible as it is to be.
pub(super) fn bind(path: &Path, access: UnixAccess) -> io::Result<(Socket, OwnedPath)> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking().cloexec(), None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    let path = OwnedPath::of(path)?;
    path.give(access)?;
    Ok((socket, path))
}

/// What stands at a path, be it a link, not opened for anything but being looked at.
fn stands_at(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_PATH | libc::O_NOFOLLOW)
        .open(path)
}

/// Removes a socket file that a server left behind; one that another program answers on stays.
pub(super) fn clear_stale(
    path: &Path,
    claim: &Claim,
    address: &ListenAddress,
) -> Result<(), BindError> {
    let fail = |cause| BindError::Socket {
        address: address.clone(),
        cause,
    };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(fail(error)),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(BindError::NotASocket {
                address: address.clone(),
            });
        }
        Ok(found) if claim.is_left_behind(&found) => {
            return fs::remove_file(path).map_err(fail);
        }
        Ok(_) => {}
    }
    let probe =
        Socket::new(Domain::UNIX, Type::STREAM.nonblocking().cloexec(), None).map_err(fail)?;
    match probe.connect(&SockAddr::unix(path).map_err(fail)?) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(fail)
        }
        // A full backlog (EAGAIN) and a socket of another type (EPROTOTYPE) have an owner, too.
        _ => Err(BindError::InUse {
            address: address.clone(),
        }),
    }
}
