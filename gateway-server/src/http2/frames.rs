//! [`Frames`]: where frames begin in what a client sends, to count those that cost much and say little.

use super::budget::Budget;
use super::preface::PREFACE;

/// Follows the frames of one connection, from its preface on. The bytes are only looked at.
#[derive(Debug)]
pub(crate) struct Frames {
    /// Bytes to be passed over: the preface, then each frame's payload.
    payload: usize,
    /// The head of the next frame, as far as it is there.
    head: [u8; HEAD],
    filled: usize,
}

impl Frames {
    pub(crate) fn new() -> Self {
        Self {
            payload: PREFACE.len(),
            head: [0; HEAD],
            filled: 0,
        }
    }

    /// Takes note of `bytes`, which follow those of the last call.
    pub(crate) fn follow(&mut self, mut bytes: &[u8], budget: &Budget) {
        loop {
            let passed = self.payload.min(bytes.len());
            self.payload -= passed;
            bytes = &bytes[passed..];
            if bytes.is_empty() {
                return;
            }
            let taken = (HEAD - self.filled).min(bytes.len());
            let (head, rest) = bytes.split_at(taken);
            self.head[self.filled..self.filled + taken].copy_from_slice(head);
            self.filled += taken;
            bytes = rest;
            if self.filled < HEAD {
                return;
            }
            self.filled = 0;
            let [a, b, c, kind, flags, ..] = self.head;
            self.payload = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
            note(kind, flags, self.payload, budget);
        }
    }
}

/// RFC 9113 §6.
fn note(kind: u8, flags: u8, length: usize, budget: &Budget) {
    match kind {
        DATA if length > 0 || flags & END_STREAM != 0 => {}
        HEADERS => {}
        RESET => budget.note_reset(),
        _ => budget.note_control(),
    }
}

/// Bytes before each frame's payload.
const HEAD: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const END_STREAM: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http2::budget::Excess;

    const PING: u8 = 6;

    fn frame(kind: u8, flags: u8, length: u8) -> Vec<u8> {
        let mut frame = vec![0, 0, length, kind, flags, 0, 0, 0, 1];
        frame.resize(HEAD + usize::from(length), kind);
        frame
    }

    fn spent(stream: &[u8], step: usize) -> (u32, u32) {
        let budget = Budget::new(1);
        let before = budget.left();
        let mut frames = Frames::new();
        for piece in stream.chunks(step) {
            frames.follow(piece, &budget);
        }
        let left = budget.left();
        (before.0 - left.0, before.1 - left.1)
    }

    #[test]
    fn frames_are_counted_however_their_bytes_arrive() {
        let mut stream = PREFACE.to_vec();
        stream.extend(frame(4, 0, 6)); // SETTINGS
        stream.extend(frame(HEADERS, 5, 20));
        stream.extend(frame(DATA, 0, 10));
        stream.extend(frame(DATA, 0, 0));
        stream.extend(frame(DATA, END_STREAM, 0));
        stream.extend(frame(RESET, 0, 4));
        stream.extend(frame(PING, 0, 8));
        for step in 1..stream.len() {
            assert_eq!(spent(&stream, step), (3, 1), "{step}");
        }
    }

    #[test]
    fn what_is_beyond_the_budget_is_named() {
        let budget = Budget::new(1);
        let mut frames = Frames::new();
        frames.follow(PREFACE, &budget);
        while budget.excess().is_none() {
            frames.follow(&frame(PING, 0, 8), &budget);
        }
        assert_eq!(budget.excess(), Some(Excess::Control));
    }
}
