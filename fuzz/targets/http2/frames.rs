//! Frames of HTTP/2 (RFC 9113 §4.1), as far as who looks on has to read them.

/// One of them.
#[derive(Debug)]
pub(super) struct Frame<'b> {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: &'b [u8],
}

impl Frame<'_> {
    /// Its bytes.
    pub(super) fn of(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).expect("inputs are short");
        let (length, stream) = (&length.to_be_bytes()[1..], &stream.to_be_bytes());
        [length, &[kind, flags], stream, payload].concat()
    }

    /// Four bytes of the payload; 0 where there are none.
    pub(super) fn number(&self, at: usize) -> u32 {
        let bytes = self.payload.get(at..at + 4);
        bytes.map_or(0, |four| {
            u32::from_be_bytes([four[0], four[1], four[2], four[3]])
        })
    }
}

/// Those that stand in `bytes` whole.
pub(super) fn frames(mut bytes: &[u8]) -> impl Iterator<Item = Frame<'_>> {
    std::iter::from_fn(move || {
        let (head, rest) = bytes.split_at_checked(9)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let (payload, rest) = rest.split_at_checked(length as usize)?;
        bytes = rest;
        Some(Frame {
            kind: head[3],
            flags: head[4],
            stream: u32::from_be_bytes([head[5], head[6], head[7], head[8]]) & 0x7FFF_FFFF,
            payload,
        })
    })
}

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const GOAWAY: u8 = 7;
