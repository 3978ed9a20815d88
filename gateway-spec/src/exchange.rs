//! [`Exchange`]: what a host offers an application for one request beyond its head and body.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::StatusCode;

use crate::abi::export::ForeignExchange;
use crate::error::{Error, ErrorKind};
use crate::fields::Fields;

/// Implemented by hosts of the Rust trait (adapters, test clients); `gatewayd` implements the C
/// ABI's functions of the same names instead.
///
/// Every function may be called from any thread, also after the exchange has ended, when
/// [`inform`](HostExchange::inform) answers [`ErrorKind::Closed`] and both polls are ready.
pub trait HostExchange: Send + Sync + 'static {
    /// Sends an informational response (RFC 9110 §15.2).
    ///
    /// # Errors
    ///
    /// See [`Exchange::inform`].
    fn inform(&self, status: StatusCode, fields: &Fields) -> Result<(), Error>;

    /// Ready once the client has gone or the exchange has ended. Keeps the last waker only.
    fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<()>;

    /// Ready once the server drains. Keeps the last waker only.
    fn poll_draining(&self, cx: &mut Context<'_>) -> Poll<()>;

    /// From now on a disconnect does not cancel the call.
    fn finish_on_disconnect(&self);

    /// Facts of the TLS connection, if there is one.
    fn tls(&self) -> Option<TlsInfo> {
        None
    }
}

/// A handle on the exchange, safe to keep in a spawned task: cheap to clone, harmless after the end.
#[derive(Clone, Default)]
pub struct Exchange {
    host: Option<Arc<dyn HostExchange>>,
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

impl Exchange {
    /// The handle that a host gives with a request.
    pub fn new(host: Arc<dyn HostExchange>) -> Self {
        Self { host: Some(host) }
    }

    /// Sends an informational response now, before the final one: 103 with `link` fields lets a
    /// browser fetch early (RFC 8297). For HTTP/1.0 clients it is discarded.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a status outside 102–199 and for 101 (100 is the host's: it
    /// goes out when the body is first polled); [`ErrorKind::TooLate`] after the response;
    /// [`ErrorKind::Closed`] after the exchange; [`ErrorKind::Unsupported`] where there is no host.
    pub fn inform(&self, status: StatusCode, fields: &Fields) -> Result<(), Error> {
        match &self.host {
            Some(host) => host.inform(status, fields),
            None => Err(Error::new(
                ErrorKind::Unsupported,
                "no host to inform the client",
            )),
        }
    }

    /// Waits until the client has gone or the exchange has ended.
    pub async fn closed(&self) {
        match &self.host {
            Some(host) => poll_fn(|cx| host.poll_closed(cx)).await,
            None => std::future::pending().await,
        }
    }

    /// Waits until the server drains: it is about to stop or to be replaced, so streams should end.
    pub async fn draining(&self) {
        match &self.host {
            Some(host) => poll_fn(|cx| host.poll_draining(cx)).await,
            None => std::future::pending().await,
        }
    }

    /// From now on a disconnect does not cancel the call: it runs to its end, its output discarded.
    pub fn finish_on_disconnect(&self) {
        if let Some(host) = &self.host {
            host.finish_on_disconnect();
        }
    }

    /// Facts of the TLS connection, if there is one.
    #[must_use]
    pub fn tls(&self) -> Option<TlsInfo> {
        self.host.as_ref()?.tls()
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.host.is_some() {
            "Exchange"
        } else {
            "Exchange(no host)"
        })
    }
}

/// What a request carries: the handle above, or the ABI's own pointer, which becomes a handle only
/// when somebody asks for one that outlives the request.
#[derive(Default)]
pub(crate) enum Link {
    #[default]
    None,
    Shared(Exchange),
    Foreign(ForeignExchange),
}

impl Link {
    pub(crate) fn handle(&mut self) -> Exchange {
        *self = match std::mem::take(self) {
            Self::Foreign(foreign) => Self::Shared(Exchange::new(Arc::new(foreign))),
            other => other,
        };
        match self {
            Self::Shared(exchange) => exchange.clone(),
            Self::None | Self::Foreign(_) => Exchange::default(),
        }
    }

    pub(crate) fn host(&self) -> Option<&dyn HostExchange> {
        match self {
            Self::None => None,
            Self::Shared(exchange) => exchange.host.as_deref(),
            Self::Foreign(foreign) => Some(foreign),
        }
    }
}
