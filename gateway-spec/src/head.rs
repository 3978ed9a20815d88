//! The compact request head: the head's bytes and a table of offsets into them.
//!
//! Building an `http::Request` with eight fields costs about 380 ns; this costs a copy. Heads come
//! from a pool of the thread that drops them, so a busy worker allocates none.

use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::OnceLock;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Extensions, Method, Version};

use crate::abi::names;
use crate::abi::types::{family, header_flag, request_flag};
use crate::address::Address;
use crate::body::Body;
use crate::exchange::Link;

/// A stretch of [`Head::bytes`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

/// The field lines, as whoever made the head described them: by where they stood in a region of
/// which [`Head::bytes`] is a copy. So a host's array of lines is copied as it is.
#[derive(Debug, Default)]
pub(crate) struct FieldTable {
    pub(crate) lines: Vec<Line>,
    /// Where the region began.
    pub(crate) origin: usize,
}

/// One field line: a `gw_header` whose pointers have become numbers. The name is lower-case.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) name: usize,
    pub(crate) value: usize,
    pub(crate) name_len: u32,
    pub(crate) value_len: u32,
    /// Id in [`names`], 0 if none. The name of a line with an id is the table's.
    pub(crate) name_id: u16,
    pub(crate) flags: u16,
    pub(crate) reserved: u32,
}

/// An address as it crosses the ABI; the path of a unix socket stands in [`Head::bytes`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RawAddress {
    pub(crate) family: u16,
    pub(crate) port: u16,
    pub(crate) scope: u32,
    pub(crate) ip: [u8; 16],
    pub(crate) unix_path: Span,
}

/// Everything a [`Request`](crate::Request) owns.
pub(crate) struct Head {
    pub(crate) bytes: Vec<u8>,
    pub(crate) fields: FieldTable,
    pub(crate) method: Method,
    pub(crate) version: Version,
    pub(crate) https: bool,
    pub(crate) flags: u64,
    pub(crate) target: Span,
    pub(crate) authority: Span,
    pub(crate) path: Span,
    pub(crate) query: Option<Span>,
    pub(crate) mount: Span,
    pub(crate) protocol: Option<Span>,
    pub(crate) id: Span,
    pub(crate) content_length: Option<u64>,
    pub(crate) arrival_ns: u64,
    pub(crate) peer: RawAddress,
    pub(crate) client: RawAddress,
    pub(crate) local: RawAddress,
    pub(crate) body: Body,
    pub(crate) link: Link,
    pub(crate) extensions: Extensions,
    pub(crate) map: OnceLock<Box<HeaderMap>>,
}

impl Head {
    /// An empty head, from the pool if there is one.
    pub(crate) fn take() -> Box<Self> {
        POOL.try_with(|pool| pool.borrow_mut().pop())
            .ok()
            .flatten()
            .unwrap_or_default()
    }

