//! [`Session`]: one connection's cryptography. It reads and writes by what it is handed, and holds
//! nothing between requests but what the library has to.

use std::fmt;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, ready};

use gateway_spec::TlsInfo;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{
    AppDataRecord, ConnectionState, EncodeError, EncodeTlsData, UnbufferedStatus,
};

use super::credentials::Credentials;
use super::engine::{Engine, INPUT_BYTES, WRITTEN_AT_ONCE};

/// A TLS connection from its first byte on.
pub(crate) struct Session {
    engine: Rc<Engine>,
    credentials: Arc<Credentials>,
    library: UnbufferedServerConnection,
    /// Records that have begun.
    held: Vec<u8>,
    /// What was decrypted and not taken yet, from `taken` on.
    plain: Vec<u8>,
    taken: usize,
    /// Records that are to be sent before anything else, from `sent` on.
    outgoing: Vec<u8>,
    sent: usize,
    /// Bytes whose records stand there: whoever wrote them has not been told that they are gone.
    owed: usize,
    /// What the client asked for.
    name: Option<Box<str>>,
    /// Something has come.
    begun: bool,
    /// Nothing more comes.
    ended: bool,
}

/// What carries a connection's records.
pub(crate) trait Carrier {
    /// Receives some bytes; 0 is the end.
    fn poll_receive(&mut self, into: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Sends some bytes.
    fn poll_send(&mut self, bytes: &[u8]) -> Poll<io::Result<usize>>;
}

/// Why a connection cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The socket.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The client, or what it wants.
    #[error("{0}")]
    Tls(#[from] rustls::Error),
    /// The client speaks, and it is HTTP in clear text.
    #[error("expected a TLS record, found HTTP in clear text")]
    Cleartext,
    /// The client went away.
    #[error("the client has gone")]
    Gone,
}

impl Session {
    /// A session for a client that has just connected.
    ///
    /// # Errors
    ///
    /// The library's: no memory, no random numbers.
    pub(crate) fn new(engine: &Rc<Engine>) -> Result<Self, Fault> {
        let current = engine.current();
        Ok(Self {
            engine: Rc::clone(engine),
            credentials: current.credentials,
            library: UnbufferedServerConnection::new(current.config)?,
            held: Vec::new(),
            plain: Vec::new(),
            taken: 0,
            outgoing: Vec::new(),
            sent: 0,
            owed: 0,
            name: None,
            begun: false,
            ended: false,
        })
    }

    /// Goes on with the handshake; ready once both sides may send.
    ///
    /// # Errors
    ///
    /// There will be no connection. Its last words are sent as far as the socket takes them.
    pub(crate) fn poll_handshake(&mut self, carrier: &mut impl Carrier) -> Poll<Result<(), Fault>> {
        loop {
            ready!(self.poll_flush(carrier))?;
            if !self.library.is_handshaking() {
                return Poll::Ready(Ok(()));
            }
            if self.ended {
                return Poll::Ready(Err(Fault::Gone));
            }
            let outcome = ready!(self.poll_input(&mut [], carrier));
            if let Some(name) = self.credentials.take_asked() {
                self.name = Some(name);
            }
            if let Err(fault) = outcome {
                let _ = self.poll_flush(carrier);
                return Poll::Ready(Err(fault));
            }
        }
    }

    /// The protocol that was agreed upon, if the client speaks of protocols.
    pub(crate) fn protocol(&self) -> Option<&[u8]> {
        self.library.alpn_protocol()
    }

    /// What the handshake has come to. A chain that was shown has been verified, or there would be no
    /// connection.
    pub(crate) fn facts(&self) -> TlsInfo {
        let suite = self.library.negotiated_cipher_suite();
        let shown = self.library.peer_certificates().unwrap_or_default();
        let mut facts = TlsInfo::default();
        facts.version = self.library.protocol_version().map_or(0, u16::from);
        facts.cipher_suite = suite.map_or(0, |suite| suite.suite().into());
        facts.alpn = self.protocol().unwrap_or_default().to_vec();
        facts.server_name = self.name.as_deref().unwrap_or_default().as_bytes().to_vec();
        facts.peer_chain = shown.iter().map(|one| one.to_vec()).collect();
        facts.peer_verified = !shown.is_empty();
        facts
    }

