//! Child processes that run the same program.

use std::ffi::{CStr, CString, OsStr, OsString, c_char};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::libc;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, sigprocmask};
use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::PeerCredentials;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::{ForkResult, Pid, SysconfVar, fork, getppid, sysconf};

use super::signals;

/// A program, held open: replacing or removing its file changes nothing for the processes to come.
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
        let file = path_only(Path::new(EXE))
            .or_else(|error| path_only(name.as_ref()).map_err(|_| error))?;
        Self::held(file, name)
    }

    /// Opens the program at `path`.
    ///
    /// # Errors
    ///
    /// The kernel's; what is no file, or one that nobody may execute.
    pub(crate) fn open(path: &Path, name: &OsStr) -> io::Result<Self> {
        let file = path_only(path)?;
        let found = file.metadata()?;
        if !found.is_file() || found.permissions().mode() & 0o111 == 0 {
            return Err(Errno::EACCES.into());
        }
        Self::held(file, name)
    }

    /// A program that another process has opened and left to this one.
    ///
    /// # Errors
    ///
    /// A name that holds a NUL.
    pub(crate) fn adopt(fd: OwnedFd, name: &OsStr) -> io::Result<Self> {
        Self::held(File::from(fd), name)
    }

    fn held(file: File, name: &OsStr) -> io::Result<Self> {
        let mut environment = Vec::new();
        for (key, value) in std::env::vars_os() {
            if !is_private(&key) {
                environment.push(record(key, &value)?);
            }
        }
        Ok(Self {
            file,
            name: CString::new(name.as_bytes())?,
            environment,
        })
    }

    /// Makes this process run the program with `arguments`: process number, children, pending and
    /// blocked signals and the whole environment stay. Of all descriptors it gets the three standard
    /// ones and `inherited`, under their numbers here. Returns only if that fails, and then nothing has
    /// changed.
    ///
    /// To be called in a process without other threads.
    pub(crate) fn become_it(
        &self,
        arguments: &[CString],
        inherited: &[BorrowedFd<'_>],
    ) -> io::Error {
        let everything: io::Result<Vec<CString>> = std::env::vars_os()
            .map(|(key, value)| record(key, &value))
            .collect();
        let environment = match everything {
            Ok(environment) => environment,
            Err(error) => return error,
        };
        for fd in inherited {
            // It is open, since it is borrowed.
            let _ = fcntl(fd, FcntlArg::F_SETFD(FdFlag::empty()));
        }
        let arguments = list([self.name.as_c_str()].into_iter().chain(borrow(arguments)));
        let failure = execute(
            self.file.as_raw_fd(),
            &arguments,
            &list(borrow(&environment)),
        );
        for fd in inherited {
            let _ = fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC));
        }
        failure.into()
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
        self.spawn_amid(std::iter::empty(), arguments, inherited)
    }

    /// The same with `variables` in the environment, in place of others of their names.
    ///
    /// # Errors
    ///
    /// The kernel's, and a variable that holds a NUL.
    pub(crate) fn spawn_amid<'v>(
        &self,
        variables: impl Iterator<Item = (&'v str, &'v str)>,
        arguments: &[CString],
        inherited: &[BorrowedFd<'_>],
    ) -> io::Result<Pid> {
        let mut added: Vec<CString> = Vec::new();
        for (name, value) in variables {
            let one = record(name.into(), OsStr::new(value))?;
            added.retain(|other| variable_name(other) != variable_name(&one));
            added.push(one);
        }
        let stays = |one: &&CString| {
            let other = |new: &CString| variable_name(new) != variable_name(one);
            added.iter().all(other)
        };
        // Everything that allocates happens here; the child only makes system calls.
        let arguments = list([self.name.as_c_str()].into_iter().chain(borrow(arguments)));
        let kept = self.environment.iter().filter(stays).map(CString::as_c_str);
        let environment = list(kept.chain(borrow(&added)));
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

impl AsFd for Image {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// The absolute path that this process was started by, links unresolved: what is put there is the
/// next program. `name` is what the process was called as.
pub(crate) fn start_path(name: &OsStr) -> PathBuf {
    let running = std::fs::metadata(EXE).map(|found| (found.dev(), found.ino()));
    let is_running = |path: &PathBuf| {
        let found = std::fs::metadata(path).map(|found| (found.dev(), found.ino()));
        matches!((&found, &running), (Ok(found), Ok(running)) if found == running)
    };
    let named = std::path::absolute(name).ok();
    let named = named.filter(|_| name.as_bytes().contains(&b'/'));
    let search = std::env::var_os("PATH").unwrap_or_default();
    let searched = std::env::split_paths(&search).filter_map(|folder| {
        let path = std::path::absolute(folder.join(name)).ok();
        path.filter(|_| named.is_none())
    });
    let found = named.clone().into_iter().chain(searched).find(is_running);
    // Started by a name that says nothing of the file, as shells and debuggers may do.
    found
        .or_else(|| std::fs::read_link(EXE).ok())
        .or(named)
        .unwrap_or_else(|| name.into())
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It returned this code.
    Code(i32),
    /// A signal ended it.
    Signal(Signal),
}

/// What is said of who ended: `the worker {ended}`.
impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(EXEC_FAILED) => f.write_str("could not be executed"),
            Self::Code(code) => write!(f, "exited with code {code}"),
            Self::Signal(signal) => write!(f, "was ended by {signal}"),
        }
    }
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

