//! The master's hold on the process that prepares the next generation. What that process does is in
//! `prepare`.

use std::ffi::{CString, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::event::Generation;
use crate::orders;
use crate::os::process::{self, Image};
use crate::prepare::{self, Parcel, Part};

/// A preparing process, from its start until it has answered. It is killed on drop.
#[derive(Debug)]
pub(super) struct Preparation {
    /// None once it has been reaped, when the number may mean another process.
    pid: Option<Pid>,
    socket: OwnedFd,
    /// What it prepares.
    pub(super) generation: Generation,
    /// The number of the only application that is loaded anew, if it is one.
    pub(super) app: Option<usize>,
    /// When it has taken too long.
    pub(super) deadline: Duration,
}

impl Preparation {
    /// Starts it; `words` are those of the command line, without the program's name.
    ///
    /// # Errors
    ///
    /// The kernel's: too many processes or files, no memory.
    pub(super) fn start(
        image: &Image,
        words: &[OsString],
        generation: Generation,
        deadline: Duration,
    ) -> io::Result<Self> {
        let (socket, theirs) = orders::pair()?;
        let mut arguments = vec![CString::new(prepare::ROLE)?];
        arguments.push(prepare::argument(theirs.as_raw_fd()));
        for word in words {
            arguments.push(CString::new(word.as_bytes())?);
        }
        let pid = image.spawn(&arguments, &[theirs.as_fd()])?;
        Ok(Self {
            app: None,
            pid: Some(pid),
            socket,
            generation,
            deadline,
        })
    }

    /// Starts one that reads the certificates alone which `config` names.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(super) fn of_certificates(
        image: &Image,
        config: BorrowedFd<'_>,
        generation: Generation,
        deadline: Duration,
    ) -> io::Result<Self> {
        Self::of_part(image, config, Part::Certificates, generation, deadline)
    }

    /// Starts one that copies an application alone, of this number in `config`.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(super) fn of_app(
        image: &Image,
        config: BorrowedFd<'_>,
        number: usize,
        generation: Generation,
        deadline: Duration,
    ) -> io::Result<Self> {
        Self::of_part(image, config, Part::App(number), generation, deadline)
    }

    fn of_part(
        image: &Image,
        config: BorrowedFd<'_>,
        part: Part,
        generation: Generation,
        deadline: Duration,
    ) -> io::Result<Self> {
        let (socket, theirs) = orders::pair()?;
        let argument = part.argument(theirs.as_raw_fd(), config.as_raw_fd());
        let arguments = [CString::new(prepare::PART_ROLE)?, argument];
        let pid = image.spawn(&arguments, &[theirs.as_fd(), config])?;
        Ok(Self {
            app: part.app(),
            pid: Some(pid),
            socket,
            generation,
            deadline,
        })
    }

    /// Notes that a process was reaped.
    pub(super) fn reaped(&mut self, pid: Pid) {
        if self.pid == Some(pid) {
            self.pid = None;
        }
    }

    /// The socket to wait on.
    pub(super) fn ear(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// What it has sent, if it has; a process that ends without a word has failed.
    pub(super) fn hear(&self) -> Option<Parcel> {
        Parcel::receive(&self.socket).unwrap_or_else(|error| {
            let words = format!("the process that reads the configuration has failed: {error}");
            Some(Parcel::Refused(vec![words]))
        })
    }
}

impl Drop for Preparation {
    fn drop(&mut self) {
        if let Some(pid) = self.pid {
            process::send(pid, Signal::SIGKILL);
        }
    }
}