    /// Gives a head back to this thread's pool.
    pub(crate) fn give_back(mut head: Box<Self>) {
        head.clear();
        // Without the pool (the thread is ending) or with a full one, the head is freed.
        let _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < POOL_HEADS {
                pool.push(head);
            }
        });
    }

    pub(crate) fn slice(&self, span: Span) -> &[u8] {
        let start = span.start as usize;
        self.bytes
            .get(start..start + span.len as usize)
            .unwrap_or_default()
    }

    /// Appends bytes and says where they stand.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Span {
        let span = Span {
            start: length(self.bytes.len()),
            len: length(bytes.len()),
        };
        self.bytes.extend_from_slice(bytes);
        span
    }

    pub(crate) fn push_field(&mut self, name: &[u8], value: &[u8], sensitive: bool) {
        let origin = self.fields.origin;
        let (name_at, value_at) = (self.push(name), self.push(value));
        self.fields.lines.push(Line {
            name: origin.wrapping_add(name_at.start as usize),
            value: origin.wrapping_add(value_at.start as usize),
            name_len: name_at.len,
            value_len: value_at.len,
            name_id: names::id_of(name),
            flags: if sensitive { header_flag::SENSITIVE } else { 0 },
            reserved: 0,
        });
    }

    /// The field lines: lower-case name and value.
    pub(crate) fn lines(&self) -> impl ExactSizeIterator<Item = (&str, &[u8])> {
        self.fields.lines.iter().map(|line| {
            let name = names::name_of(line.name_id);
            let name =
                name.or_else(|| std::str::from_utf8(self.part(line.name, line.name_len)).ok());
            (
                name.unwrap_or_default(),
                self.part(line.value, line.value_len),
            )
        })
    }

    /// What stood at an address of the region; nothing for one that is not in it.
    pub(crate) fn part(&self, address: usize, len: u32) -> &[u8] {
        let start = address.wrapping_sub(self.fields.origin);
        let end = start.wrapping_add(len as usize);
        self.bytes.get(start..end).unwrap_or_default()
    }

    pub(crate) fn push_address(&mut self, address: &Address) -> RawAddress {
        match address {
            Address::Unknown => RawAddress::default(),
            Address::Unix(path) => RawAddress {
                family: family::UNIX,
                unix_path: self.push(path),
                ..RawAddress::default()
            },
            Address::Ip(address) => RawAddress::from_ip(*address),
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
            let mut map = HeaderMap::with_capacity(self.fields.lines.len());
            for ((name, value), line) in self.lines().zip(&self.fields.lines) {
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
        self.flags & flag != 0
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.fields.lines.clear();
        self.fields.origin = 0;
        self.method = Method::GET;
        self.body = Body::empty();
        self.link = Link::None;
        self.query = None;
        self.protocol = None;
        self.mount = Span::default();
        self.extensions.clear();
        self.map.take();
        if self.bytes.capacity() > POOL_BYTES {
            self.bytes = Vec::new();
        }
    }
}

impl Default for Head {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            fields: FieldTable::default(),
            method: Method::GET,
            version: Version::HTTP_11,
            https: false,
            flags: 0,
            target: Span::default(),
            authority: Span::default(),
            path: Span::default(),
            query: None,
            mount: Span::default(),
            protocol: None,
            id: Span::default(),
            content_length: Some(0),
            arrival_ns: 0,
            peer: RawAddress::default(),
            client: RawAddress::default(),
            local: RawAddress::default(),
            body: Body::empty(),
            link: Link::None,
            extensions: Extensions::new(),
            map: OnceLock::new(),
        }
    }
}

impl RawAddress {
    fn from_ip(address: SocketAddr) -> Self {
        let mut raw = Self {
            port: address.port(),
            ..Self::default()
        };
        match address.ip() {
            IpAddr::V4(ip) => {
                raw.family = family::IPV4;
                raw.ip[..4].copy_from_slice(&ip.octets());
            }
            IpAddr::V6(ip) => {
                raw.family = family::IPV6;
                raw.ip = ip.octets();
            }
        }
        if let SocketAddr::V6(address) = address {
            raw.scope = address.scope_id();
        }
        raw
    }
}

impl Span {
    /// The same stretch without its first `count` bytes.
    pub(crate) fn skip(self, count: u32) -> Self {
        let count = count.min(self.len);
        Self {
            start: self.start + count,
            len: self.len - count,
        }
    }
}

/// Lengths of heads fit `u32`: hosts bound a head far below 4 GiB.
pub(crate) fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

pub(crate) const ABSOLUTE_FORM: u64 = request_flag::ABSOLUTE_FORM;

/// Heads that a thread keeps: as many as are in flight at once on a busy loop, about 1 KiB each.
const POOL_HEADS: usize = 64;
/// A head whose bytes needed more than this is not kept.
const POOL_BYTES: usize = 16 * 1024;

thread_local! {
    #[expect(
        clippy::vec_box,
        reason = "requests own their heads by the same boxes, which only move in and out"
    )]
    static POOL: RefCell<Vec<Box<Head>>> = const { RefCell::new(Vec::new()) };
}
