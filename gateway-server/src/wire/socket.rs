//! [`Socket`]: the small layer of IO under a connection, TCP or unix.
//!
//! It remembers what the kernel said last: reads and writes go to the kernel only where they may
//! succeed, and a short one is not followed by another that would find nothing.

use std::fs::File;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::task::Poll;
use std::time::Duration;

use bytes::BytesMut;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown};
use socket2::SockRef;

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
    gone: bool,
    /// Bytes that may still be moved in this turn.
    allowance: usize,
    /// Whether more could have been moved in it.
    held_back: bool,
}

/// What an event of the kernel's says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Readiness {
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// The peer has ended its output.
    pub(crate) ended: bool,
    /// The connection is lost, both ways.
    pub(crate) gone: bool,
}

impl Socket {
    /// Takes over a nonblocking socket; the kernel will say when there is something to read.
    pub(crate) fn new(fd: OwnedFd) -> Self {
        Self {
            fd,
            readable: false,
            writable: true,
            ended: false,
            gone: false,
            allowance: TURN_BYTES,
            held_back: false,
        }
    }

    /// Notes what the kernel said.
    pub(crate) fn note(&mut self, readiness: Readiness) {
        self.readable |= readiness.readable;
        self.writable |= readiness.writable;
        self.ended |= readiness.ended;
        self.gone |= readiness.gone;
    }

    /// Lets the next read ask the kernel, whatever it said before.
    pub(crate) fn expect_input(&mut self) {
        self.readable = true;
    }

    /// Begins a turn: a peer that is as fast as we are must not keep the loop from other
    /// connections, so that after some bytes nothing moves until the next.
    #[inline]
    pub(crate) fn begin_turn(&mut self) {
        self.allowance = TURN_BYTES;
        self.held_back = false;
    }

    /// Whether the turn ended by itself: no event will say that there is more to do.
    #[inline]
    pub(crate) fn was_held_back(&self) -> bool {
        self.held_back
    }

