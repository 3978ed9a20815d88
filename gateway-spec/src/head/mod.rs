//! The compact request head: a copy of the head's bytes and of what the host said about them.
//!
//! Building an `http::Request` with eight fields costs about 380 ns; this costs a copy. Heads come
//! from a pool of the thread that drops them, so a busy worker allocates none.

mod facts;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::OnceLock;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Extensions, Method};

pub(crate) use facts::{Facts, Line, Part, RawAddress};

use crate::abi::names;
use crate::abi::types::{family, header_flag, request_flag};
use crate::address::Address;
use crate::body::Body;
use crate::exchange::Link;
use crate::pool::{Pool, Pooled};

/// Everything a [`Request`](crate::Request) owns.
pub(crate) struct Head {
    /// A copy of the region, and behind it what stood elsewhere.
    pub(crate) bytes: Vec<u8>,
    /// Where the region began.
    pub(crate) origin: usize,
    pub(crate) lines: Vec<Line>,
    pub(crate) facts: Facts,
    /// A method without an id.
    pub(crate) method: Option<Method>,
    pub(crate) peer: RawAddress,
    /// None: as the peer.
    pub(crate) client: Option<RawAddress>,
    pub(crate) local: RawAddress,
    pub(crate) body: Body,
    pub(crate) link: Link,
    pub(crate) extensions: Extensions,
    pub(crate) map: OnceLock<Box<HeaderMap>>,
}

impl Head {
    /// A head from the pool, or a new one. Its facts, origin and addresses are to be filled in;
    /// all else is empty.
    #[inline]
    pub(crate) fn take() -> Box<Pooled<Self>> {
        Pooled::take(&POOL)
    }

    /// Gives a head back to this thread's pool.
    #[inline]
    pub(crate) fn give_back(mut head: Box<Pooled<Self>>) {
        head.clear();
        Pooled::give_back(head, &POOL, POOL_HEADS);
    }

    /// The bytes of a part; none for one that does not stand in the copy.
    #[inline]
    pub(crate) fn slice(&self, part: Part) -> &[u8] {
        let start = part.at.wrapping_sub(self.origin);
        let end = start.wrapping_add(part.len);
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// Appends bytes and says where they stand.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Part {
        let at = self.origin.wrapping_add(self.bytes.len());
        self.bytes.extend_from_slice(bytes);
        Part {
            at,
            len: bytes.len(),
        }
    }

    pub(crate) fn push_field(&mut self, name: &[u8], value: &[u8], sensitive: bool) {
        let (name_at, value_at) = (self.push(name), self.push(value));
        self.lines.push(Line {
            name: name_at.at,
            value: value_at.at,
            name_len: length(name_at.len),
            value_len: length(value_at.len),
            name_id: names::id_of(name),
            flags: if sensitive { header_flag::SENSITIVE } else { 0 },
            reserved: 0,
        });
    }

    /// The field lines: lower-case name and value.
    pub(crate) fn lines(&self) -> impl ExactSizeIterator<Item = (&str, &[u8])> {
        self.lines.iter().map(|line| {
            let name = names::name_of(line.name_id);
            let name = name.or_else(|| std::str::from_utf8(self.written_name(line)).ok());
            let value = Part {
                at: line.value,
                len: line.value_len as usize,
            };
            (name.unwrap_or_default(), self.slice(value))
        })
    }

    /// The name as the copy has it.
    pub(crate) fn written_name(&self, line: &Line) -> &[u8] {
        self.slice(Part {
            at: line.name,
            len: line.name_len as usize,
        })
    }

    #[inline]
    pub(crate) fn method(&self) -> &Method {
        let method = self.method.as_ref().or_else(|| self.facts.known_method());
        // A method without an id is always there.
        method.unwrap_or(&Method::GET)
    }

    /// The effective client.
    pub(crate) fn client(&self) -> &RawAddress {
        self.client.as_ref().unwrap_or(&self.peer)
    }

    pub(crate) fn push_address(&mut self, address: &Address) -> RawAddress {
        match address {
            Address::Unknown => RawAddress::default(),
            Address::Unix(path) => RawAddress {
                family: family::UNIX,
                unix_path: self.push(path),
                ..RawAddress::default()
            },
            Address::Ip(address) => RawAddress::from(*address),
        }
    }

    pub(crate) fn address(&self, raw: &RawAddress) -> Address {
        match raw.family {
            family::UNIX => Address::Unix(self.slice(raw.unix_path).into()),
            family::IPV4 => {
                let [a, b, c, d, ..] = raw.ip;
                Address::Ip(SocketAddr::new(Ipv4Addr::new(a, b, c, d).into(), raw.port))
            }
            family::IPV6 => {
                let address = SocketAddrV6::new(Ipv6Addr::from(raw.ip), raw.port, 0, raw.scope);
                Address::Ip(address.into())
            }
            _ => Address::Unknown,
        }
    }

    pub(crate) fn header_map(&self) -> &HeaderMap {
        self.map.get_or_init(|| {
            let mut map = HeaderMap::with_capacity(self.lines.len());
            for ((name, value), line) in self.lines().zip(&self.lines) {
                let name = HeaderName::from_bytes(name.as_bytes());
                let value = HeaderValue::from_bytes(value);
                // A host hands over valid lines only (REQ-06); one that is not has no place in a map.
                if let (Ok(name), Ok(mut value)) = (name, value) {
                    value.set_sensitive(line.flags & header_flag::SENSITIVE != 0);
                    map.append(name, value);
                }
            }
            Box::new(map)
        })
    }

    pub(crate) fn has(&self, flag: u64) -> bool {
        self.facts.flags & flag != 0
    }

    #[inline]
    fn clear(&mut self) {
        self.bytes.clear();
        self.lines.clear();
        // Most heads had no more than these.
        let is_clear = self.bytes.capacity() <= POOL_BYTES
            && self.method.is_none()
            && self.body.is_nothing()
            && self.extensions.is_empty()
            && self.map.get().is_none();
        if !is_clear {
            self.clear_rest();
        }
        self.link.cut();
    }

    #[inline(never)]
    fn clear_rest(&mut self) {
        if self.bytes.capacity() > POOL_BYTES {
            self.bytes = Vec::new();
        }
        self.method = None;
        self.body = Body::empty();
        self.extensions.clear();
        self.map.take();
    }
}

impl Default for Head {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            origin: ORIGIN,
            lines: Vec::new(),
            facts: Facts::NEW,
            method: None,
            peer: RawAddress::default(),
            client: None,
            local: RawAddress::default(),
            body: Body::empty(),
            link: Link::None,
            extensions: Extensions::new(),
            map: OnceLock::new(),
        }
    }
}

/// Lengths of heads fit `u32`: hosts bound a head far below 4 GiB.
pub(crate) fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

pub(crate) const ABSOLUTE_FORM: u64 = request_flag::ABSOLUTE_FORM;

/// Where the bytes of a head that no host gave begin: not at 0, which says that a part is missing.
pub(crate) const ORIGIN: usize = 1;
/// Heads that a thread keeps: as many as are in flight at once on a busy loop, about 1 KiB each.
const POOL_HEADS: usize = 64;
/// A head whose bytes needed more than this is not kept.
const POOL_BYTES: usize = 16 * 1024;

thread_local! {
    static POOL: Pool<Head> = const { Pool::new() };
}
