//! [`HostExchange`]: what a host offers for one request beyond its head and body.

use std::task::{Context, Poll};

use http::StatusCode;

use crate::error::Error;
use crate::fields::Fields;

/// Implemented by hosts of the Rust trait (adapters, test clients); `gatewayd` implements the C
/// ABI's functions of the same names instead.
///
/// Every function may be called from any thread, also after the exchange has ended, when
/// [`inform`](HostExchange::inform) answers [`ErrorKind::Closed`](crate::ErrorKind::Closed) and both polls are ready.
pub trait HostExchange: Send + Sync + 'static {
    /// Sends an informational response (RFC 9110 §15.2).
    ///
    /// # Errors
    ///
    /// See [`Exchange::inform`](crate::Exchange::inform).
    fn inform(&self, status: StatusCode, fields: &Fields) -> Result<(), Error>;

    /// Ready once the client has gone or the exchange has ended. Keeps the last waker only.
    fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<()>;

    /// Ready once the server drains. Keeps the last waker only.
    fn poll_draining(&self, cx: &mut Context<'_>) -> Poll<()>;

    /// From now on a disconnect does not cancel the call.
    fn finish_on_disconnect(&self);

    /// The id of a request whose head came without one, made when it is first asked for.
    fn id(&self) -> Option<&[u8]> {
        None
    }

    /// Facts of the TLS connection, if there is one.
    fn tls(&self) -> Option<TlsInfo> {
        None
    }
}

/// Facts of a TLS connection.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsInfo {
    /// 0x0303 for TLS 1.2, 0x0304 for TLS 1.3.
    pub version: u16,
    /// The cipher suite's IANA number.
    pub cipher_suite: u16,
    /// The protocol chosen by ALPN; empty if none.
    pub alpn: Vec<u8>,
    /// The server name that the client sent; empty if none.
    pub server_name: Vec<u8>,
    /// The client's certificate chain, leaf first, DER; empty if it sent none.
    pub peer_chain: Vec<Vec<u8>>,
    /// Whether that chain was verified.
    pub peer_verified: bool,
}