    /// Whether the kernel said that the connection is lost, both ways.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone
    }

    /// Whether a read may bring something.
    #[inline]
    pub(crate) fn may_read(&mut self) -> bool {
        self.readable && self.has_allowance()
    }

    #[inline]
    fn may_write(&mut self) -> bool {
        self.writable && self.has_allowance()
    }

    #[inline]
    fn has_allowance(&mut self) -> bool {
        self.held_back |= self.allowance == 0;
        self.allowance > 0
    }

    /// Reads some bytes; 0 is the end of input.
    #[inline]
    pub(crate) fn poll_read(&mut self, into: &mut [u8]) -> Poll<io::Result<usize>> {
        if !self.may_read() {
            return Poll::Pending;
        }
        let asked = into.len();
        let read = rustix::net::recv(&self.fd, into, RecvFlags::empty());
        let read = read.map(|(count, _)| count);
        self.after_read(read.map_err(io::Error::from), asked)
    }

    /// Looks at what can be read without taking it; the next look waits until more has come.
    pub(crate) fn poll_peek(&mut self, into: &mut [u8]) -> Poll<io::Result<usize>> {
        if !self.may_read() {
            return Poll::Pending;
        }
        let seen = rustix::net::recv(&self.fd, into, RecvFlags::PEEK);
        // What was seen is there for good, and the kernel tells only of what comes behind it.
        self.after_read(
            seen.map(|(count, _)| count).map_err(io::Error::from),
            usize::MAX,
        )
    }

    /// Reads what a look has shown, all of `into`.
    ///
    /// # Errors
    ///
    /// It is not there any more.
    pub(crate) fn take_seen(&mut self, into: &mut [u8]) -> io::Result<()> {
        let mut taken = 0;
        while taken < into.len() {
            match rustix::net::recv(&self.fd, &mut into[taken..], RecvFlags::empty())? {
                (0, _) => return Err(io::ErrorKind::UnexpectedEof.into()),
                (count, _) => taken += count,
            }
        }
        // There may be more behind it.
        self.readable = true;
        Ok(())
    }

    /// Whether the peer has ended its output.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Reads some bytes behind those in `into`, whose spare capacity bounds them.
    pub(crate) fn poll_read_behind(&mut self, into: &mut BytesMut) -> Poll<io::Result<usize>> {
        if !self.may_read() {
            return Poll::Pending;
        }
        let asked = into.capacity() - into.len();
        let read = os::socket::receive(self.as_fd(), into);
        self.after_read(read, asked)
    }

    /// Writes some of `bytes`.
    #[inline]
    pub(crate) fn poll_write(&mut self, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if !self.may_write() {
            return Poll::Pending;
        }
        let sent = rustix::net::send(&self.fd, bytes, SendFlags::NOSIGNAL);
        self.after_write(sent.map_err(io::Error::from))
    }

    /// Writes some of `bytes`, behind which more is written at once: the kernel waits for that a
    /// moment before it sends a packet that is not full.
    pub(crate) fn poll_write_ahead(&mut self, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if !self.may_write() {
            return Poll::Pending;
        }
        let flags = SendFlags::NOSIGNAL | SendFlags::MORE;
        let sent = rustix::net::send(&self.fd, bytes, flags);
        self.after_write(sent.map_err(io::Error::from))
    }

    /// Writes some of `buffers`, in order.
    pub(crate) fn poll_write_all_of(&mut self, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if !self.may_write() {
            return Poll::Pending;
        }
        let mut nothing = SendAncillaryBuffer::default();
        let sent = rustix::net::sendmsg(&self.fd, buffers, &mut nothing, SendFlags::NOSIGNAL);
        self.after_write(sent.map_err(io::Error::from))
    }

    /// Sends some bytes of a file from `offset` on, without passing them through this process; 0 is
    /// the file's end.
    pub(crate) fn poll_send_file(
        &mut self,
        file: &File,
        offset: u64,
        length: u64,
    ) -> Poll<io::Result<usize>> {
        if !self.may_write() {
            return Poll::Pending;
        }
        let count = usize::try_from(length)
            .unwrap_or(usize::MAX)
            .min(SENDFILE_BYTES);
        let mut at = offset;
        let sent = rustix::fs::sendfile(&self.fd, file, Some(&mut at), count);
        self.after_write(sent.map_err(io::Error::from))
    }

    /// Bytes that were written and that the peer has not taken yet.
    pub(crate) fn unsent(&self) -> u64 {
        os::socket::unsent(self.as_fd())
    }

    /// Decides how the connection ends when it is closed, be it by the end of this process: with a
    /// reset, so that what was sent so far cannot pass for the whole, or as usual. A unix socket knows
    /// no reset.
    pub(crate) fn end_with_reset(&self, reset: bool) {
        // A connection that is gone has its end.
        let _ = SockRef::from(self).set_linger(reset.then_some(Duration::ZERO));
    }

    /// Ends the output; the peer may go on sending.
    pub(crate) fn shut_down_output(&self) {
        // A peer that is gone needs no goodbye.
        let _ = rustix::net::shutdown(&self.fd, Shutdown::Write);
    }

    #[inline]
    fn after_read(&mut self, read: io::Result<usize>, asked: usize) -> Poll<io::Result<usize>> {
        match read {
            Ok(count) => {
                self.allowance = self.allowance.saturating_sub(count);
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
            Ok(count) => {
                self.allowance = self.allowance.saturating_sub(count);
                Poll::Ready(Ok(count))
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Bytes that a connection moves before others have their turn.
const TURN_BYTES: usize = 512 * 1024;
/// Bytes of one sendfile call, which is a turn by itself.
const SENDFILE_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::net::UnixStream;

    use super::*;

    fn pair() -> (Socket, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let mut socket = Socket::new(ours.into());
        socket.note(Readiness {
            readable: true,
            writable: true,
            ended: false,
            gone: false,
        });
        (socket, theirs)
    }

    #[test]
    fn a_turn_ends_although_there_is_more_to_read() {
        let (mut socket, mut peer) = pair();
        let mut buffer = vec![0; 32 * 1024];
        let mut moved = 0;
        while moved < TURN_BYTES {
            peer.write_all(&buffer).unwrap();
            let read = socket.poll_read(&mut buffer);
            assert!(matches!(read, Poll::Ready(Ok(count)) if count == buffer.len()));
            moved += buffer.len();
        }
        peer.write_all(b"more").unwrap();
        assert!(!socket.was_held_back());
        assert!(socket.poll_read(&mut buffer).is_pending());
        assert!(socket.poll_write(b"nor is anything written").is_pending());
        assert!(socket.was_held_back());
        socket.begin_turn();
        assert!(matches!(socket.poll_read(&mut buffer), Poll::Ready(Ok(4))));
        assert!(!socket.was_held_back());
    }

    #[test]
    fn what_is_looked_at_stays_until_it_is_taken() {
        let (mut socket, mut peer) = pair();
        let mut buffer = [0; 10];
        peer.write_all(b"ab").unwrap();
        assert!(matches!(socket.poll_peek(&mut buffer), Poll::Ready(Ok(2))));
        assert!(socket.poll_peek(&mut buffer).is_pending());
        peer.write_all(b"cd").unwrap();
        socket.expect_input();
        assert!(matches!(socket.poll_peek(&mut buffer), Poll::Ready(Ok(4))));
        socket.take_seen(&mut buffer[..3]).unwrap();
        assert_eq!(&buffer[..3], b"abc");
        assert!(matches!(socket.poll_read(&mut buffer), Poll::Ready(Ok(1))));
        assert!(socket.take_seen(&mut buffer[..1]).is_err());
    }

    #[test]
    fn a_wait_for_the_kernel_is_no_end_of_a_turn() {
        let (mut socket, _peer) = pair();
        assert!(socket.poll_read(&mut [0; 10]).is_pending());
        assert!(!socket.was_held_back());
    }
}
