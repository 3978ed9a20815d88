//! What conversations go over.

use std::io::{self, Read, Write};

use gateway_tests::address::Address;
use gateway_tests::client::Client;
use gateway_tests::websocket;

/// An open conversation's bytes.
pub(crate) trait Wire: Read + Write {
    /// Ends the client's half.
    fn finish(&mut self);
}

/// Opens conversations.
pub(crate) struct Carrier {
    pub(super) name: &'static str,
    /// Whether it stands between client and server, and so decides itself how connections end.
    pub(super) is_proxy: bool,
    open: Box<dyn Fn() -> Box<dyn Wire>>,
}

impl Carrier {
    /// One that opens them so.
    pub(super) fn new(name: &'static str, open: impl Fn() -> Box<dyn Wire> + 'static) -> Self {
        Self {
            name,
            is_proxy: false,
            open: Box::new(open),
        }
    }

    /// HTTP/1.1 as it is.
    pub(super) fn http1(address: &Address) -> Self {
        let address = address.clone();
        Self {
            name: "HTTP/1.1",
            is_proxy: false,
            open: Box::new(move || Box::new(websocket::open(&address, "/echo", ""))),
        }
    }

    /// HTTP/1.1 as it is, byte by byte.
    pub(super) fn dribbling(address: &Address) -> Self {
        let address = address.clone();
        Self {
            name: "HTTP/1.1, byte by byte",
            is_proxy: false,
            open: Box::new(move || {
                let wire = websocket::open(&address, "/echo", "");
                Box::new(Dribbling(Box::new(wire), DRIBBLED))
            }),
        }
    }

    /// HTTP/1.1 through a proxy that listens there.
    pub(super) fn proxy(address: &Address) -> Self {
        Self {
            name: "a proxy",
            is_proxy: true,
            ..Self::http1(address)
        }
    }

    /// A new conversation.
    pub(crate) fn open(&self) -> Box<dyn Wire> {
        (self.open)()
    }
}

impl Wire for Client {
    fn finish(&mut self) {
        Self::finish(self);
    }
}

/// Sends what it is given byte by byte, up to so many of them.
struct Dribbling(Box<dyn Wire>, usize);

impl Read for Dribbling {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Dribbling {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.1 == 0 || bytes.is_empty() {
            return self.0.write(bytes);
        }
        self.1 -= 1;
        self.0.write(&bytes[..1])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Wire for Dribbling {
    fn finish(&mut self) {
        self.0.finish();
    }
}

/// Each byte is a call of the system's: long messages begin slowly and go on at once.
const DRIBBLED: usize = 40;
