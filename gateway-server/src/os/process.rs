//! Child processes that run the same program.

use std::ffi::{CStr, CString, OsStr, OsString, c_char};
use std::fs::{File, OpenOptions};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::libc;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, sigprocmask};
use nix::sys::wait::WaitStatus;
use nix::unistd::{ForkResult, Pid, fork};

use super::signals;

/// The program that this process runs, held open: replacing or removing its file changes nothing for
/// the workers to come.
#[derive(Debug)]
pub(crate) struct Image {
    file: File,
    name: CString,
    environment: Vec<CString>,
}

impl Image {
    /// Opens the running program; `name` is what children get as `argv[0]`.
    ///
    /// # Errors
    ///
    /// The kernel's; `/proc` must be mounted, or `name` be the program's path.
    pub(crate) fn running(name: &OsStr) -> io::Result<Self> {
        let path_only = |path: &OsStr| {
            OpenOptions::new()
                .read(true)
                .custom_flags(libc::O_PATH)
                .open(path)
        };
        let file = path_only(OsStr::new("/proc/self/exe"))
            .or_else(|error| path_only(name).map_err(|_| error))?;
        let mut environment = Vec::new();
        for (key, value) in std::env::vars_os() {
            if !PRIVATE_VARIABLES
                .iter()
                .any(|prefix| key.as_bytes().starts_with(prefix))
            {
                environment.push(record(key, &value)?);
            }
        }
        Ok(Self {
            file,
            name: CString::new(name.as_bytes())?,
            environment,
        })
    }

    /// Starts the program again with `arguments`. Of all descriptors the child gets the three standard
    /// ones and `inherited`, under their numbers here. If the program cannot be executed, the child
    /// ends with [`EXEC_FAILED`].
    ///
    /// # Errors
    ///
    /// The kernel's: too many processes, no memory.
    pub(crate) fn spawn(
        &self,
        arguments: &[CString],
        inherited: &[BorrowedFd<'_>],
    ) -> io::Result<Pid> {
        // Everything that allocates happens here; the child only makes system calls.
        let arguments: Vec<*const c_char> = [self.name.as_c_str()]
            .into_iter()
            .chain(arguments.iter().map(CString::as_c_str))
            .map(CStr::as_ptr)
            .chain([std::ptr::null()])
            .collect();
        let environment: Vec<*const c_char> = self
            .environment
            .iter()
            .map(|one| one.as_ptr())
            .chain([std::ptr::null()])
            .collect();
        // SAFETY: the child calls nothing but `run_in_child`, which is async-signal-safe and never
        // returns, so that it does not matter what other threads of this process held.
        match unsafe { fork() }? {
            ForkResult::Parent { child } => Ok(child),
            ForkResult::Child => run_in_child(
                self.file.as_fd().as_raw_fd(),
                &arguments,
                &environment,
                inherited,
            ),
        }
    }
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It returned this code.
    Code(i32),
    /// A signal ended it.
    Signal(Signal),
}

/// A child that has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reaped {
    /// Its number, which may mean another process from now on.
    pub(crate) pid: Pid,
    /// How it ended.
    pub(crate) ended: Ended,
    /// The most memory that it held at one time, in bytes.
    pub(crate) peak: u64,
}

