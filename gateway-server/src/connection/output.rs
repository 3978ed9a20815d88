//! [`Output`]: what waits to be written to a connection.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSlice};
use std::task::Poll;

use arrayvec::ArrayVec;
use gateway_spec::FileRegion;
use gateway_spec::abi::OwnedBuffer;

use crate::http1::Outgoing;
use crate::wire::Wire;

/// Bytes in our own memory and, among them, large things that are not copied.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// Heads, small bodies, framing.
    pub(super) bytes: Outgoing,
    sent: usize,
    /// What is not copied, each behind so many of the bytes.
    large: VecDeque<(usize, Large)>,
    /// Bytes of the buffers there.
    lent: usize,
    /// How much may wait before it is written, as a power of two beyond [`HIGH_WATER`].
    pace: u8,
    /// All bytes ever written, to tell progress.
    written: u64,
}

/// Where it is, it stays.
#[derive(Debug)]
enum Large {
    /// A buffer of the application's, sent from an offset on.
    Buffer(OwnedBuffer, usize),
    /// A part of a file; nothing large stands behind it.
    File { file: File, offset: u64, left: u64 },
}

impl Output {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.len() == self.sent && self.large.is_empty()
    }

    /// All bytes ever written.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Whether more should be written before more is produced: one write's worth is enough, and a client
    /// that is slow to take it is offered less.
    pub(super) fn is_full(&self) -> bool {
        self.sent > 0
            || self.bytes.len() + self.lent >= HIGH_WATER << self.pace
            || self.large.len() == GATHERED
            || matches!(self.large.back(), Some((_, Large::File { .. })))
    }

    /// Adds a buffer: a copy of a small one, the buffer itself otherwise.
    pub(super) fn push(&mut self, buffer: OwnedBuffer) {
        if buffer.len() <= COPIED {
            self.bytes.extend_from_slice(&buffer);
        } else {
            self.lent += buffer.len();
            let large = Large::Buffer(buffer, 0);
            self.large.push_back((self.bytes.len(), large));
        }
    }

    /// Adds a part of a file.
    pub(super) fn push_file(&mut self, region: FileRegion) {
        let FileRegion {
            file,
            offset,
            length: left,
        } = region;
        if left > 0 {
            let large = Large::File { file, offset, left };
            self.large.push_back((self.bytes.len(), large));
        }
    }

    /// Writes `bytes`, before which nothing waits: at once, as most answers are, or else they become
    /// the output. They are empty afterwards.
    ///
    /// # Errors
    ///
    /// The connection broke.
    #[inline]
    pub(super) fn send(&mut self, bytes: &mut Outgoing, wire: &mut Wire) -> io::Result<()> {
        debug_assert!(self.is_empty());
        let count = match wire.poll_write(bytes) {
            Poll::Ready(count) => count?,
            Poll::Pending => 0,
        };
        self.written += count as u64;
        if count < bytes.len() {
            self.sent = count;
            std::mem::swap(&mut self.bytes, bytes);
        }
        bytes.clear();
        Ok(())
    }

    /// Keeps no memory for what will be written, if nothing waits.
    #[inline]
    pub(super) fn give_up_memory(&mut self) {
        if self.is_empty() && self.bytes.capacity() > 0 {
            self.bytes = Outgoing::default();
            self.large = VecDeque::new();
            self.sent = 0;
        }
    }

    /// Writes everything; ready once it is written.
    ///
    /// # Errors
    ///
    /// The connection broke; `UnexpectedEof` if a file ended before its part did.
    pub(super) fn poll_flush(&mut self, wire: &mut Wire) -> Poll<io::Result<()>> {
        if self.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let is_new = self.sent == 0 && self.is_full();
        while !self.is_empty() {
            let Poll::Ready(count) = self.poll_write_some(wire) else {
                if !wire.was_held_back() {
                    self.pace = 0;
                }
                return Poll::Pending;
            };
            match count? {
                0 => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                count => self.advance(count),
            }
        }
        if is_new {
            self.pace = FASTEST.min(self.pace + 1);
        }
        self.bytes.clear();
        self.sent = 0;
        Poll::Ready(Ok(()))
    }

    /// Writes what is in memory up to the next file, or some of that.
    fn poll_write_some(&self, wire: &mut Wire) -> Poll<io::Result<usize>> {
        let mut parts = ArrayVec::<_, { 2 * GATHERED + 1 }>::new();
        let mut at = self.sent;
        let mut file = None;
        for (before, large) in &self.large {
            if at < *before {
                parts.push(IoSlice::new(&self.bytes[at..*before]));
                at = *before;
            }
            match large {
                Large::Buffer(buffer, taken) => parts.push(IoSlice::new(&buffer[*taken..])),
                Large::File {
                    file: next,
                    offset,
                    left,
                } => file = Some((next, *offset, *left)),
            }
        }
        if at < self.bytes.len() && file.is_none() {
            parts.push(IoSlice::new(&self.bytes[at..]));
        }
        match (parts.as_slice(), file) {
            ([], Some((file, offset, left))) => wire.poll_send_file(file, offset, left),
            ([part], Some(_)) => wire.poll_write_ahead(part),
            ([part], None) => wire.poll_write(part),
            (parts, _) => wire.poll_write_all_of(parts),
        }
    }

    fn advance(&mut self, mut count: usize) {
        self.written += count as u64;
        while let Some((before, large)) = self.large.front_mut() {
            let of_bytes = count.min(*before - self.sent);
            self.sent += of_bytes;
            count -= of_bytes;
            if count == 0 {
                return;
            }
            let gone = match large {
                Large::Buffer(buffer, taken) => {
                    let of_buffer = count.min(buffer.len() - *taken);
                    *taken += of_buffer;
                    self.lent -= of_buffer;
                    count -= of_buffer;
                    *taken == buffer.len()
                }
                Large::File { offset, left, .. } => {
                    *offset += count as u64;
                    *left -= count as u64;
                    count = 0;
                    *left == 0
                }
            };
            if !gone {
                return;
            }
            self.large.pop_front();
        }
        self.sent += count;
    }
}

