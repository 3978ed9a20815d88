//! The end of a worker that nobody is left to kill: without its master, a process whose event loop is
//! stuck would keep the port for ever.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::SigSet;

use crate::drain::LAST_GRACE;
use crate::os::process;

/// Sees to it that this process ends once the master is gone: what has begun has `graceful`, and what
/// is dropped then has [`LAST_GRACE`]. A thread of its own waits for that, since it is for the case that
/// the event loop does not turn; a thread costs nothing while it waits, and needs none of the memory,
/// locks and signals that a stuck application may have spoilt.
///
/// # Errors
///
/// The kernel's: no descriptor, no thread.
pub(super) fn end_in_time(orders: &OwnedFd, graceful: Duration) -> io::Result<()> {
    let orders = orders.try_clone()?;
    let watch = move || {
        // Signals are for the threads that they are meant for. Only a bad number can fail.
        let _ = SigSet::all().thread_block();
        if closed(&orders).is_err() {
            return;
        }
        let Some(end) = Instant::now().checked_add(graceful.saturating_add(LAST_GRACE)) else {
            return;
        };
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                process::exit_now(1);
            }
            thread::park_timeout(left);
        }
    };
    thread::Builder::new()
        .name("orphan".into())
        .stack_size(STACK)
        .spawn(watch)?;
    Ok(())
}

/// Returns once the other end is closed; what can be read is not for us.
fn closed(orders: &OwnedFd) -> nix::Result<()> {
    loop {
        let mut fds = [PollFd::new(orders.as_fd(), PollFlags::empty())];
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) => return Ok(()),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Enough for three system calls.
const STACK: usize = 64 * 1024;
