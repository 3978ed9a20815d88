//! [`Socket`]: the small layer of IO under a connection, TCP or unix.
//!
//! It remembers what the kernel said last: reads and writes go to the kernel only where they may
//! succeed, and a short one is not followed by another that would find nothing.

use std::fs::File;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::task::Poll;

use bytes::BytesMut;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown};

use crate::os;

/// A connected, nonblocking stream socket.
#[derive(Debug)]
pub(crate) struct Socket {
    fd: OwnedFd,
    readable: bool,
    writable: bool,
    /// The peer has ended its output, or the connection is gone: there is something to read, be it
    /// the end, and no further event will say so.
    ended: bool,
}

/// What an event of the kernel's says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Readiness {
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    pub(crate) ended: bool,
}

impl Socket {
    /// Takes over a nonblocking socket; the kernel will say when there is something to read.
    pub(crate) fn new(fd: OwnedFd) -> Self {
        Self {
            fd,
            readable: false,
            writable: true,
            ended: false,
        }
    }

    /// Notes what the kernel said.
    pub(super) fn note(&mut self, readiness: Readiness) {
        self.readable |= readiness.readable;
        self.writable |= readiness.writable;
        self.ended |= readiness.ended;
    }

    /// Reads some bytes; 0 is the end of input.
    #[inline]
    pub(super) fn poll_read(&mut self, into: &mut [u8]) -> Poll<io::Result<usize>> {
        if !self.readable {
            return Poll::Pending;
        }
        let asked = into.len();
        let read = rustix::net::recv(&self.fd, into, RecvFlags::empty());
        let read = read.map(|(count, _)| count);
        self.after_read(read.map_err(io::Error::from), asked)
    }

    /// Reads some bytes behind those in `into`, whose spare capacity bounds them.
    pub(super) fn poll_read_behind(&mut self, into: &mut BytesMut) -> Poll<io::Result<usize>> {
        if !self.readable {
            return Poll::Pending;
        }
        let asked = into.capacity() - into.len();
        let read = os::socket::receive(self.as_fd(), into);
        self.after_read(read, asked)
    }

    /// Writes some of `bytes`.
    #[inline]
    pub(super) fn poll_write(&mut self, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if !self.writable {
            return Poll::Pending;
        }
        let sent = rustix::net::send(&self.fd, bytes, SendFlags::NOSIGNAL);
        self.after_write(sent.map_err(io::Error::from))
    }

    /// Writes some of `buffers`, in order.
    pub(super) fn poll_write_all_of(&mut self, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if !self.writable {
            return Poll::Pending;
        }
        let mut nothing = SendAncillaryBuffer::default();
        let sent = rustix::net::sendmsg(&self.fd, buffers, &mut nothing, SendFlags::NOSIGNAL);
        self.after_write(sent.map_err(io::Error::from))
    }

    /// Sends some bytes of a file from `offset` on, without passing them through this process; 0 is
    /// the file's end.
    pub(super) fn poll_send_file(
        &mut self,
        file: &File,
        offset: u64,
        length: u64,
    ) -> Poll<io::Result<usize>> {
        if !self.writable {
            return Poll::Pending;
        }
        let count = usize::try_from(length)
            .unwrap_or(usize::MAX)
            .min(SENDFILE_BYTES);
        let mut at = offset;
        let sent = rustix::fs::sendfile(&self.fd, file, Some(&mut at), count);
        self.after_write(sent.map_err(io::Error::from))
    }

    /// Ends the output; the peer may go on sending.
    pub(super) fn shut_down_output(&self) {
        // A peer that is gone needs no goodbye.
        let _ = rustix::net::shutdown(&self.fd, Shutdown::Write);
    }

    #[inline]
    fn after_read(&mut self, read: io::Result<usize>, asked: usize) -> Poll<io::Result<usize>> {
        match read {
            Ok(count) => {
                // The kernel tells of what arrives from now on; of the end it has told already.
                self.readable = count == asked || self.ended;
                Poll::Ready(Ok(count))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.readable = false;
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    #[inline]
    fn after_write(&mut self, written: io::Result<usize>) -> Poll<io::Result<usize>> {
        match written {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.writable = false;
                Poll::Pending
            }
            written => Poll::Ready(written),
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Bytes of one sendfile call: a fast reader must not keep the loop from other connections.
const SENDFILE_BYTES: usize = 1 << 20;