/// Buffers up to this size are copied: cheaper than a second element of a gathered write.
pub(super) const COPIED: usize = 4 * 1024;
/// Once so much waits, it is written before another answer is made.
pub(super) const HIGH_WATER: usize = 64 * 1024;
/// A client that takes what is written is offered so many times twice as much: 512 KiB.
const FASTEST: u8 = 3;
/// Large things that are written at once.
const GATHERED: usize = 16;

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;

    use bytes::Bytes;
    use socket2::{Domain, SockRef, Socket as Pair, Type};

    use super::*;
    use crate::wire::{Readiness, Socket};

    fn pair() -> (Wire, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        theirs.set_nonblocking(true).unwrap();
        (Wire::plain(Socket::new(ours.into())), theirs)
    }

    fn writable() -> Readiness {
        Readiness {
            readable: false,
            writable: true,
            ended: false,
            gone: false,
        }
    }

    fn buffer(byte: u8, length: usize) -> OwnedBuffer {
        Bytes::from(vec![byte; length]).into()
    }

    /// Flushes and reads by turns until everything is written; what was read.
    fn flush(output: &mut Output, wire: &mut Wire, peer: &mut UnixStream) -> Vec<u8> {
        let (mut all, mut some) = (Vec::new(), vec![0; 100_000]);
        loop {
            wire.note(writable());
            wire.begin_turn();
            let over = output.poll_flush(wire).map(Result::unwrap).is_ready();
            while let Ok(count) = peer.read(&mut some) {
                all.extend_from_slice(&some[..count]);
            }
            if over {
                return all;
            }
        }
    }

    #[test]
    fn copies_buffers_and_a_file_leave_in_the_order_in_which_they_came() {
        let (mut wire, mut peer) = pair();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[b'f'; 100_000]).unwrap();
        let mut output = Output::default();
        let mut expected = Vec::new();
        for (byte, length) in [
            (b'a', 10),
            (b'b', 90_000),
            (b'c', 70_000),
            (b'd', 4),
            (b'e', 5_000),
        ] {
            output.push(buffer(byte, length));
            output.bytes.extend_from_slice(b"\r\n");
            expected.extend(vec![byte; length]);
            expected.extend_from_slice(b"\r\n");
        }
        output.push_file(FileRegion {
            file,
            offset: 1,
            length: 99_999,
        });
        output.bytes.extend_from_slice(b"end");
        expected.extend(vec![b'f'; 99_999]);
        expected.extend_from_slice(b"end");
        assert!(output.is_full());
        let heard = flush(&mut output, &mut wire, &mut peer);
        assert!(heard == expected, "{} bytes", heard.len());
        assert_eq!(output.written(), expected.len() as u64);
        assert!(output.is_empty() && !output.is_full());
    }

    #[test]
    fn a_small_body_is_written_with_its_head_at_once_and_so_is_a_large_one_without_a_copy() {
        // Each write is a record of its own.
        let (ours, theirs) = Pair::pair(Domain::UNIX, Type::SEQPACKET, None).unwrap();
        ours.set_nonblocking(true).unwrap();
        let mut wire = Wire::plain(Socket::new(ours.into()));
        let mut peer = UnixStream::from(theirs);
        let mut output = Output::default();
        let mut record = vec![0; 100_000];
        for length in [1, COPIED, COPIED + 1, 40_000] {
            output.bytes.extend_from_slice(b"head");
            output.push(buffer(b'b', length));
            output.bytes.extend_from_slice(b"\r\n");
            let copied = if length > COPIED { 0 } else { length };
            assert_eq!(output.bytes.len(), 6 + copied);
            wire.note(writable());
            wire.begin_turn();
            assert!(output.poll_flush(&mut wire).is_ready());
            let count = peer.read(&mut record).unwrap();
            let expected = [b"head", &vec![b'b'; length][..], b"\r\n"].concat();
            assert!(record[..count] == expected, "{count} of {length}");
        }
    }

    #[test]
    fn a_client_is_offered_more_at_once_while_it_takes_everything() {
        let (mut wire, mut peer) = pair();
        SockRef::from(&wire).set_send_buffer_size(1 << 20).unwrap();
        let mut output = Output::default();
        let fill = |output: &mut Output| {
            let mut pieces = 0;
            while !output.is_full() {
                output.push(buffer(b'x', 32 * 1024));
                pieces += 1;
            }
            pieces
        };
        for expected in [2, 4, 8, 16, 16] {
            assert_eq!(fill(&mut output), expected);
            flush(&mut output, &mut wire, &mut peer);
        }
        // The end of a turn is not the client's doing.
        fill(&mut output);
        assert!(output.poll_flush(&mut wire).is_pending());
        flush(&mut output, &mut wire, &mut peer);
        assert_eq!(fill(&mut output), 16);
        wire.begin_turn();
        while output.poll_flush(&mut wire).is_ready() {
            fill(&mut output);
            wire.begin_turn();
        }
        flush(&mut output, &mut wire, &mut peer);
        assert!(fill(&mut output) < 16);
    }
}
