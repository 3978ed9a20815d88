//! [`BodyRoom`]: where the connections of a worker read request bodies, one at a time.

use std::cell::Cell;

use bytes::BytesMut;

/// Memory that is used again, while the processor has it at hand, as soon as applications are done with what was
/// read before. What they keep stays where it is, and the next bytes come behind it. A connection that waits for its
/// client holds none.
#[derive(Default)]
pub(super) struct BodyRoom {
    spare: Cell<BytesMut>,
}

impl BodyRoom {
    /// An empty buffer for `wanted` bytes, or for less where some are left behind what is kept.
    pub(super) fn lend(&self, wanted: usize) -> BytesMut {
        let mut buffer = self.spare.take();
        if !buffer.try_reclaim(wanted) && buffer.capacity() < LEAST_BYTES {
            buffer = BytesMut::with_capacity(wanted);
        }
        buffer
    }

    /// A copy of bytes that were read elsewhere.
    pub(super) fn copy(&self, bytes: &[u8]) -> BytesMut {
        let mut buffer = self.lend(bytes.len());
        buffer.extend_from_slice(bytes);
        let copy = buffer.split();
        self.give_back(&mut buffer);
        copy
    }

    /// Takes back what is left of such a buffer, if nothing is in it.
    pub(super) fn give_back(&self, buffer: &mut BytesMut) {
        if buffer.is_empty() {
            let (spare, buffer) = (self.spare.take(), std::mem::take(buffer));
            let larger = buffer.capacity() >= spare.capacity();
            self.spare.set(if larger { buffer } else { spare });
        }
    }
}

/// Less room than this is not worth a read of its own.
const LEAST_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(room: &BodyRoom, wanted: usize, count: usize) -> (BytesMut, *const u8) {
        let mut buffer = room.lend(wanted);
        assert!(buffer.is_empty());
        buffer.resize(count, b'x');
        let piece = buffer.split();
        room.give_back(&mut buffer);
        let at = piece.as_ptr();
        (piece, at)
    }

    #[test]
    fn what_nobody_keeps_is_read_over() {
        let room = BodyRoom::default();
        let (piece, first) = read(&room, 64 * 1024, 64 * 1024);
        drop(piece);
        for _ in 0..10 {
            let (_, at) = read(&room, 64 * 1024, 10_000);
            assert_eq!(at, first);
        }
        // One that fills it is given more the next time.
        drop(read(&room, 64 * 1024, 64 * 1024));
        let (piece, larger) = read(&room, 128 * 1024, 128 * 1024);
        drop(piece);
        let (_, at) = read(&room, 64 * 1024, 10_000);
        assert_eq!(at, larger);
    }

    #[test]
    fn kept_pieces_stand_behind_each_other() {
        let room = BodyRoom::default();
        let kept: Vec<_> = (0..9).map(|_| read(&room, 64 * 1024, 6_000)).collect();
        for pair in kept.windows(2) {
            assert_eq!(pair[1].1, pair[0].1.wrapping_add(6_000));
        }
        // Too little is left for the next.
        let (_, at) = read(&room, 64 * 1024, 6_000);
        assert_ne!(at, kept[8].1.wrapping_add(6_000));
        assert!(kept.iter().all(|(piece, _)| piece[..] == [b'x'; 6_000]));
    }

    #[test]
    fn a_copy_shares_the_room_and_leaves_it() {
        let room = BodyRoom::default();
        drop(read(&room, 64 * 1024, 1));
        let mut copy = room.copy(&[b'y'; 10_000]);
        let (piece, at) = read(&room, 64 * 1024, 6_000);
        assert_eq!(at, copy.as_ptr().wrapping_add(10_000));
        copy.clear();
        room.give_back(&mut copy);
        drop((copy, piece));
        assert!(room.lend(64 * 1024).capacity() >= 64 * 1024);
    }

    #[test]
    fn what_is_held_still_is_not_taken_back() {
        let room = BodyRoom::default();
        let mut buffer = room.lend(64 * 1024);
        buffer.extend_from_slice(b"GET / HTTP/1.1");
        room.give_back(&mut buffer);
        assert_eq!(buffer, b"GET / HTTP/1.1"[..]);
    }
}
