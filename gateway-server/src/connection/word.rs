//! [`Word`]: what a proxy or a front is believed in.

use std::rc::Rc;

use gateway_spec::Address;
use gateway_spec::abi::host::HostAddress;
use gateway_spec::abi::scheme;

use crate::fronts::Report;
use crate::proxies::Proxies;

/// What a trusted peer says of the client for whom it speaks.
#[derive(Debug)]
pub(super) struct Word {
    /// By the fields of each request, if they are its own.
    pub(super) fields: Option<Rc<Proxies>>,
    /// Of the whole connection: who the client is.
    pub(super) client: Option<HostAddress>,
    /// Likewise: how the client came to it, an id of [`scheme`].
    pub(super) scheme: Option<u16>,
    /// By the front whose requests these are.
    pub(super) front: Option<Rc<Report>>,
}

impl Word {
    /// By fields alone.
    pub(super) fn of_fields(proxies: Rc<Proxies>) -> Self {
        Self {
            fields: Some(proxies),
            client: None,
            scheme: None,
            front: None,
        }
    }

    /// By a front's report of each request, and by nothing in its fields.
    pub(super) fn of_front(report: Rc<Report>) -> Self {
        Self {
            fields: None,
            client: None,
            scheme: None,
            front: Some(report),
        }
    }

    /// By what stands before everything else on its connection, whether or not `tls` was what the client
    /// came by.
    pub(super) fn of_client(client: &Address, tls: bool, proxies: Option<&Rc<Proxies>>) -> Self {
        // The fields are passed on as the client sends them: whether they are believed is the client's
        // matter. Whoever may come to a unix socket of the proxy's has not come to one of ours.
        let fields = match client {
            Address::Ip(_) => proxies.filter(|proxies| proxies.trust(client)),
            _ => None,
        };
        Self {
            fields: fields.cloned(),
            client: Some(HostAddress::from(client)),
            // TLS that goes on to us is none that it could see.
            scheme: tls.then_some(scheme::HTTPS),
            front: None,
        }
    }
}
