//! Who may speak for others.

use crate::config::setting::{Applies, Field, Group, Setting};

pub(super) static PROXIES: &[Setting] = &[
    Setting {
        name: "trusted-proxies",
        short: None,
        group: Group::Proxies,
        field: Field::Peers(|c| &mut c.trusted_proxies),
        default: "",
        help: "Believe what the other end of a connection says of the client for whom it asks, if it has \
               one of these addresses; unix believes whoever connects to a unix socket. Everybody else's \
               word counts for nothing, and nobody else may connect to a proxy+ address; may be repeated",
        applies: Applies::Reload,
    },
    Setting {
        name: "proxy-fields",
        short: None,
        group: Group::Proxies,
        field: Field::ProxyFields(|c| &mut c.proxy_fields),
        default: "x-forwarded-for,x-forwarded-proto",
        help: "Fields in which trusted proxies say it. Name only those that the proxies set whatever a client \
               has sent: a field that they pass on is the client's word; may be repeated",
        applies: Applies::Reload,
    },
    Setting {
        name: "proxy-hops",
        short: None,
        group: Group::Proxies,
        field: Field::Count(0..=32, |c| &mut c.proxy_hops),
        default: "0",
        help: "Number of proxies in a row, where not all their addresses are known: the client is so many \
               from the end of the list. With 0 it is the last one who is no trusted proxy",
        applies: Applies::Reload,
    },
];
