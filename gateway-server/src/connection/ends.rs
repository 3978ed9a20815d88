//! [`Ends`]: who talks to whom, and what of a request follows from that.

use std::rc::Rc;
use std::sync::Arc;

use gateway_spec::Address;
use gateway_spec::abi::host::{HostAddress, HostTls};
use gateway_spec::abi::{Field, names, request_flag, scheme};

use super::service::Service;
use crate::http1::{Form, Head};
use crate::proxies::{Proxies, Told};

/// Both ends of a connection.
#[derive(Debug)]
pub(super) struct Ends {
    pub(super) peer: HostAddress,
    pub(super) entrance: Rc<Entrance>,
    /// What the TLS handshake has come to.
    pub(super) tls: Option<Arc<HostTls>>,
    /// If the peer is a proxy that is believed.
    proxies: Option<Rc<Proxies>>,
}

/// Where a connection has come in.
#[derive(Debug)]
pub(crate) struct Entrance {
    /// Our end.
    pub(crate) local: HostAddress,
    /// Whether TLS is spoken there.
    pub(crate) secured: bool,
    /// The port of the https address that every request is sent on to, if it is.
    pub(crate) redirects: Option<u16>,
}

/// What is known of a request beside what its client has sent.
pub(super) struct Facts<'r> {
    pub(super) client: &'r HostAddress,
    pub(super) scheme: u16,
    pub(super) flags: u64,
    /// `host[:port]` that the client asked for.
    pub(super) authority: &'r [u8],
    pub(super) target: &'r [u8],
    pub(super) path: &'r [u8],
    pub(super) query: Option<&'r [u8]>,
    /// What of the path is not the application's.
    pub(super) mount: &'r [u8],
    /// Where all slices stand; empty if there is no such place.
    pub(super) region: &'r [u8],
}

/// What a proxy's word changes of a request: memory for what does not stand in its head.
pub(super) struct Retold<'r> {
    told: Told<'r>,
    client: Option<HostAddress>,
    /// The target behind the prefix that was taken off it, if one was.
    target: Option<Vec<u8>>,
}

impl Ends {
    pub(super) fn new(peer: &Address, entrance: Rc<Entrance>, service: &Service) -> Self {
        let proxies = service.proxies.as_ref();
        let proxies = proxies.filter(|proxies| proxies.trust(peer));
        Self {
            peer: HostAddress::from(peer),
            entrance,
            tls: None,
            proxies: proxies.map(Rc::clone),
        }
    }

    /// Whether the peer may speak for somebody else.
    #[inline(always)]
    pub(super) fn is_proxied(&self) -> bool {
        self.proxies.is_some()
    }

    /// What the request's fields say, if the peer is believed.
    pub(super) fn hear<'r>(&self, head: &'r Head, raw: &'r [u8]) -> Told<'r> {
        let proxies = self.proxies.as_ref();
        proxies.map_or(Told::default(), |proxies| proxies.hear(head.fields(raw)))
    }
}

impl<'r> Facts<'r> {
    /// Those of a request that its client has sent itself.
    #[inline(always)]
    pub(super) fn direct(ends: &'r Ends, head: &'r Head, raw: &'r [u8]) -> Self {
        let absolute = head.form() == Form::Absolute;
        Self {
            client: &ends.peer,
            scheme: if ends.entrance.secured {
                scheme::HTTPS
            } else {
                scheme::HTTP
            },
            flags: if absolute {
                request_flag::ABSOLUTE_FORM
            } else {
                0
            },
            authority: head.authority(raw),
            target: head.target(raw),
            path: head.path(raw),
            query: head.query(raw),
            mount: b"",
            region: raw,
        }
    }
}

impl<'r> Retold<'r> {
    pub(super) fn new(ends: &Ends, head: &'r Head, raw: &'r [u8]) -> Self {
        let told = ends.hear(head, raw);
        let prefix = told.prefix.filter(|_| head.form() == Form::Origin);
        Self {
            told,
            client: told.client.map(|client| HostAddress::from(&client.into())),
            target: prefix.map(|prefix| [prefix, head.target(raw)].concat()),
        }
    }

    /// Has `facts` say what the proxy says.
    pub(super) fn amend<'f>(&'f self, facts: &mut Facts<'f>)
    where
        'r: 'f,
    {
        if let Some(client) = &self.client {
            facts.client = client;
            facts.flags |= request_flag::CLIENT_FORWARDED;
        }
        if let Some(scheme) = self.told.scheme {
            facts.scheme = scheme;
            facts.flags |= request_flag::SCHEME_FORWARDED;
        }
        if let Some(authority) = self.told.authority {
            facts.authority = authority;
        }
        if let (Some(target), Some(prefix)) = (&self.target, self.told.prefix) {
            let length = prefix.len() + facts.path.len();
            facts.mount = &target[..prefix.len()];
            facts.path = &target[..length];
            facts.query = facts.query.map(|_| &target[length + 1..]);
            facts.target = target;
            facts.region = b"";
        }
    }

    /// Has the field Host say whom the client asked for.
    pub(super) fn amend_host(&self, fields: &mut Vec<Field<'r>>) {
        if let Some(authority) = self.told.authority {
            let host = Field::new(HOST, b"host", authority);
            match fields.iter_mut().find(|field| field.name_id() == HOST) {
                Some(field) => *field = host,
                None => fields.push(host),
            }
        }
    }
}

const HOST: u16 = names::id("host");