/// Waits until this child ends.
///
/// # Errors
///
/// The kernel's: it is no child of ours.
pub(crate) fn wait(child: Pid) -> io::Result<Ended> {
    loop {
        return match waitpid(child, None) {
            Ok(WaitStatus::Exited(_, code)) => Ok(Ended::Code(code)),
            Ok(WaitStatus::Signaled(_, signal, _)) => Ok(Ended::Signal(signal)),
            Ok(_) | Err(Errno::EINTR) => continue,
            Err(error) => Err(error.into()),
        };
    }
}

/// How long ago the process with this number started; none if there is none, if it has ended and is
/// only waited for, or if `/proc` does not say.
pub(crate) fn age(pid: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    let started: u64 = fields.nth(STARTED_BEHIND_STATE)?.parse().ok()?;
    let ticks = u64::try_from(sysconf(SysconfVar::CLK_TCK).ok()??).ok()?;
    let started = Duration::from_millis(started.checked_mul(1000)? / ticks);
    let now = Duration::from(clock_gettime(ClockId::CLOCK_BOOTTIME).ok()?);
    (!matches!(state, "Z" | "X")).then(|| now.saturating_sub(started))
}

/// Fields of `/proc/PID/stat` between the state and the time of the start (proc(5): 3 and 22).
const STARTED_BEHIND_STATE: usize = 18;

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
    let parent = Pid::this();
    // SAFETY: all of them are system calls without memory, which is all that may happen between fork and exec.
    unsafe {
        command.pre_exec(move || {
            sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
            set_pdeathsig(Signal::SIGTERM)?;
            // It may have ended before.
            if getppid() != parent {
                return Err(Errno::ESRCH.into());
            }
            Ok(())
        })
    };
}

/// Has the kernel kill this process when the one that started it ends, or ends it at once if that has
/// happened already; for processes without a life of their own. `socket` is one of a pair that the other
/// process has made.
pub(crate) fn end_with_parent(socket: impl AsFd) {
    // Only a number that is no signal can fail.
    let _ = set_pdeathsig(Signal::SIGKILL);
    // Whoever has adopted us is another; which number that has depends on the system.
    let maker = getsockopt(&socket, PeerCredentials).map(|found| found.pid());
    if maker.is_ok_and(|pid| pid != getppid().as_raw()) {
        exit_now(libc::EXIT_FAILURE);
    }
}

/// Gives the process a name for `ps` and `top`; at most 15 bytes of it count.
pub(crate) fn set_name(name: &str) {
    if let Ok(name) = CString::new(name) {
        // Only a bad pointer can fail.
        let _ = nix::sys::prctl::set_name(&name);
    }
}

/// Removes from the environment what speaks to this process alone, before foreign code is loaded that
/// would take it for its own.
///
/// To be called in a process without other threads.
pub(crate) fn forget_private_variables() {
    for (variable, _) in std::env::vars_os() {
        if is_private(&variable) {
            // SAFETY: no other thread reads the environment, since there is none.
            unsafe { std::env::remove_var(variable) };
        }
    }
}

/// Sets variables of the environment. To be called in a process without other threads.
#[expect(clippy::disallowed_methods, reason = "there is no second thread")]
pub(crate) fn set_variables<'v>(variables: impl Iterator<Item = (&'v str, &'v str)>) {
    for (name, value) in variables {
        // SAFETY: no other thread reads the environment, since there is none.
        unsafe { std::env::set_var(name, value) };
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

/// The program of this process.
const EXE: &str = "/proc/self/exe";

/// What a child returns when the program could not be executed.
pub(crate) const EXEC_FAILED: i32 = 127;

/// Variables that speak to this process alone: what a service manager tells its child.
const PRIVATE_VARIABLES: [&[u8]; 3] = [b"NOTIFY_", b"LISTEN_", b"WATCHDOG_"];

fn is_private(variable: &OsStr) -> bool {
    let name = variable.as_bytes();
    PRIVATE_VARIABLES
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

fn path_only(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_PATH)
        .open(path)
}

fn borrow(strings: &[CString]) -> impl Iterator<Item = &CStr> {
    strings.iter().map(CString::as_c_str)
}

/// As the kernel wants it: pointers, and NULL behind them.
fn list<'a>(strings: impl Iterator<Item = &'a CStr>) -> Vec<*const c_char> {
    strings
        .map(CStr::as_ptr)
        .chain([std::ptr::null()])
        .collect()
}

/// What stands before the first `=` of a record.
fn variable_name(record: &CString) -> &[u8] {
    let bytes = record.as_bytes();
    let end = bytes.iter().position(|byte| *byte == b'=');
    &bytes[..end.unwrap_or(bytes.len())]
}

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
    execute(image, arguments, environment);
    exit_now(EXEC_FAILED)
}

/// Async-signal-safe; returns only if it failed. Both lists are made by [`list`], of strings that live.
fn execute(image: RawFd, arguments: &[*const c_char], environment: &[*const c_char]) -> Errno {
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
    Errno::last()
}
