//! [`Engine`]: from which a worker's TLS connections begin. Certificates can be exchanged while it
//! serves; connections that have begun keep what they have.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rustls::server::{NoServerSessionStorage, ServerConfig};
use rustls::version::{TLS12, TLS13};

use super::credentials::{self, Credentials};
use super::material::Material;
use super::tickets::{TicketKeys, Ticketer};
use crate::value::{ClientAuth, TlsVersion};

/// What the connections of a worker have in common.
pub(crate) struct Engine {
    current: RefCell<Current>,
    terms: Terms,
    /// Seals sessions; nobody where clients show certificates, which a resumed one would not show anew.
    ticketer: Option<Arc<Ticketer>>,
    pub(super) scratch: Scratch,
}

/// How TLS is spoken, whatever the certificates.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// Whether clients show certificates.
    pub(crate) client_auth: ClientAuth,
    /// Protocols that are announced, best first.
    pub(crate) protocols: Vec<Vec<u8>>,
    /// The oldest version that is spoken.
    pub(crate) min_version: TlsVersion,
    /// How long a session may be resumed, at least.
    pub(crate) ticket_lifetime: Duration,
}

/// What new connections are given.
#[derive(Clone)]
pub(super) struct Current {
    pub(super) config: Arc<ServerConfig>,
    pub(super) credentials: Arc<Credentials>,
}

/// Memory that connections use in turn.
pub(super) struct Scratch {
    /// Records as they come.
    pub(super) input: RefCell<Box<[u8]>>,
    /// Records to be sent.
    pub(super) output: RefCell<Box<[u8]>>,
}

impl Engine {
    /// An engine with these certificates.
    ///
    /// # Errors
    ///
    /// They are of no use.
    pub(crate) fn new(
        material: &Material,
        terms: Terms,
        tickets: TicketKeys,
    ) -> Result<Rc<Self>, String> {
        let ticketer = (terms.client_auth == ClientAuth::None)
            .then(|| Arc::new(Ticketer::new(tickets, terms.ticket_lifetime)));
        Ok(Rc::new(Self {
            current: RefCell::new(make(material, &terms, ticketer.as_ref())?),
            terms,
            ticketer,
            scratch: Scratch {
                input: RefCell::new(vec![0; INPUT_BYTES].into()),
                output: RefCell::new(vec![0; OUTPUT_BYTES].into()),
            },
        }))
    }

    /// Gives connections that begin from now on these certificates.
    ///
    /// # Errors
    ///
    /// They are of no use; the old ones stay.
    pub(crate) fn exchange(&self, material: &Material) -> Result<(), String> {
        *self.current.borrow_mut() = make(material, &self.terms, self.ticketer.as_ref())?;
        Ok(())
    }

    pub(super) fn current(&self) -> Current {
        self.current.borrow().clone()
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Engine({:?}, {:?})",
            self.terms,
            self.current.borrow().credentials
        )
    }
}

fn make(
    material: &Material,
    terms: &Terms,
    ticketer: Option<&Arc<Ticketer>>,
) -> Result<Current, String> {
    let versions: &[_] = if terms.min_version == TlsVersion::V13 {
        &[&TLS13]
    } else {
        &[&TLS13, &TLS12]
    };
    let builder = ServerConfig::builder_with_provider(credentials::provider())
        .with_protocol_versions(versions)
        .map_err(|error| error.to_string())?;
    let builder = match credentials::verifier(material, terms.client_auth)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let credentials = Credentials::new(material)?;
    let mut config = builder.with_cert_resolver(Arc::clone(&credentials) as _);
    config.alpn_protocols.clone_from(&terms.protocols);
    match ticketer {
        Some(ticketer) => config.ticketer = Arc::clone(ticketer) as _,
        None => config.send_tls13_tickets = 0,
    }
    // What is kept in one process helps no client that comes to another.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    // All suites are good; scanners want to see an order all the same.
    config.ignore_client_order = true;
    // Data of 0-RTT may be a replay; none is accepted.
    config.max_early_data_size = 0;
    Ok(Current {
        config: Arc::new(config),
        credentials,
    })
}

/// The longest message of a handshake in pieces, or several of the longest records.
pub(super) const INPUT_BYTES: usize = 160 * 1024;
/// Bytes that are encrypted at once.
pub(super) const WRITTEN_AT_ONCE: usize = 64 * 1024;
/// What becomes of them, with what each record adds.
const OUTPUT_BYTES: usize = WRITTEN_AT_ONCE + 4 * 1024;
