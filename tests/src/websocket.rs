//! WebSocket frames (RFC 6455, section 5.2): written exactly as told, right or wrong, and read
//! strictly; and the opening of a conversation over HTTP/1.1.

use std::io::{self, Read, Write};

use crate::address::Address;
use crate::client::Client;
use crate::response::{Response, To};

/// A frame that a client sends.
#[derive(Clone, Debug)]
pub struct Sent {
    first: u8,
    length: Length,
    mask: Option<[u8; 4]>,
    payload: Vec<u8>,
}

/// How a frame says its length.
#[derive(Clone, Copy, Debug)]
enum Length {
    Shortest,
    /// In 16 bits, whether that many are needed or not.
    Medium(u16),
    /// In 64 bits.
    Long(u64),
}

/// A frame that a server has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Whether it is the last of its message.
    pub fin: bool,
    /// One of the constants of [`opcode`].
    pub opcode: u8,
    pub payload: Vec<u8>,
}

/// What frames are for.
pub mod opcode {
    pub const CONTINUATION: u8 = 0;
    pub const TEXT: u8 = 1;
    pub const BINARY: u8 = 2;
    pub const CLOSE: u8 = 8;
    pub const PING: u8 = 9;
    pub const PONG: u8 = 10;
}

impl Sent {
    /// A frame that is right: the only one of its message, masked.
    #[must_use]
    pub fn new(opcode: u8, payload: impl Into<Vec<u8>>) -> Self {
        Self {
            first: FIN | opcode,
            length: Length::Shortest,
            mask: Some([0x37, 0xfa, 0x21, 0x3d]),
            payload: payload.into(),
        }
    }

    /// A goodbye with a code and a reason.
    #[must_use]
    pub fn close(code: u16, reason: impl AsRef<[u8]>) -> Self {
        let payload = [&code.to_be_bytes()[..], reason.as_ref()].concat();
        Self::new(opcode::CLOSE, payload)
    }

    /// More frames of the message follow.
    #[must_use]
    pub fn more(mut self) -> Self {
        self.first &= !FIN;
        self
    }

    /// Sets reserved bits, 1 to 7.
    #[must_use]
    pub fn reserved(mut self, bits: u8) -> Self {
        self.first |= bits << 4;
        self
    }

    /// Masked with this key.
    #[must_use]
    pub fn masked(mut self, key: [u8; 4]) -> Self {
        self.mask = Some(key);
        self
    }

    /// Not masked, as only servers may.
    #[must_use]
    pub fn unmasked(mut self) -> Self {
        self.mask = None;
        self
    }

    /// Says its length in 16 bits, as this.
    #[must_use]
    pub fn medium(mut self, length: u16) -> Self {
        self.length = Length::Medium(length);
        self
    }

    /// Says its length in 64 bits, as this.
    #[must_use]
    pub fn long(mut self, length: u64) -> Self {
        self.length = Length::Long(length);
        self
    }

    /// The frame as it goes over the wire.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let masked = if self.mask.is_some() { MASKED } else { 0 };
        let mut bytes = vec![self.first];
        let length = match (self.length, self.payload.len()) {
            (Length::Shortest, short @ ..=125) => {
                bytes.push(masked | u8::try_from(short).expect("at most 125"));
                None
            }
            (Length::Shortest, length) => Some(match u16::try_from(length) {
                Ok(length) => Length::Medium(length),
                Err(_) => Length::Long(length as u64),
            }),
            (told, _) => Some(told),
        };
        match length {
            Some(Length::Medium(length)) => {
                bytes.push(masked | MEDIUM);
                bytes.extend(length.to_be_bytes());
            }
            Some(Length::Long(length)) => {
                bytes.push(masked | LONG);
                bytes.extend(length.to_be_bytes());
            }
            _ => {}
        }
        match self.mask {
            Some(key) => {
                bytes.extend(key);
                let key = key.iter().cycle();
                bytes.extend(self.payload.iter().zip(key).map(|(byte, key)| byte ^ key));
            }
            None => bytes.extend(&self.payload),
        }
        bytes
    }
}

impl Frame {
    /// Reads one frame of a server's; `None` if the stream ends before its first byte.
    ///
    /// # Errors
    /// What the system says; `InvalidData` for what no server may send, `UnexpectedEof` within a frame.
    pub fn read(from: &mut dyn Read) -> io::Result<Option<Self>> {
        let mut head = [0; 2];
        if from.read(&mut head[..1])? == 0 {
            return Ok(None);
        }
        from.read_exact(&mut head[1..])?;
        let [first, second] = head;
        let opcode = first & 0x0f;
        let fin = first & FIN != 0;
        if first & 0x70 != 0 || second & MASKED != 0 {
            return Err(broken("a frame with reserved bits or a mask"));
        }
        let length = match second {
            MEDIUM => {
                let mut length = [0; 2];
                from.read_exact(&mut length)?;
                u64::from(u16::from_be_bytes(length))
            }
            LONG => {
                let mut length = [0; 8];
                from.read_exact(&mut length)?;
                u64::from_be_bytes(length)
            }
            short => u64::from(short),
        };
        let least = match second {
            MEDIUM => 126,
            LONG => 1 << 16,
            _ => 0,
        };
        if length < least || length > MOST {
            return Err(broken(
                "a length that is not the shortest, or beyond all limits",
            ));
        }
        if opcode >= opcode::CLOSE && (length > 125 || !fin) {
            return Err(broken("a control frame that is long or in parts"));
        }
        let mut payload = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        from.read_exact(&mut payload)?;
        Ok(Some(Self {
            fin,
            opcode,
            payload,
        }))
    }

    /// The code of a goodbye that has one.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        let code = self.payload.first_chunk::<2>()?;
        (self.opcode == opcode::CLOSE).then(|| u16::from_be_bytes(*code))
    }
}

/// Opens a conversation; what comes and goes over the client from now on are frames. `fields` are further
/// lines of the request.
///
/// # Panics
/// When the server does not switch.
#[must_use]
pub fn open(address: &Address, target: &str, fields: &str) -> Client {
    let mut client = Client::connect(address);
    client.send(opening(target, fields));
    expect_switch(&client.response());
    client
}

/// Opens a conversation over a connection of the test's own making.
///
/// # Panics
/// When the server does not switch, or speaks before it is spoken to.
pub fn switch(stream: &mut (impl Read + Write), target: &str) {
    stream.write_all(opening(target, "").as_bytes()).unwrap();
    let mut ahead = Vec::new();
    let response = Response::read(stream, &mut ahead, To::Other);
    expect_switch(&response.expect("a response"));
    assert!(ahead.is_empty(), "frames before any were sent: {ahead:?}");
}

fn expect_switch(response: &Response) {
    assert_eq!(response.status, 101, "{response:?}");
    assert_eq!(response.field("sec-websocket-accept"), Some(ACCEPT));
    assert_eq!(response.field("upgrade"), Some("websocket"));
}

/// The request that opens a conversation.
#[must_use]
pub fn opening(target: &str, fields: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{fields}\r\n"
    )
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;
/// The length stands in the next 2 bytes.
const MEDIUM: u8 = 126;
/// The length stands in the next 8 bytes.
const LONG: u8 = 127;
/// A frame of more bytes is no test's.
const MOST: u64 = 64 << 20;
/// The example of RFC 6455, section 1.3, and its answer.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
