//! What `dev` waits for, and the threads that tell it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::mpsc::Sender;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;

use super::package::{Failure, Package};
use crate::os::signals::SignalSource;
use crate::workbench::Outcome;

/// What happens.
pub(super) enum Event {
    Signal(Signal),
    /// A file has changed.
    Changed(PathBuf),
    /// Cargo runs as this process.
    Cargo(u32),
    /// This is what the package is made of.
    Package(Package),
    /// A build has ended.
    Built(Result<PathBuf, Failure>),
    /// The server tells how a reload went.
    Outcome(Outcome),
}

/// Passes signals on, for the life of the process.
pub(super) fn heed(signals: &SignalSource, sender: &Sender<Event>) {
    loop {
        let mut fds = [PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
        // Whatever ends the wait, there is a signal or there is none.
        let _ = poll(&mut fds, PollTimeout::NONE);
        while let Ok(Some(signal)) = signals.next() {
            if sender.send(Event::Signal(signal)).is_err() {
                return;
            }
        }
    }
}

/// Passes on what the server tells, for the life of the process.
pub(super) fn listen(outcomes: File, sender: &Sender<Event>) {
    for line in BufReader::new(outcomes).lines().map_while(Result::ok) {
        let outcome = Outcome::parse(&line);
        if outcome.is_some_and(|outcome| sender.send(Event::Outcome(outcome)).is_err()) {
            return;
        }
    }
}