    /// Whether something can be read without another byte from the client.
    pub(crate) fn has_input(&self) -> bool {
        self.taken < self.plain.len()
    }

    /// Reads some bytes; 0 is the end.
    ///
    /// # Errors
    ///
    /// The connection broke, or what came is no TLS.
    pub(crate) fn poll_read(
        &mut self,
        into: &mut [u8],
        carrier: &mut impl Carrier,
    ) -> Poll<Result<usize, Fault>> {
        if self.has_input() {
            return Poll::Ready(Ok(self.take(into)));
        }
        loop {
            // A client that takes no answers to what it asks of TLS itself is read no further.
            if !self.outgoing.is_empty() {
                ready!(self.poll_flush(carrier))?;
            }
            if self.ended || into.is_empty() {
                return Poll::Ready(Ok(0));
            }
            let outcome = ready!(self.poll_input(into, carrier));
            let count = match outcome {
                Ok(count) => count,
                Err(fault) => {
                    let _ = self.poll_flush(carrier);
                    return Poll::Ready(Err(fault));
                }
            };
            if count > 0 {
                return Poll::Ready(Ok(count));
            }
        }
    }

    /// Writes some of `parts`, in order. One who is told to wait comes back with the same bytes, whose
    /// records are on their way already.
    ///
    /// # Errors
    ///
    /// The connection broke.
    pub(crate) fn poll_write<'a>(
        &mut self,
        parts: impl IntoIterator<Item = &'a [u8]>,
        carrier: &mut impl Carrier,
    ) -> Poll<Result<usize, Fault>> {
        if !self.outgoing.is_empty() {
            ready!(self.poll_flush(carrier))?;
        }
        if self.owed > 0 {
            return Poll::Ready(Ok(std::mem::take(&mut self.owed)));
        }
        let engine = Rc::clone(&self.engine);
        let records = &mut *engine.scratch.output.borrow_mut();
        let (mut count, mut length) = (0, 0);
        for part in parts {
            let part = &part[..part.len().min(WRITTEN_AT_ONCE - count)];
            if !part.is_empty() {
                length += self.encrypt(part, &mut records[length..])?;
                count += part.len();
            }
        }
        let mut sent = 0;
        while sent < length {
            let Poll::Ready(some) = carrier.poll_send(&records[sent..length]) else {
                self.outgoing.extend_from_slice(&records[sent..length]);
                self.owed = count;
                return Poll::Pending;
            };
            sent += some?;
        }
        Poll::Ready(Ok(count))
    }

    /// Sends what has to go before anything else; ready once it is gone.
    ///
    /// # Errors
    ///
    /// The connection broke.
    pub(crate) fn poll_flush(&mut self, carrier: &mut impl Carrier) -> Poll<io::Result<()>> {
        while self.sent < self.outgoing.len() {
            self.sent += ready!(carrier.poll_send(&self.outgoing[self.sent..]))?;
        }
        if self.sent > 0 {
            (self.outgoing, self.sent) = (Vec::new(), 0);
        }
        Poll::Ready(Ok(()))
    }

