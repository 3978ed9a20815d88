//! [`Proxies`]: which peers are believed when they say for whom they ask, and what of it.
//!
//! A proxy tells in fields that any client can send as well. They count for nothing unless the other
//! end of the socket is trusted, and even then only those fields do that the operator says the proxies
//! set: the others, a proxy may have handed on as they came.

mod forwarded;
mod list;
mod node;
mod trusted;

use std::net::{IpAddr, SocketAddr};

use gateway_spec::Address;
use gateway_spec::abi::{Field, names, scheme};

pub(crate) use self::trusted::{ProxyField, TrustedPeer};

use self::forwarded::Element;
use self::list::List;
use crate::http1;

/// What the operator says of the proxies before the server.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Proxies {
    /// Who they are.
    pub(crate) trusted: Vec<TrustedPeer>,
    /// What they set, whatever a client has sent.
    pub(crate) fields: Vec<ProxyField>,
    /// How many stand in a row; 0 follows addresses as long as they are trusted.
    pub(crate) hops: u32,
}

/// What is believed of one request beside its head: the word of a proxy's fields, or of a front.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told<'r> {
    /// The client; port 0 if no port was named.
    pub client: Option<SocketAddr>,
    /// How the client asked, an id of [`scheme`].
    pub scheme: Option<u16>,
    /// `host[:port]` that the client asked for.
    pub authority: Option<&'r [u8]>,
    /// What the proxies took off the beginning of the path.
    pub prefix: Option<&'r [u8]>,
    /// How many bytes at the beginning of the path are not the application's.
    pub mount: usize,
    /// How the client spoke to a front, an id of [`version`](gateway_spec::abi::version).
    pub version: Option<u16>,
}

impl Proxies {
    /// Whether the other end of a socket is one of them.
    pub(crate) fn trust(&self, peer: &Address) -> bool {
        match peer {
            Address::Unix(_) => self.trusted.contains(&TrustedPeer::Unix),
            Address::Ip(address) => self.trust_ip(address.ip()),
            _ => false,
        }
    }

    fn trust_ip(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.trusted.iter().any(|peer| peer.contains(ip))
    }

    /// What a trusted peer says in the fields of a request. What cannot be understood says nothing.
    pub(crate) fn hear<'r>(&self, fields: impl Iterator<Item = Field<'r>>) -> Told<'r> {
        let mut said = Said::default();
        let mut silent = true;
        for field in fields {
            if let Some(list) = said.of(field.name_id())
                && !field.value().is_empty()
            {
                list.add(field.value());
                silent = false;
            }
        }
        let mut told = Told::default();
        if silent {
            return told;
        }
        let believed = |field| self.fields.contains(&field);
        let mut depth = 1;
        if believed(ProxyField::Forwarded) {
            let elements = said.forwarded.elements_of(forwarded::split);
            let nodes = elements
                .iter()
                .rev()
                .map(|text| Element::parse(text)?.node());
            (told.client, depth) = self.client(nodes);
            if let Some(element) = from_end(&elements, depth).and_then(Element::parse) {
                told.scheme = element.proto().and_then(scheme_of);
                told.authority = element.host().filter(|host| http1::is_host(host));
            }
        }
        if believed(ProxyField::For) {
            let nodes = said.addresses.elements_of(list::split);
            (told.client, depth) = self.client(nodes.iter().rev().map(|text| node::parse(text)));
        }
        let nth = |field, list: &List<'r>| {
            if list.is_empty() || !believed(field) {
                return None;
            }
            from_end(&list.elements_of(list::split), depth)
        };
        if let Some(proto) = nth(ProxyField::Proto, &said.proto) {
            told.scheme = scheme_of(proto);
        }
        if let Some(host) = nth(ProxyField::Host, &said.host) {
            told.authority = Some(host).filter(|host| http1::is_host(host));
        }
        let prefix = nth(ProxyField::Prefix, &said.prefix);
        told.prefix = prefix.and_then(prefix_of);
        told
    }

    /// The client among `nodes`, the nearest one first, and how far away it is, at least 1.
    fn client(
        &self,
        nodes: impl Iterator<Item = Option<SocketAddr>>,
    ) -> (Option<SocketAddr>, usize) {
        let (mut client, mut depth) = (None, 0);
        for node in nodes {
            // Nobody that is trusted knows what stands beyond.
            let Some(node) = node else { break };
            client = Some(node);
            depth += 1;
            let goes_on = match self.hops {
                0 => self.trust_ip(node.ip()),
                hops => depth < hops as usize,
            };
            if !goes_on {
                break;
            }
        }
        (client, depth.max(1))
    }
}

/// What all fields of proxies say if nobody on the way is known by address; for fuzzers.
pub fn hear<'r>(fields: impl Iterator<Item = Field<'r>>, hops: u32) -> Told<'r> {
    let proxies = Proxies {
        trusted: Vec::new(),
        fields: ProxyField::ALL.to_vec(),
        hops,
    };
    proxies.hear(fields)
}

/// The lines of the fields that proxies set.
#[derive(Default)]
struct Said<'r> {
    forwarded: List<'r>,
    addresses: List<'r>,
    proto: List<'r>,
    host: List<'r>,
    prefix: List<'r>,
}

impl<'r> Said<'r> {
    fn of(&mut self, id: u16) -> Option<&mut List<'r>> {
        Some(match id {
            FORWARDED => &mut self.forwarded,
            FOR => &mut self.addresses,
            PROTO => &mut self.proto,
            HOST => &mut self.host,
            PREFIX => &mut self.prefix,
            _ => return None,
        })
    }
}

/// The `depth`th element from the end; the first one if there are fewer, for then proxies nearby have
/// replaced what others said.
fn from_end<'r>(elements: &[&'r [u8]], depth: usize) -> Option<&'r [u8]> {
    elements.get(elements.len().saturating_sub(depth)).copied()
}

fn scheme_of(proto: &[u8]) -> Option<u16> {
    if proto.eq_ignore_ascii_case(b"https") || proto.eq_ignore_ascii_case(b"wss") {
        Some(scheme::HTTPS)
    } else if proto.eq_ignore_ascii_case(b"http") || proto.eq_ignore_ascii_case(b"ws") {
        Some(scheme::HTTP)
    } else {
        None
    }
}

/// A path without a slash at its end, if it is one that can stand before another.
fn prefix_of(text: &[u8]) -> Option<&[u8]> {
    let path = text.strip_suffix(b"/").unwrap_or(text);
    let segments = path.strip_prefix(b"/")?.split(|byte| *byte == b'/');
    let mut good = segments.map(|segment| {
        let plain =
            |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%".contains(byte);
        !matches!(segment, b"" | b"." | b"..") && segment.iter().all(plain)
    });
    good.all(|good| good).then_some(path)
}

const FORWARDED: u16 = names::id("forwarded");
const FOR: u16 = names::id("x-forwarded-for");
const PROTO: u16 = names::id("x-forwarded-proto");
const HOST: u16 = names::id("x-forwarded-host");
const PREFIX: u16 = names::id("x-forwarded-prefix");

#[cfg(test)]
mod tests;
