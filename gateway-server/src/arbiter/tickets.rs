//! The keys of TLS session tickets, which the master replaces again and again.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use crate::config::Config;
use crate::tls::TicketKeys;

/// The memory that holds them, and when the next is due.
#[derive(Debug)]
pub(super) struct Tickets {
    file: File,
    /// The same, for workers.
    to_read: OwnedFd,
    keys: TicketKeys,
    due: Duration,
}

impl Tickets {
    /// Those that another program has `left` in this process, or new ones.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(super) fn new(left: Option<OwnedFd>, now: Duration, config: &Config) -> io::Result<Self> {
        let file = match left {
            Some(file) => file.into(),
            None => TicketKeys::create()?,
        };
        Ok(Self {
            keys: TicketKeys::map(&file)?,
            to_read: TicketKeys::to_read(&file)?,
            file,
            due: now + config.tls_ticket_lifetime,
        })
    }

    /// What workers are given.
    pub(super) fn to_read(&self) -> BorrowedFd<'_> {
        self.to_read.as_fd()
    }

    /// When the next key is due; never where nobody needs any.
    pub(super) fn next_deadline(&self, config: &Config) -> Option<Duration> {
        config.tls_files().is_some().then_some(self.due)
    }

    /// Replaces the key if it is time.
    pub(super) fn turn(&mut self, now: Duration, config: &Config) {
        if self.next_deadline(config).is_some_and(|due| due <= now) {
            self.due = now + config.tls_ticket_lifetime;
            if let Err(error) = self.keys.turn() {
                tracing::error!("the key of TLS session tickets stays as it was: {error}");
            }
        }
    }
}

/// For a successor.
impl AsFd for Tickets {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
