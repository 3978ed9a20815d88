//! What a process writes down when it is aborted or crashes: a backtrace.
//!
//! The handler only writes to a descriptor that is open already: the loop may hang anywhere, within the
//! allocator too.

use std::ffi::{c_int, c_void};
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::fd::IntoRawFd;
use std::ptr;
use std::sync::atomic::AtomicI32;
use std::sync::atomic::Ordering::Relaxed;

use nix::libc;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

/// Has the process write its last words into `file`, from the byte `at` on: the lines of the backtrace.
///
/// # Errors
///
/// The kernel's.
pub(crate) fn prepare(mut file: File, at: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    let mut frame = [ptr::null_mut()];
    // SAFETY: there is room for the one frame that is asked for. The first call loads the unwinder,
    // which the handler could not.
    unsafe { libc::backtrace(frame.as_mut_ptr(), 1) };
    FILE.store(file.into_raw_fd(), Relaxed);
    for signal in FATAL {
        // The second signal, by the handler itself, ends the process. Who has no stack left finds the
        // alternate one of the standard library.
        let flags = SaFlags::SA_RESETHAND | SaFlags::SA_NODEFER | SaFlags::SA_ONSTACK;
        let flags = if signal == Signal::SIGABRT {
            flags - SaFlags::SA_ONSTACK
        } else {
            flags
        };
        let action = SigAction::new(SigHandler::Handler(speak), flags, SigSet::empty());
        // SAFETY: the handler makes system calls and reads an atomic; what it does beyond that is said
        // there.
        unsafe { sigaction(signal, &action) }?;
    }
    Ok(())
}

static FILE: AtomicI32 = AtomicI32::new(-1);

extern "C" fn speak(signal: c_int) {
    let file = FILE.load(Relaxed);
    let mut frames = [ptr::null_mut::<c_void>(); FRAMES as usize];
    // SAFETY: there is room for so many frames. If the loop hangs within the loader this may hang as
    // well; then the process is killed a little later.
    let count = unsafe { libc::backtrace(frames.as_mut_ptr(), FRAMES) };
    // SAFETY: the frames are those of the call before; this one writes and does not allocate.
    unsafe { libc::backtrace_symbols_fd(frames.as_ptr(), count, file) };
    // SAFETY: the default action of the signal, which is in force again, ends the process.
    unsafe { libc::raise(signal) };
}

/// ABRT, which the master and `abort` send, and what the processor says of broken code.
const FATAL: [Signal; 5] = [
    Signal::SIGABRT,
    Signal::SIGBUS,
    Signal::SIGFPE,
    Signal::SIGILL,
    Signal::SIGSEGV,
];
const FRAMES: c_int = 48;
