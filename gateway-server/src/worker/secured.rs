//! What a worker's TLS connections begin from.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use crate::options::ServeOptions;
use crate::os::memfd;
use crate::tls::{Engine, Material, Terms, TicketKeys};

/// An engine with what the master has handed over: certificates and keys, and the keys of session
/// tickets.
///
/// # Errors
///
/// They are of no use.
pub(super) fn engine(
    material: OwnedFd,
    tickets: OwnedFd,
    options: &ServeOptions,
) -> io::Result<Rc<Engine>> {
    let bytes = memfd::read(&File::from(material))?;
    let material = Material::from_bytes(&bytes);
    let material = material.ok_or_else(|| io::Error::other("expected certificates"))?;
    let protocols = if options.http2.enabled {
        &PROTOCOLS[..]
    } else {
        &PROTOCOLS[1..]
    };
    let terms = Terms {
        client_auth: options.client_auth,
        protocols: protocols.iter().map(|name| name.to_vec()).collect(),
        min_version: options.tls_min_version,
        ticket_lifetime: options.ticket_lifetime,
    };
    let tickets = TicketKeys::map_to_read(tickets)?;
    Engine::new(&material, terms, tickets).map_err(io::Error::other)
}

/// What is spoken within TLS, by the names of ALPN (RFC 7301), best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];