    /// Says that nothing more will be written; to be flushed.
    pub(crate) fn end_output(&mut self) {
        loop {
            match self.library.process_tls_records(&mut []).state {
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    let mut alert = [0; ALERT_BYTES];
                    if let Ok(length) = traffic.queue_close_notify(&mut alert) {
                        self.outgoing.extend_from_slice(&alert[..length]);
                    }
                    return;
                }
                Ok(ConnectionState::EncodeTlsData(data)) => {
                    if encode(data, &mut self.outgoing).is_err() {
                        return;
                    }
                }
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::PeerClosed) => self.ended = true,
                _ => return,
            }
        }
    }

    fn take(&mut self, into: &mut [u8]) -> usize {
        let left = &self.plain[self.taken..];
        let count = left.len().min(into.len());
        into[..count].copy_from_slice(&left[..count]);
        self.taken += count;
        if self.taken == self.plain.len() {
            (self.plain, self.taken) = (Vec::new(), 0);
        }
        count
    }

    /// Receives once and decrypts, into `into` first; how many bytes went there.
    fn poll_input(
        &mut self,
        into: &mut [u8],
        carrier: &mut impl Carrier,
    ) -> Poll<Result<usize, Fault>> {
        let engine = Rc::clone(&self.engine);
        let records = &mut *engine.scratch.input.borrow_mut();
        let held = self.held.len();
        let most = (held + into.len() + RECORD_BYTES).min(INPUT_BYTES);
        let count = ready!(carrier.poll_receive(&mut records[held..most]))?;
        if count == 0 {
            self.ended = true;
            return Poll::Ready(Ok(0));
        }
        records[..held].copy_from_slice(&self.held);
        let filled = held + count;
        // A record of a handshake begins with 22 (RFC 8446 §5.1), a method with a letter.
        if !self.begun && records[0].is_ascii_uppercase() {
            return Poll::Ready(Err(Fault::Cleartext));
        }
        self.begun = true;
        let (used, given) = self.decrypt(&mut records[..filled], into)?;
        if used < filled {
            self.held.clear();
            self.held.extend_from_slice(&records[used..filled]);
        } else if held > 0 {
            self.held = Vec::new();
        }
        Poll::Ready(Ok(given))
    }

    /// Goes through `records`; how many of their bytes are done with, and how many were given.
    fn decrypt(&mut self, records: &mut [u8], into: &mut [u8]) -> Result<(usize, usize), Fault> {
        let (mut at, mut given) = (0, 0);
        loop {
            let UnbufferedStatus { mut discard, state } =
                self.library.process_tls_records(&mut records[at..]);
            let mut goes_on = true;
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        let AppDataRecord {
                            discard: of_record,
                            payload,
                        } = record?;
                        discard += of_record;
                        let count = payload.len().min(into.len() - given);
                        into[given..given + count].copy_from_slice(&payload[..count]);
                        given += count;
                        self.plain.extend_from_slice(&payload[count..]);
                    }
                    // Nothing but what was read can have come to anything.
                    goes_on = at + discard < records.len();
                }
                Ok(ConnectionState::EncodeTlsData(data)) => encode(data, &mut self.outgoing)?,
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::PeerClosed) => self.ended = true,
                Ok(_) => goes_on = false,
                Err(error) => {
                    self.speak_last();
                    return Err(error.into());
                }
            }
            at += discard;
            if !goes_on {
                return Ok((at, given));
            }
        }
    }

    /// What the library has to say of an error.
    fn speak_last(&mut self) {
        loop {
            match self.library.process_tls_records(&mut []).state {
                Ok(ConnectionState::EncodeTlsData(data)) => {
                    if encode(data, &mut self.outgoing).is_err() {
                        return;
                    }
                }
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                _ => return,
            }
        }
    }

    /// Writes records with `bytes` into `records`, behind what the library itself has to say first.
    fn encrypt(&mut self, bytes: &[u8], records: &mut [u8]) -> io::Result<usize> {
        let mut length = 0;
        loop {
            match self.library.process_tls_records(&mut []).state {
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    let written = traffic.encrypt(bytes, &mut records[length..]);
                    return Ok(length + written.map_err(io::Error::other)?);
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    let written = data.encode(&mut records[length..]);
                    length += written.map_err(io::Error::other)?;
                }
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::PeerClosed) => self.ended = true,
                Ok(_) => return Err(io::ErrorKind::BrokenPipe.into()),
                Err(error) => return Err(io::Error::other(error)),
            }
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({:?})", self.name)
    }
}

/// Appends a record of the library's own.
fn encode<D>(mut data: EncodeTlsData<'_, D>, outgoing: &mut Vec<u8>) -> io::Result<()> {
    let start = outgoing.len();
    let mut room = 512;
    loop {
        outgoing.resize(start + room, 0);
        match data.encode(&mut outgoing[start..]) {
            Ok(length) => {
                outgoing.truncate(start + length);
                return Ok(());
            }
            Err(EncodeError::InsufficientSize(size)) => room = size.required_size,
            Err(error) => return Err(io::Error::other(error)),
        }
    }
}

/// More than the longest record (RFC 8446 §5.2, RFC 5246 §6.2.3).
const RECORD_BYTES: usize = 18 * 1024 + 5;
/// More than an alert takes.
const ALERT_BYTES: usize = 128;
