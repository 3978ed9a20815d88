//! [`Fronted`]: a front's protocol on a socket.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::rc::Rc;
use std::task::{Poll, ready};

use super::Socket;
use crate::fronts::{Front, Report, Taken};

/// A front's protocol, and how far what was written has come.
#[derive(Debug)]
pub(super) struct Fronted {
    front: Front,
    /// Bytes of its output that were sent.
    sent: usize,
    /// Bytes that were taken over: whoever wrote them has not been told that they are gone.
    owed: usize,
    /// The last answer was sent; the end of our output is due behind it.
    parting: bool,
    /// Our output has ended.
    ended: bool,
}

impl Fronted {
    pub(super) fn new(front: Front) -> Self {
        Self {
            front,
            sent: 0,
            owed: 0,
            parting: false,
            ended: false,
        }
    }

    pub(super) fn report(&self) -> &Rc<Report> {
        self.front.report()
    }

    pub(super) fn has_input(&self) -> bool {
        self.front.has_text()
    }

    pub(super) fn poll_read(
        &mut self,
        socket: &mut Socket,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let taken = self.front.take(into);
            if self.owed == 0 && !self.front.output().is_empty() && !self.parting {
                // Answers to what is no request: a front that does not read them waits for itself.
                let _ = self.poll_flush(socket);
            }
            match taken {
                Taken::Text(count) => return Poll::Ready(Ok(count)),
                Taken::Nothing => return Poll::Pending,
                Taken::End => return Poll::Ready(Ok(0)),
                Taken::Gone => return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
                Taken::Fault => return Poll::Ready(Err(PROTOCOL.into())),
                Taken::More => {}
            }
            // Asked first: to have memory ready has a price.
            if !socket.may_read() {
                self.front.rest();
                return Poll::Pending;
            }
            let input = self.front.input();
            input.reserve(READ_BYTES);
            match socket.poll_read_behind(input) {
                Poll::Pending => {
                    self.front.rest();
                    return Poll::Pending;
                }
                Poll::Ready(Ok(0)) => self.front.end_input(),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            }
        }
    }

    pub(super) fn poll_write<'a>(
        &mut self,
        socket: &mut Socket,
        parts: impl IntoIterator<Item = &'a [u8]>,
    ) -> Poll<io::Result<usize>> {
        if self.owed == 0 {
            for part in parts {
                let part = &part[..part.len().min(WRITTEN_AT_ONCE - self.owed)];
                self.front.write(part);
                self.owed += part.len();
            }
        }
        ready!(self.poll_flush(socket))?;
        Poll::Ready(Ok(std::mem::take(&mut self.owed)))
    }

    /// The file's bytes have to pass through here.
    pub(super) fn poll_send_file(
        &mut self,
        socket: &mut Socket,
        file: &File,
        offset: u64,
        length: u64,
    ) -> Poll<io::Result<usize>> {
        if self.owed > 0 {
            return self.poll_write(socket, []);
        }
        let most = usize::try_from(length).unwrap_or(usize::MAX);
        let mut bytes = [0; FILE_BYTES];
        let bytes = &mut bytes[..most.min(FILE_BYTES)];
        let count = file.read_at(bytes, offset)?;
        self.poll_write(socket, [&bytes[..count]])
    }

    /// The connection is about to be closed, which ends our output.
    pub(super) fn part(&mut self, socket: &mut Socket) {
        if !self.parting {
            self.front.finish();
            // What the kernel does not take now will not be asked for again.
            let _ = self.poll_flush(socket);
        }
    }

    /// The connection stays: tells the front that the last answer was whole.
    pub(super) fn settle(&mut self, socket: &Socket) {
        if self.parting && !std::mem::replace(&mut self.ended, true) {
            socket.shut_down_output();
        }
    }

    pub(super) fn shut_down_output(&mut self, socket: &mut Socket) {
        self.part(socket);
        self.parting = true;
        self.settle(socket);
    }

    fn poll_flush(&mut self, socket: &mut Socket) -> Poll<io::Result<()>> {
        // An answer behind which the connection ends leaves in one segment with that end: a front
        // that saw the answer alone would send the next request into the closing connection. The end is
        // the connection's own, in the same turn, or else ours. A unix socket knows no segments.
        let is_last = self.front.is_last();
        let output = self.front.output();
        while self.sent < output.len() {
            let rest = &output[self.sent..];
            let count = ready!(match is_last {
                true => socket.poll_write_ahead(rest),
                false => socket.poll_write(rest),
            })?;
            self.sent += count;
        }
        self.sent = 0;
        // Between requests nothing is held.
        *output = Vec::new();
        self.parting |= is_last;
        Poll::Ready(Ok(()))
    }
}

/// How the end of a connection is told whose other end does not keep to its protocol.
pub(crate) const PROTOCOL: io::ErrorKind = io::ErrorKind::InvalidInput;
/// Bytes that are read at once.
const READ_BYTES: usize = 16 * 1024;
/// Bytes that are taken over at once.
const WRITTEN_AT_ONCE: usize = 64 * 1024;
/// Bytes of a file that are taken over at once.
const FILE_BYTES: usize = 32 * 1024;
