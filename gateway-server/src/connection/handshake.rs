//! The TLS handshake, before anything is said in HTTP.

use std::sync::Arc;
use std::task::Poll;

use gateway_spec::abi::host::HostTls;

use super::{Awaiting, Connection, Phase};
use crate::scoreboard::Counter;
use crate::tls::Fault;

impl Connection {
    pub(super) fn poll_handshake(&mut self) -> Poll<()> {
        match self.io.wire.poll_handshake() {
            Poll::Pending => {
                if self.awaiting != Awaiting::Handshake {
                    let timeout = self.io.service.timeouts.handshake;
                    self.wait(Awaiting::Handshake, timeout);
                }
                return Poll::Pending;
            }
            Poll::Ready(Ok(())) => {
                self.io.service.slot.add(Counter::Handshakes);
                let facts = self.io.wire.facts();
                self.ends.tls = facts.map(|facts| Arc::new(HostTls::from(facts)));
                self.phase = match self.io.wire.protocol() {
                    Some(HTTP_2) => Phase::Departing,
                    _ => Phase::Head(None),
                };
            }
            Poll::Ready(Err(fault)) => self.handshake_failed(&fault),
        }
        self.awaiting = Awaiting::Nothing;
        Poll::Ready(())
    }

    /// Anybody can send anything: it is worth no more than a word for who looks for one.
    #[cold]
    fn handshake_failed(&mut self, fault: &Fault) {
        self.io.service.slot.add(Counter::HandshakesFailed);
        tracing::debug!("a TLS handshake failed: {fault}");
        self.io.wire.give_up_tls();
        if matches!(fault, Fault::Cleartext) {
            self.io.output.bytes.extend_from_slice(SPEAK_TLS);
        }
        self.phase = match fault {
            Fault::Io(_) | Fault::Gone => Phase::Close,
            _ => Phase::LINGER,
        };
    }
}

/// As ALPN calls it (RFC 9113 §3.2).
const HTTP_2: &[u8] = b"h2";
/// For a client that speaks HTTP in clear text where TLS is spoken.
const SPEAK_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\n\
    content-length: 39\r\nconnection: close\r\n\r\nThis address speaks TLS: use https://.\n";
