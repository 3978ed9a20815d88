//! [`Connection`]: facts of a connection, as an extension of its requests.

use std::sync::Arc;

use gateway_spec::{Address, Scheme, TlsInfo};

/// What a server knows of the connection that a request came by.
///
/// A server tells it to the [`GatewayService`](crate::GatewayService) of a connection, or inserts it
/// into the extensions of each request; a service behind [`app`](crate::app()) finds it there. A
/// clone is cheap.
#[derive(Clone, Debug, Default)]
pub struct Connection {
    facts: Arc<Facts>,
}

#[derive(Clone, Debug, Default)]
struct Facts {
    peer: Address,
    client: Option<Address>,
    local: Address,
    is_secure: bool,
    tls: Option<TlsInfo>,
}

impl Connection {
    /// A connection between these: the other end, and ours.
    #[must_use]
    pub fn new(peer: impl Into<Address>, local: impl Into<Address>) -> Self {
        let facts = Facts {
            peer: peer.into(),
            local: local.into(),
            ..Facts::default()
        };
        Self {
            facts: Arc::new(facts),
        }
    }

    /// The same, used by this client, whom a trusted proxy named.
    #[must_use]
    pub fn with_client(mut self, client: impl Into<Address>) -> Self {
        Arc::make_mut(&mut self.facts).client = Some(client.into());
        self
    }

    /// The same in TLS, with what is known of that; its requests are `https`.
    #[must_use]
    pub fn with_tls(mut self, tls: Option<TlsInfo>) -> Self {
        let facts = Arc::make_mut(&mut self.facts);
        (facts.is_secure, facts.tls) = (true, tls);
        self
    }

    /// The other end of the socket.
    #[must_use]
    pub fn peer(&self) -> &Address {
        &self.facts.peer
    }

    /// The client: the peer, or whom a trusted proxy named.
    #[must_use]
    pub fn client(&self) -> &Address {
        self.facts.client.as_ref().unwrap_or(&self.facts.peer)
    }

    /// Our end of the socket.
    #[must_use]
    pub fn local(&self) -> &Address {
        &self.facts.local
    }

    /// `https` for TLS.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        if self.facts.is_secure {
            Scheme::Https
        } else {
            Scheme::Http
        }
    }

    /// What is known of its TLS.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsInfo> {
        self.facts.tls.as_ref()
    }
}
