//! [`Ends`]: who talks to whom, and what of a request follows from that.

use std::rc::Rc;
use std::sync::Arc;

use gateway_spec::Address;
use gateway_spec::abi::host::{HostAddress, HostTls};
use gateway_spec::abi::{Field, names, request_flag, scheme};

use super::dialect::Dialect;
use super::service::Service;
use super::word::Word;
use crate::fronts::{Report, Unwritable};
use crate::http1::{Form, Head};
use crate::proxies::Told;
use crate::proxy_protocol::{Introduction, Source};

/// Both ends of a connection.
#[derive(Debug)]
pub(super) struct Ends {
    pub(super) peer: HostAddress,
    pub(super) entrance: Rc<Entrance>,
    /// What the TLS handshake has come to.
    pub(super) tls: Option<Arc<HostTls>>,
    /// If the peer is a proxy or a front that is believed.
    pub(super) word: Option<Rc<Word>>,
}

/// Where a connection has come in.
#[derive(Debug)]
pub(crate) struct Entrance {
    /// Our end.
    pub(crate) local: HostAddress,
    /// Whether TLS is spoken there.
    pub(crate) secured: bool,
    /// Whether a proxy says first for whom it speaks.
    pub(crate) introduced: bool,
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
    word: Option<&'r Word>,
    told: Told<'r>,
    client: Option<HostAddress>,
    /// The target behind the prefix that was taken off it, if one was.
    target: Option<Vec<u8>>,
}

impl Ends {
    /// With the report of the front whose protocol is spoken, if there is one.
    pub(super) fn new(
        peer: &Address,
        entrance: Rc<Entrance>,
        service: &Service,
        front: Option<&Rc<Report>>,
    ) -> Self {
        let front = front.map(|report| Rc::new(Word::of_front(Rc::clone(report))));
        Self {
            peer: HostAddress::from(peer),
            entrance,
            tls: None,
            word: front.or_else(|| service.word_of(peer)),
        }
    }

    /// The peer, which may, says for whom it speaks.
    pub(super) fn introduce(&mut self, introduction: Introduction, service: &Service) {
        match introduction.source {
            // As if it had said nothing.
            Source::Proxy => {}
            // What follows is somebody else's, who is believed in nothing.
            Source::Unknown => self.word = None,
            Source::Client(client) => {
                let word = Word::of_client(&client, introduction.tls, service.proxies());
                self.word = Some(Rc::new(word));
            }
        }
    }

    /// The client, as far as its requests do not say otherwise.
    pub(super) fn client(&self) -> &HostAddress {
        let word = self.word.as_ref();
        let client = word.and_then(|word| word.client.as_ref());
        client.unwrap_or(&self.peer)
    }

    /// Whether the peer may speak for somebody else.
    #[inline(always)]
    pub(super) fn is_proxied(&self) -> bool {
        self.word.is_some()
    }

    /// What is said beside the request's head, if the peer is believed.
    pub(super) fn hear<'r>(&self, head: &'r Head, raw: &'r [u8]) -> Told<'r> {
        let Some(word) = &self.word else {
            return Told::default();
        };
        match (&word.front, &word.fields) {
            (Some(report), _) => report.told(),
            (None, Some(proxies)) => proxies.hear(head.fields(raw)),
            (None, None) => Told::default(),
        }
    }

    /// What a front says beside the head of the request that it has brought, if there is a front.
    pub(super) fn told_by_front(&self) -> Told<'static> {
        let front = self.word.as_ref().and_then(|word| word.front.as_ref());
        front.map(|front| front.told()).unwrap_or_default()
    }

    /// Why no head could be made of a front's request, if none could.
    pub(super) fn unwritable(&self) -> Option<Unwritable> {
        self.word.as_ref()?.front.as_ref()?.unwritable()
    }
}

impl Entrance {
    /// What is spoken there, if nobody says otherwise.
    pub(super) fn scheme(&self) -> &'static str {
        match self.secured {
            true => "https",
            false => "http",
        }
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
    pub(super) fn new(ends: &'r Ends, head: &'r Head, raw: &'r [u8]) -> Self {
        let word = ends.word.as_deref();
        let told = ends.hear(head, raw);
        let prefix = told.prefix.filter(|_| head.form() == Form::Origin);
        Self {
            word,
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
        let said = self.word.and_then(|word| word.client.as_ref());
        if let Some(client) = self.client.as_ref().or(said) {
            facts.client = client;
            facts.flags |= request_flag::CLIENT_FORWARDED;
        }
        let said = self.word.and_then(|word| word.scheme);
        if let Some(scheme) = self.told.scheme.or(said) {
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

    /// How many bytes of the path a front has found to be no application's.
    pub(super) fn mount(&self) -> usize {
        self.told.mount
    }

    /// How the client has said it, where a front passes it on.
    pub(super) fn dialect(&self, own: Dialect) -> Dialect {
        Dialect::told(self.told.version).unwrap_or(own)
    }

    /// The field Host, if it is to say whom the client asked for.
    pub(super) fn host(&self) -> Option<Field<'r>> {
        let authority = self.told.authority?;
        Some(Field::new(HOST, b"host", authority))
    }
}

const HOST: u16 = names::id("host");