/// The next child that has ended; none if all others still run or there are none.
///
/// # Errors
///
/// The kernel's.
pub(crate) fn reap() -> io::Result<Option<Reaped>> {
    loop {
        let mut status = 0;
        let mut used = MaybeUninit::<libc::rusage>::zeroed();
        // SAFETY: both places are large enough for what the kernel writes there.
        let pid = unsafe { libc::wait4(-1, &mut status, libc::WNOHANG, used.as_mut_ptr()) };
        let pid = match Errno::result(pid) {
            Ok(0) | Err(Errno::ECHILD) => return Ok(None),
            Ok(pid) => Pid::from_raw(pid),
            Err(Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        };
        let ended = match WaitStatus::from_raw(pid, status)? {
            WaitStatus::Exited(_, code) => Ended::Code(code),
            WaitStatus::Signaled(_, signal, _) => Ended::Signal(signal),
            // Stops and continuations are not asked for.
            _ => continue,
        };
        // SAFETY: all zeros are numbers, and so is what the kernel wrote over them.
        let used = unsafe { used.assume_init() };
        let kib = u64::try_from(used.ru_maxrss).unwrap_or_default();
        return Ok(Some(Reaped {
            pid,
            ended,
            peak: kib * 1024,
        }));
    }
}

/// Sends a signal to a child that has not been reaped, so that the number cannot mean another process.
pub(crate) fn send(pid: Pid, signal: Signal) {
    // A child that has ended but was not reaped takes any signal.
    let _ = kill(pid, signal);
}

/// Sends a signal to a child's process group.
pub(crate) fn send_group(leader: Pid, signal: Signal) {
    // A group that has ended needs no signal.
    let _ = nix::sys::signal::killpg(leader, signal);
}

/// Prepares a command whose process ends with this one, to be started by a thread that waits for it
/// or lives as long as the process: it is told TERM when that thread ends. It gets a group of its own,
/// so that a terminal's signals reach this process alone, and none of the signals that are blocked here.
pub(crate) fn ends_with_us(command: &mut Command) {
    command.process_group(0);
    // SAFETY: both are system calls without memory, which is all that may happen between fork and exec.
    unsafe {
        command.pre_exec(|| {
            sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
            set_pdeathsig(Signal::SIGTERM)?;
            Ok(())
        })
    };
}

/// Has the kernel kill this process when the one that started it ends; for processes without a life
/// of their own.
pub(crate) fn end_with_parent() {
    // Only a number that is no signal can fail.
    let _ = set_pdeathsig(Signal::SIGKILL);
}

/// Gives the process a name for `ps` and `top`; at most 15 bytes of it count.
pub(crate) fn set_name(name: &str) {
    if let Ok(name) = CString::new(name) {
        // Only a bad pointer can fail.
        let _ = nix::sys::prctl::set_name(&name);
    }
}

/// Lets this process and its children open as many files as the system allows: a connection is a file,
/// and the usual soft limit of 1,024 is for programs that still use `select`. Returns how many.
pub(crate) fn raise_file_limit() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return u64::MAX;
    };
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(error) => {
            tracing::debug!("cannot raise the limit of open files: {error}");
            soft
        }
    }
}

/// Ends the process this moment: no destructor, no handler. For when something in it does not let go.
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: ends the process without running anything of it.
    unsafe { libc::_exit(code) }
}

/// What a child returns when the program could not be executed.
pub(crate) const EXEC_FAILED: i32 = 127;

/// Variables that speak to this process alone: what a service manager tells its child.
const PRIVATE_VARIABLES: [&[u8]; 3] = [b"NOTIFY_", b"LISTEN_", b"WATCHDOG_"];

fn record(key: OsString, value: &OsStr) -> io::Result<CString> {
    let mut bytes = key.into_vec();
    bytes.push(b'=');
    bytes.extend_from_slice(value.as_bytes());
    Ok(CString::new(bytes)?)
}

/// Async-signal-safe: no allocation, no lock.
fn run_in_child(
    image: RawFd,
    arguments: &[*const c_char],
    environment: &[*const c_char],
    inherited: &[BorrowedFd<'_>],
) -> ! {
    signals::reset_for_exec();
    for fd in inherited {
        // It is open, since it is borrowed.
        let _ = fcntl(fd, FcntlArg::F_SETFD(FdFlag::empty()));
    }
    // SAFETY: both lists end with NULL and their strings outlive the call; the path is a static string.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            image,
            c"".as_ptr(),
            arguments.as_ptr(),
            environment.as_ptr(),
            libc::AT_EMPTY_PATH,
        )
    };
    exit_now(EXEC_FAILED)
}
