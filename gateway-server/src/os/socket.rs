//! Sockets: accepting in one system call and not too early, and reading into memory that nobody has written before.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use bytes::{BufMut, BytesMut};
use nix::libc;
use socket2::{SockAddr, SockRef};

/// Accepts a connection: close-on-exec, nonblocking, with the peer's address.
///
/// # Errors
///
/// The kernel's.
pub(crate) fn accept(listener: BorrowedFd<'_>) -> io::Result<(OwnedFd, SockAddr)> {
    let flags = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    let accept = |address: *mut _, length| {
        // SAFETY: the kernel writes an address of at most `*length` bytes, and its length.
        let fd = unsafe { libc::accept4(listener.as_raw_fd(), address, length, flags) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: a new descriptor that nobody else owns.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    };
    // SAFETY: `accept` initialises address and length where it succeeds.
    unsafe { SockAddr::try_init(|storage, length| accept(storage.cast(), length)) }
}

/// Has connections of a listening TCP socket accepted once their clients have spoken, or after about so
/// many seconds; with 0, as soon as they are there.
///
/// # Errors
///
/// The kernel's.
pub(crate) fn defer_accept(listener: BorrowedFd<'_>, seconds: libc::c_int) -> io::Result<()> {
    let length = libc::socklen_t::try_from(size_of_val(&seconds)).map_err(io::Error::other)?;
    let (level, option) = (libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT);
    let value = (&raw const seconds).cast();
    // SAFETY: the kernel reads an integer of so many bytes through the pointer.
    match unsafe { libc::setsockopt(listener.as_raw_fd(), level, option, value, length) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Bytes that were written and that the peer has not acknowledged; 0 if the kernel does not say.
pub(crate) fn unsent(socket: BorrowedFd<'_>) -> u64 {
    let mut count = 0;
    // SAFETY: the kernel writes an integer through the pointer.
    let asked = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut count) };
    let count: libc::c_int = count;
    if asked == 0 {
        u64::try_from(count).unwrap_or(0)
    } else {
        0
    }
}

/// Receives into the spare capacity of `into`, without clearing it first; 0 is the end of input.
///
/// # Errors
///
/// The kernel's.
pub(crate) fn receive(socket: BorrowedFd<'_>, into: &mut BytesMut) -> io::Result<usize> {
    let count = SockRef::from(&socket).recv(into.spare_capacity_mut())?;
    // SAFETY: the kernel has written so many bytes at the beginning of the spare capacity.
    unsafe { into.advance_mut(count) };
    Ok(count)
}
