//! [`Tls`]: a session on a socket.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::task::Poll;

use gateway_spec::TlsInfo;

use super::Socket;
use crate::tls::{Carrier, Fault, Session};

/// A session, and how its end goes.
#[derive(Debug)]
pub(super) struct Tls {
    session: Session,
    end: End,
}

/// How far the end of our output has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Open,
    /// The client is to be told; then the kernel is.
    Ending,
    Ended,
}

impl Tls {
    pub(super) fn new(session: Session) -> Self {
        Self {
            session,
            end: End::Open,
        }
    }

    pub(super) fn poll_handshake(&mut self, socket: &mut Socket) -> Poll<Result<(), Fault>> {
        self.session.poll_handshake(socket)
    }

    pub(super) fn protocol(&self) -> Option<&[u8]> {
        self.session.protocol()
    }

    pub(super) fn facts(&self) -> TlsInfo {
        self.session.facts()
    }

    pub(super) fn has_input(&self) -> bool {
        self.session.has_input()
    }

    pub(super) fn poll_read(
        &mut self,
        socket: &mut Socket,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.end == End::Ending {
            self.finish(socket);
        }
        let read = self.session.poll_read(into, socket);
        read.map_err(|fault| told(&fault))
    }

    pub(super) fn poll_write<'a>(
        &mut self,
        socket: &mut Socket,
        parts: impl IntoIterator<Item = &'a [u8]>,
    ) -> Poll<io::Result<usize>> {
        let written = self.session.poll_write(parts, socket);
        written.map_err(|fault| told(&fault))
    }

    /// The file's bytes have to pass through here.
    pub(super) fn poll_send_file(
        &mut self,
        socket: &mut Socket,
        file: &File,
        offset: u64,
        length: u64,
    ) -> Poll<io::Result<usize>> {
        let most = usize::try_from(length).unwrap_or(usize::MAX);
        let mut bytes = [0; FILE_BYTES];
        let bytes = &mut bytes[..most.min(FILE_BYTES)];
        let count = file.read_at(bytes, offset)?;
        self.poll_write(socket, [&bytes[..count]])
    }

    pub(super) fn shut_down_output(&mut self, socket: &mut Socket) {
        if self.end == End::Open {
            self.session.end_output();
            self.end = End::Ending;
        }
        if self.end == End::Ending {
            self.finish(socket);
        }
    }

    fn finish(&mut self, socket: &mut Socket) {
        if self.session.poll_flush(socket).is_ready() {
            self.end = End::Ended;
            socket.shut_down_output();
        }
    }
}

impl Carrier for Socket {
    #[inline]
    fn poll_receive(&mut self, into: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_read(into)
    }

    #[inline]
    fn poll_send(&mut self, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write(bytes)
    }
}

fn told(fault: &Fault) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, fault.to_string())
}

/// Bytes of a file that are encrypted at once, two records of the longest.
const FILE_BYTES: usize = 32 * 1024;
