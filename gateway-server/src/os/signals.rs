//! Signals as a stream in the process that heeds them, and as nothing in its workers.

use std::collections::BTreeSet;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::ptr;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::libc::{self, c_int};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigaction, sigprocmask,
};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::stat::Mode;

/// The signals that an operator or the kernel sends to a server, readable one by one.
#[derive(Debug)]
pub(crate) struct SignalSource {
    fd: SignalFd,
}

impl SignalSource {
    /// Blocks the signals of [`HEEDED`] and opens the stream. Dispositions are reset: a shell starts
    /// background jobs with INT and QUIT ignored, and an ignored CHLD would reap our children. One that
    /// is as it should be is left alone, because setting it again drops a pending CHLD or WINCH.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(crate) fn open() -> io::Result<Self> {
        let set: SigSet = HEEDED.into_iter().collect();
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&set), None)?;
        for signal in HEEDED {
            if !is_default(signal)? {
                dispose(signal, SigHandler::SigDfl)?;
            }
        }
        for signal in SURVIVED {
            dispose(signal, SigHandler::Handler(nothing))?;
        }
        let fd = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        Ok(Self { fd })
    }

    /// The next signal; none if there is none yet.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(crate) fn next(&self) -> io::Result<Option<Signal>> {
        match self.fd.read_signal() {
            Ok(Some(info)) => {
                let number = c_int::try_from(info.ssi_signo).map_err(|_| Errno::EINVAL)?;
                Ok(Some(Signal::try_from(number)?))
            }
            Ok(None) | Err(Errno::EAGAIN | Errno::EINTR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl SignalSource {
    /// Waits for `time`, or for a signal that ends the process; whether none came. Others are dropped.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(crate) fn rest(&self, time: Duration) -> io::Result<bool> {
        let timeout = PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX);
        let mut fds = [PollFd::new(self.as_fd(), PollFlags::POLLIN)];
        if let Err(error) = poll(&mut fds, timeout)
            && error != Errno::EINTR
        {
            return Err(error.into());
        }
        while let Some(signal) = self.next()? {
            if matches!(signal, Signal::SIGTERM | Signal::SIGINT | Signal::SIGQUIT) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl AsFd for SignalSource {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// In a worker: the signals of a terminal, a supervisor or a curious operator do nothing. They are
/// handled by an empty function and not ignored, because what is ignored stays ignored in the
/// programs that the application starts.
///
/// # Errors
///
/// The kernel's.
pub(crate) fn disregard() -> io::Result<()> {
    for signal in DISREGARDED.into_iter().chain(SURVIVED) {
        dispose(signal, SigHandler::Handler(nothing))?;
    }
    Ok(())
}

/// Between fork and exec: ignores what a worker disregards, until it can say so itself, and resets the
/// rest. Async-signal-safe.
pub(super) fn reset_for_exec() {
    for signal in Signal::iterator() {
        let fixed = matches!(signal, Signal::SIGKILL | Signal::SIGSTOP);
        let ignored = DISREGARDED.contains(&signal) || SURVIVED.contains(&signal);
        if !fixed {
            let handler = if ignored {
                SigHandler::SigIgn
            } else {
                SigHandler::SigDfl
            };
            // Every number is valid and neither of the fixed two.
            let _ = dispose(signal, handler);
        }
    }
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None);
}

/// Signals that were ignored: each is told of once, so that nobody waits for what does not come.
#[derive(Debug, Default)]
pub(crate) struct Ignored(BTreeSet<Signal>);

impl Ignored {
    /// Tells that a signal was ignored, and why.
    pub(crate) fn tell(&mut self, signal: Signal, why: &str) {
        if self.0.insert(signal) {
            tracing::info!("{signal} {why}");
        }
    }
}

/// Whether this process has a controlling terminal, whose signals may be nobody's wish. Who cannot look
/// for want of descriptors or memory had better not take such a signal for one.
pub(crate) fn has_terminal() -> bool {
    let flags = OFlag::O_RDONLY | OFlag::O_NOCTTY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
    match open("/dev/tty", flags, Mode::empty()) {
        Ok(_) | Err(Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM) => true,
        Err(_) => false,
    }
}

/// What the master heeds.
const HEEDED: [Signal; 10] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGWINCH,
    Signal::SIGTTIN,
    Signal::SIGTTOU,
    Signal::SIGCHLD,
];

/// What a worker disregards: the same without CHLD, which belongs to the application.
const DISREGARDED: [Signal; 9] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGWINCH,
    Signal::SIGTTIN,
    Signal::SIGTTOU,
];

/// What would end any process of the server: a file that may grow no further (RLIMIT_FSIZE) is a failed
/// write like any other.
const SURVIVED: [Signal; 1] = [Signal::SIGXFSZ];

fn dispose(signal: Signal, handler: SigHandler) -> nix::Result<()> {
    let action = SigAction::new(handler, SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handlers set here are the default, ignoring, and `nothing`, which does nothing at all.
    unsafe { sigaction(signal, &action) }.map(drop)
}

fn is_default(signal: Signal) -> nix::Result<bool> {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: without a new action the kernel only writes the present one.
    let asked = unsafe { libc::sigaction(signal as c_int, ptr::null(), action.as_mut_ptr()) };
    Errno::result(asked)?;
    // SAFETY: written by the successful call.
    let action = unsafe { action.assume_init() };
    Ok(action.sa_sigaction == libc::SIG_DFL)
}

extern "C" fn nothing(_: c_int) {}
