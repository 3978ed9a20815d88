//! Descriptors that arrive in a process by inheritance.

use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::rc::Rc;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::libc;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::memfd;

/// The descriptors that a worker was started with: those it was told of, and no others.
#[derive(Debug)]
pub(crate) struct Inherited {
    numbers: Vec<RawFd>,
}

impl Inherited {
    /// Marks each of `numbers` close-on-exec, so that a program which the application starts does not
    /// hold the port for ever, and closes every other descriptor above standard error.
    ///
    /// To be called first thing in a process, before anything else opens or owns a descriptor.
    ///
    /// # Errors
    ///
    /// `EBADF` if a number is none of an open descriptor, `EINVAL` for standard streams and duplicates.
    pub(crate) fn claim(mut numbers: Vec<RawFd>) -> io::Result<Self> {
        numbers.sort_unstable();
        let distinct = numbers.windows(2).all(|pair| pair[0] != pair[1]);
        if !distinct
            || numbers
                .first()
                .is_some_and(|first| *first <= libc::STDERR_FILENO)
        {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        for number in &numbers {
            // SAFETY: the borrow ends with this call, in which the number is only looked up; a number
            // that is not open is answered with EBADF.
            let borrowed = unsafe { BorrowedFd::borrow_raw(*number) };
            fcntl(borrowed, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
        }
        close_all_but(&numbers);
        Ok(Self { numbers })
    }

    /// The bytes of the file with this number, before anything is claimed: it may say what to claim.
    ///
    /// # Errors
    ///
    /// `EBADF` if there is no such file, or the kernel's.
    pub(crate) fn peek(number: RawFd) -> io::Result<Vec<u8>> {
        // SAFETY: the borrow ends with this call, in which the number is only looked up and duplicated;
        // one that is not open is answered with EBADF.
        let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
        memfd::read(&borrowed.try_clone_to_owned()?.into())
    }

    /// Hands out a descriptor, once.
    pub(crate) fn take(&mut self, number: RawFd) -> Option<OwnedFd> {
        let at = self.numbers.iter().position(|known| *known == number)?;
        self.numbers.swap_remove(at);
        // SAFETY: `claim` saw the number open before anything in this process owned a descriptor, and
        // it has just been struck from the list, so that nobody is given it twice.
        Some(unsafe { OwnedFd::from_raw_fd(number) })
    }
}

/// Opens a descriptor that this process was started with once more, close-on-exec. The original stays
/// open, since nobody knows who else in the process means it, and is marked so that no child gets it.
///
/// # Errors
///
/// There is no such descriptor.
pub(crate) fn adopt(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: the borrow ends with this call, in which the number is only looked up; a number that is
    // not open is answered with EBADF.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    let again = borrowed.try_clone_to_owned()?;
    fcntl(borrowed, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    Ok(again)
}

/// A descriptor on the event loop of this thread, to wait for what can be read.
///
/// # Errors
///
/// The kernel's.
pub(crate) fn watch(fd: Rc<OwnedFd>) -> io::Result<AsyncFd<Rc<OwnedFd>>> {
    // SAFETY: the counted reference keeps the one descriptor open until it is dropped, which `AsyncFd`
    // does after it has deregistered.
    let watched = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) };
    Ok(watched?)
}

/// Closes what lies between and above the sorted `kept`. An old kernel or a sandbox may refuse; then
/// descriptors that the parent's parent leaked stay open, which harms nobody but them.
fn close_all_but(kept: &[RawFd]) {
    let mut first = libc::STDERR_FILENO + 1;
    for number in kept {
        if *number > first {
            close_range(first, *number - 1);
        }
        first = number + 1;
    }
    close_range(first, RawFd::MAX);
}

fn close_range(first: RawFd, last: RawFd) {
    let (first, last) = (first.unsigned_abs(), last.unsigned_abs());
    // SAFETY: called from `claim` only, before anything in this process owns a descriptor that is not
    // in its list, so no owner loses one.
    unsafe { libc::close_range(first, last, 0) };
}
