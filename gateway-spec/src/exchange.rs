//! [`Exchange`]: an application's handle on what a host offers for one request.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

use http::StatusCode;

use crate::abi::export::ForeignExchange;
use crate::error::{Error, ErrorKind};
use crate::exchange_host::{HostExchange, TlsInfo};
use crate::fields::Fields;

/// A handle on the exchange, safe to keep in a spawned task: cheap to clone, harmless after the end.
#[derive(Clone, Default)]
pub struct Exchange {
    host: Option<Arc<dyn HostExchange>>,
}

impl Exchange {
    /// The handle that a host gives with a request.
    pub fn new(host: Arc<dyn HostExchange>) -> Self {
        Self { host: Some(host) }
    }

    /// The host behind the handle.
    pub(crate) fn host(&self) -> Option<&dyn HostExchange> {
        self.host.as_deref()
    }

    /// The host behind the handle, taken out of it.
    #[cfg(feature = "lint")]
    pub(crate) fn into_host(self) -> Option<Arc<dyn HostExchange>> {
        self.host
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

    /// Lets go of the host.
    #[inline]
    pub(crate) fn cut(&mut self) {
        if !matches!(self, Self::None) {
            *self = Self::None;
        }
    }

    pub(crate) fn host(&self) -> Option<&dyn HostExchange> {
        match self {
            Self::None => None,
            Self::Shared(exchange) => exchange.host(),
            Self::Foreign(foreign) => Some(foreign),
        }
    }
}
