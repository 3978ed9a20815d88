//! Whatever a client of HTTP/2 sends, the server speaks HTTP/2 to it, within the client's windows, hands
//! the application what SPEC.md allows, comes to rest, and forgets the connection with its end.

mod frames;

use self::frames::{DATA, Frame, GOAWAY, HEADERS, RST_STREAM, SETTINGS, frames};
use super::application::rehearse;

/// Asserts it of one input: bytes, or frames whose lengths are right.
pub(crate) fn run(input: &[u8]) {
    // The last byte chooses the size of the pieces, the one before it the form.
    let [bytes @ .., form, piece] = input else {
        return;
    };
    let mut sent = PREFACE.to_vec();
    match form % 2 {
        0 => sent.extend_from_slice(bytes),
        _ => {
            sent.extend(Frame::of(SETTINGS, 0, 0, b""));
            framed(bytes, &mut sent);
        }
    }
    let piece = match piece {
        0 => sent.len(),
        some => usize::from(*some),
    };
    let heard = rehearse(|rehearsal| rehearsal.serve(None, sent.chunks(piece)));
    Answers::default().judge(&sent[PREFACE.len()..], &heard.bytes);
}

/// Frames of a line each: kind, flags, stream, length, and as many bytes as there are of that.
fn framed(mut bytes: &[u8], into: &mut Vec<u8>) {
    while let [kind, flags, stream, length, rest @ ..] = bytes {
        let (payload, rest) = rest.split_at(rest.len().min(usize::from(*length)));
        // Some that no frame has.
        into.extend(Frame::of(*kind % 12, *flags, u32::from(*stream), payload));
        bytes = rest;
    }
}

/// What the server has said so far.
#[derive(Default)]
struct Answers {
    /// Streams that were answered, whether they have ended, and whether their final head has come.
    streams: std::collections::BTreeMap<u32, Stream>,
    content: u64,
    last_goaway: Option<u32>,
}

#[derive(Default)]
struct Stream {
    heads: u32,
    ended: bool,
}

impl Answers {
    fn judge(mut self, sent: &[u8], heard: &[u8]) {
        let said: Vec<Frame<'_>> = frames(heard).collect();
        let whole: usize = said.iter().map(|frame| 9 + frame.payload.len()).sum();
        assert_eq!(whole, heard.len(), "a frame is broken off");
        let [first, rest @ ..] = &said[..] else {
            // Where the preface did not stand at once, nothing was said.
            return;
        };
        assert_eq!(
            (first.kind, first.flags & 1),
            (SETTINGS, 0),
            "settings first"
        );
        let opened = |id: u32| frames(sent).any(|one| one.kind == HEADERS && one.stream == id);
        for frame in rest {
            self.take(frame);
        }
        for (id, _) in self.streams.iter().filter(|(_, stream)| stream.heads > 0) {
            assert!(id % 2 == 1 && opened(*id), "nobody has opened stream {id}");
        }
        assert!(
            self.content <= granted(sent),
            "more than the client's window"
        );
    }

    fn take(&mut self, frame: &Frame<'_>) {
        assert!(matches!(frame.kind, 0 | 1 | 3 | 4 | 6..=9), "{frame:?}");
        let ends = frame.kind <= HEADERS && frame.flags & 1 != 0;
        match frame.kind {
            DATA | HEADERS | RST_STREAM => {
                assert_ne!(frame.stream, 0);
                let stream = self.streams.entry(frame.stream).or_default();
                assert!(frame.kind == RST_STREAM || !stream.ended, "{frame:?}");
                assert!(
                    frame.kind != DATA || stream.heads > 0,
                    "content before a head"
                );
                stream.heads += u32::from(frame.kind == HEADERS);
                assert!(stream.heads <= 3, "100, 103, final or trailers");
                stream.ended |= ends || frame.kind == RST_STREAM;
            }
            GOAWAY => {
                let last = frame.number(0) & 0x7FFF_FFFF;
                assert!(self.last_goaway.is_none_or(|before| last <= before));
                self.last_goaway = Some(last);
            }
            _ => {}
        }
        if frame.kind == DATA {
            self.content += frame.payload.len() as u64;
        }
    }
}

/// Bytes that the client has made room for on the connection, at most.
fn granted(sent: &[u8]) -> u64 {
    let updates = frames(sent).filter(|one| one.kind == 8 && one.payload.len() == 4);
    65_535 + updates.map(|one| u64::from(one.number(0))).sum::<u64>()
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
