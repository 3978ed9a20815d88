//! A raw HTTP/2 client: exactly the given frames out, the server's frames in. What it asks it spells out,
//! header fields literally and without compression, so that it can also be wrong.

use std::io::{ErrorKind, Read, Write};

use crate::address::{Address, Stream};

/// One connection.
#[derive(Debug)]
pub struct Http2Client {
    stream: Stream,
    ahead: Vec<u8>,
}

/// A frame (RFC 9113, section 4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

impl Http2Client {
    /// Connects, and sends the preface with settings.
    ///
    /// # Panics
    /// When nobody listens.
    #[must_use]
    pub fn connect(address: &Address, settings: &[(u16, u32)]) -> Self {
        let stream = address.connect().expect("a server");
        let mut client = Self {
            stream,
            ahead: Vec::new(),
        };
        let payload: Vec<u8> = settings
            .iter()
            .flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat())
            .collect();
        let greeting = [PREFACE, &frame(SETTINGS, 0, 0, &payload)].concat();
        client.stream.write_all(&greeting).expect("to be heard");
        client
    }

    /// Sends bytes as they are; false once the server takes none.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Sends a GET.
    pub fn get(&mut self, stream: u32, path: &str) {
        self.send(&headers(stream, END_STREAM, &request("GET", path)));
    }

    /// The next frame; none once the server has ended the connection, cleanly or not.
    ///
    /// # Panics
    /// When nothing comes by the deadline.
    pub fn frame(&mut self) -> Option<Frame> {
        loop {
            if let Some(head) = self.ahead.first_chunk::<HEAD>() {
                let [a, b, c, kind, flags, s, t, u, v] = *head;
                let end = HEAD + u32::from_be_bytes([0, a, b, c]) as usize;
                if self.ahead.len() >= end {
                    let payload = self.ahead[HEAD..end].to_vec();
                    self.ahead.drain(..end);
                    return Some(Frame {
                        kind,
                        flags,
                        stream: u32::from_be_bytes([s, t, u, v]),
                        payload,
                    });
                }
            }
            let mut buffer = [0; 16_384];
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(count) => self.ahead.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    panic!("expected a frame or the end, found nothing by the deadline")
                }
                Err(_) => return None,
            }
        }
    }

    /// The next frame of this kind, or none if the connection ends first.
    pub fn frame_of(&mut self, kind: u8) -> Option<Frame> {
        loop {
            let frame = self.frame()?;
            if frame.kind == kind {
                return Some(frame);
            }
        }
    }

    /// Why the server ends the connection: the code of its last GOAWAY before the end, if it sent one.
    pub fn end(&mut self) -> Option<u32> {
        let mut code = None;
        while let Some(frame) = self.frame() {
            if let (GOAWAY, Some(said)) = (frame.kind, frame.payload.get(4..8)) {
                code = Some(u32::from_be_bytes(said.try_into().expect("four bytes")));
            }
        }
        code
    }

    /// A second handle on the connection, to send from another thread.
    ///
    /// # Panics
    /// When the system has no descriptor left.
    #[must_use]
    pub fn split(&self) -> Self {
        Self {
            stream: self.stream.try_clone().expect("a descriptor"),
            ahead: Vec::new(),
        }
    }
}

impl Frame {
    /// The code of a RST_STREAM.
    #[must_use]
    pub fn code(&self) -> u32 {
        let code = self.payload.first_chunk::<4>();
        u32::from_be_bytes(*code.expect("four bytes"))
    }
}

/// A frame's bytes.
#[must_use]
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload");
    let mut bytes = length.to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A whole HEADERS frame; flags beside END_HEADERS.
#[must_use]
pub fn headers(stream: u32, flags: u8, block: &[u8]) -> Vec<u8> {
    frame(HEADERS, flags | END_HEADERS, stream, block)
}

/// The pseudo-header fields of a request.
#[must_use]
pub fn request(method: &str, path: &str) -> Vec<u8> {
    let fields = [
        (":method", method),
        (":scheme", "http"),
        (":path", path),
        (":authority", "test"),
    ];
    fields.map(|(name, value)| field(name, value)).concat()
}

/// A field, spelled out (RFC 7541, section 6.2.2).
#[must_use]
pub fn field(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![0];
    for text in [name, value] {
        length(&mut bytes, text.len());
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// A length with a prefix of 7 bits (RFC 7541, section 5.1).
fn length(bytes: &mut Vec<u8>, length: usize) {
    let low = |number: usize| u8::try_from(number & 0x7f).expect("seven bits");
    if length < 127 {
        return bytes.push(low(length));
    }
    bytes.push(127);
    let mut rest = length - 127;
    while rest >= 128 {
        bytes.push(low(rest) | 0x80);
        rest >>= 7;
    }
    bytes.push(low(rest));
}

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;
/// Flags.
pub const END_STREAM: u8 = 1;
pub const ACK: u8 = 1;
pub const END_HEADERS: u8 = 4;
/// Of DATA and HEADERS: the payload begins with the length of what is appended to it.
pub const PADDED: u8 = 8;
/// Error codes (RFC 9113, section 7).
pub const PROTOCOL_ERROR: u32 = 1;
pub const CANCEL: u32 = 8;
pub const ENHANCE_YOUR_CALM: u32 = 11;
/// Of the settings.
pub const INITIAL_WINDOW_SIZE: u16 = 4;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEAD: usize = 9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_fields_have_long_lengths() {
        assert_eq!(field("a", "b"), b"\0\x01a\x01b");
        let long = field("a", &"b".repeat(1337));
        // 1337 - 127 is 1210, which is 9 * 128 + 58.
        assert_eq!(long[3..6], [127, 58 | 0x80, 9]);
        assert_eq!(long.len(), 6 + 1337);
    }
}
