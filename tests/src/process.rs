//! A child process whose output is watched line by line, and which never outlives its test.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::{DEADLINE, END};

/// A running program; killed with its process group on drop.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    output: Arc<Output>,
}

/// Lines from stdout and stderr as they come, and how many streams are still open.
#[derive(Debug, Default)]
struct Output {
    state: Mutex<(Vec<String>, usize)>,
    changed: Condvar,
}

impl Process {
    /// Starts a program in a process group of its own.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let name = format!("{command:?}");
        let spawned = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let output = Arc::new(Output {
            state: Mutex::new((Vec::new(), 2)),
            ..Output::default()
        });
        output.watch(child.stdout.take().expect("stdout is piped"));
        output.watch(child.stderr.take().expect("stderr is piped"));
        Self {
            name,
            child,
            output,
        }
    }

    /// The process's id.
    #[must_use]
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a pid is a positive i32")
    }

    /// Sends a signal to this process alone.
    ///
    /// # Panics
    /// When it has gone.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal)
            .unwrap_or_else(|error| panic!("{signal} to {}: {error}", self.name));
    }

    /// Waits until a line answers `Some`, counting lines already there from the `from`th on.
    ///
    /// # Panics
    /// When the program's output ends first, or at the deadline.
    pub fn line<T>(&self, what: &str, from: usize, test: impl Fn(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + DEADLINE;
        let mut next = from;
        let mut state = self.output.lock();
        loop {
            if let Some(found) = state.0[next.min(state.0.len())..]
                .iter()
                .find_map(|line| test(line))
            {
                return found;
            }
            next = next.max(state.0.len());
            let left = deadline.saturating_duration_since(Instant::now());
            if state.1 == 0 || left.is_zero() {
                let end = if left.is_zero() {
                    "the deadline"
                } else {
                    "its end"
                };
                panic!(
                    "{}: no {what} by {end}; it said:\n{}",
                    self.name,
                    state.0.join("\n")
                );
            }
            state = match self.output.changed.wait_timeout(state, left) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }

    /// Waits for a line that contains `text`.
    pub fn line_with(&self, text: &str, from: usize) -> String {
        self.line(text, from, |line| {
            line.contains(text).then(|| line.to_owned())
        })
    }

    /// How many lines there are so far: the `from` of what comes after now.
    #[must_use]
    pub fn lines_so_far(&self) -> usize {
        self.output.lock().0.len()
    }

    /// Everything said so far.
    #[must_use]
    pub fn said(&self) -> String {
        self.output.lock().0.join("\n")
    }

    /// Waits for the end of output and process.
    ///
    /// # Panics
    /// When it still runs when it should have ended.
    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + END;
        let mut state = self.output.lock();
        while state.1 > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "{} still runs; it said:\n{}",
                self.name,
                state.0.join("\n")
            );
            state = match self.output.changed.wait_timeout(state, left) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        drop(state);
        self.child
            .wait()
            .expect("a child of ours can be waited for")
    }

    /// Waits for the end and answers the exit code and everything said.
    ///
    /// # Panics
    /// When it still runs when it should have ended, or a signal ended it.
    pub fn end(mut self) -> (i32, String) {
        let status = self.wait();
        let said = self.said();
        let code = status
            .code()
            .unwrap_or_else(|| panic!("{}: {status}; it said:\n{said}", self.name));
        (code, said)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Workers are of the same group; an empty group is no error worth telling.
        let _gone = killpg(Pid::from_raw(self.pid()), Signal::SIGKILL);
        let _reaped = self.child.wait();
        if thread::panicking() {
            eprintln!("{} said:\n{}", self.name, self.said());
        }
    }
}

/// Changes a limit of a running process: `--nofile=100:`, as `prlimit` understands it.
///
/// # Panics
/// When it may not be changed.
pub fn limit(pid: i32, what: &str) {
    let mut prlimit = Command::new("prlimit");
    prlimit.args(["--pid", &pid.to_string(), what]);
    let status = prlimit.status().expect("prlimit of util-linux");
    assert!(status.success(), "{prlimit:?}");
}

impl Output {
    fn watch(self: &Arc<Self>, source: impl Read + Send + 'static) {
        let output = Arc::clone(self);
        thread::spawn(move || {
            for line in BufReader::new(source).split(b'\n').map_while(Result::ok) {
                output
                    .lock()
                    .0
                    .push(String::from_utf8_lossy(&line).into_owned());
                output.changed.notify_all();
            }
            output.lock().1 -= 1;
            output.changed.notify_all();
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (Vec<String>, usize)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
