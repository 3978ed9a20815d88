//! A raw HTTP/1 client: exactly the given bytes out, strictly read responses in.

use std::io::{ErrorKind, Read, Write};

use crate::address::{Address, Stream};
use crate::response::{Broken, Response, To};

/// One connection.
#[derive(Debug)]
pub struct Client {
    stream: Stream,
    ahead: Vec<u8>,
}

impl Client {
    /// Connects.
    ///
    /// # Panics
    /// When nobody listens.
    #[must_use]
    pub fn connect(address: &Address) -> Self {
        match address.connect() {
            Ok(stream) => Self {
                stream,
                ahead: Vec::new(),
            },
            Err(error) => panic!("cannot connect to {address}: {error}"),
        }
    }

    /// Connects, sends, reads one response. The connection stays open within the client.
    #[must_use]
    pub fn fetch(address: &Address, request: impl AsRef<[u8]>) -> Response {
        let mut client = Self::connect(address);
        client.send(request);
        client.response()
    }

    /// `GET` of a target with `Host: test`.
    #[must_use]
    pub fn get(address: &Address, target: &str) -> Response {
        Self::fetch(address, get(target))
    }

    /// Sends bytes as they are.
    ///
    /// # Panics
    /// When the peer does not take them.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        if let Err(error) = self.try_send(bytes) {
            panic!(
                "cannot send: {error}; received: {:?}",
                String::from_utf8_lossy(&self.rest())
            );
        }
    }

    /// Sends bytes as they are, where the peer may refuse to read them all.
    ///
    /// # Errors
    /// What the system says.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// Ends our half of the connection.
    ///
    /// # Panics
    /// When the peer has gone already.
    pub fn finish(&mut self) {
        self.stream.finish().expect("the peer to be there");
    }

    /// Breaks the connection off with a reset, as a client that is killed does.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn reset(self) {
        self.stream.reset().expect("to set a socket's option");
    }

    /// The next response, whatever its status, to a request other than HEAD.
    ///
    /// # Panics
    /// When none comes or it is malformed.
    pub fn response(&mut self) -> Response {
        self.read(To::Other)
            .unwrap_or_else(|broken| panic!("no response: {broken:?}"))
    }

    /// The next response, to HEAD.
    ///
    /// # Panics
    /// When none comes or it is malformed.
    pub fn response_to_head(&mut self) -> Response {
        self.read(To::Head)
            .unwrap_or_else(|broken| panic!("no response: {broken:?}"))
    }

    /// The next response, to CONNECT.
    ///
    /// # Panics
    /// When none comes or it is malformed.
    pub fn response_to_connect(&mut self) -> Response {
        self.read(To::Connect)
            .unwrap_or_else(|broken| panic!("no response: {broken:?}"))
    }

    /// The next response or why there is none.
    ///
    /// # Errors
    /// See [`Broken`].
    pub fn read(&mut self, to: To) -> Result<Response, Broken> {
        Response::read(&mut self.stream, &mut self.ahead, to)
    }

    /// Expects that the server ends the connection cleanly without another byte.
    ///
    /// # Panics
    /// When there is another byte, a reset, or no end by the deadline.
    pub fn expect_end(&mut self) {
        let mut byte = [0; 1024];
        assert!(
            self.ahead.is_empty(),
            "{:?}",
            String::from_utf8_lossy(&self.ahead)
        );
        match self.stream.read(&mut byte) {
            Ok(0) => {}
            Ok(count) => {
                panic!(
                    "expected the end, found {:?}",
                    String::from_utf8_lossy(&byte[..count])
                )
            }
            Err(error) => panic!("expected a clean end: {error}"),
        }
    }

    /// A second handle on the connection, to write from another thread.
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

    /// Exactly one chunk of whatever the server sent next, at most 64 KiB; empty at the end.
    ///
    /// # Panics
    /// When the connection breaks or nothing comes by the deadline.
    pub fn some(&mut self) -> Vec<u8> {
        if !self.ahead.is_empty() {
            return std::mem::take(&mut self.ahead);
        }
        let mut bytes = vec![0; 64 * 1024];
        let count = self.stream.read(&mut bytes).expect("bytes or the end");
        bytes.truncate(count);
        bytes
    }

    /// What the server sent next, at most so many bytes; empty at the end.
    ///
    /// # Errors
    /// What the system says.
    pub fn few(&mut self, most: usize) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0; most];
        let count = self.stream.read(&mut bytes)?;
        bytes.truncate(count);
        Ok(bytes)
    }

    /// Everything up to the end of the connection, however it ends; for messages.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut all = std::mem::take(&mut self.ahead);
        let mut chunk = [0; 4096];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => return all,
                Ok(count) => all.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return all,
            }
        }
    }
}

impl Read for Client {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.ahead.is_empty() {
            return self.stream.read(buffer);
        }
        let count = self.ahead.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.ahead[..count]);
        self.ahead.drain(..count);
        Ok(count)
    }
}

impl Write for Client {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.stream.flush()
    }
}

/// The bytes of a plain GET.
#[must_use]
pub fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n")
}

/// The bytes of a POST with its length declared.
#[must_use]
pub fn post(target: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("POST {target} HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// A body in the chunked coding, one chunk for each part.
#[must_use]
pub fn chunked(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
        bytes.extend_from_slice(part);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}
