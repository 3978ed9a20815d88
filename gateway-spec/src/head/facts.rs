//! A head's facts as they cross the ABI: a `gw_request` whose pointers have become numbers.
//!
//! A host's request is copied as it is, its field lines and addresses as well. What a part of the
//! head says is looked up when somebody asks: at its distance from where the host's region began.

use std::net::{IpAddr, SocketAddr};

use http::{Method, Version};

use crate::abi::types::{
    GwAddr, GwHeader, GwRequest, LENGTH_UNKNOWN, family, method, scheme, version,
};

/// The beginning of a `gw_request`, as far as the head goes. Numbers that only the host's memory
/// gives a sense are not read.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    _sizes: [u32; 2],
    pub(crate) flags: u64,
    pub(crate) version: u16,
    pub(crate) scheme: u16,
    pub(crate) method_id: u32,
    pub(crate) method: Part,
    pub(crate) target: Part,
    pub(crate) authority: Part,
    pub(crate) path: Part,
    pub(crate) query: Part,
    pub(crate) mount: Part,
    pub(crate) protocol: Part,
    pub(crate) id: Part,
    /// All of the region.
    pub(crate) region: Part,
    _headers: usize,
    pub(crate) content_length: u64,
    _addresses: [usize; 3],
    pub(crate) arrival_ns: u64,
}

/// Bytes of a head, by the address at which they stood in the region; 0 where there are none.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Part {
    pub(crate) at: usize,
    pub(crate) len: usize,
}

/// One field line: a `gw_header`. The name is lower-case, or the table's where it has an id.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) name: usize,
    pub(crate) value: usize,
    pub(crate) name_len: u32,
    pub(crate) value_len: u32,
    /// Id in [`crate::abi::names`], 0 if none.
    pub(crate) name_id: u16,
    pub(crate) flags: u16,
    pub(crate) reserved: u32,
}

/// A `gw_addr`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RawAddress {
    pub(crate) family: u16,
    pub(crate) port: u16,
    pub(crate) scope: u32,
    pub(crate) ip: [u8; 16],
    pub(crate) unix_path: Part,
}

// One is copied as the other.
const _: () = {
    assert!(std::mem::offset_of!(Facts, target) == std::mem::offset_of!(GwRequest, target));
    assert!(std::mem::offset_of!(Facts, region) == std::mem::offset_of!(GwRequest, raw));
    assert!(std::mem::offset_of!(Facts, arrival_ns) == std::mem::offset_of!(GwRequest, t_mono_ns));
    assert!(size_of::<Facts>() <= size_of::<GwRequest>());
    assert!(size_of::<Line>() == size_of::<GwHeader>());
    assert!(size_of::<RawAddress>() == size_of::<GwAddr>());
};

impl Facts {
    /// A request without body, of HTTP/1.1, with nothing in it.
    pub(crate) const NEW: Self = Self {
        _sizes: [0; 2],
        flags: 0,
        version: version::HTTP_11,
        scheme: scheme::HTTP,
        method_id: method::OTHER,
        method: Part::NONE,
        target: Part::NONE,
        authority: Part::NONE,
        path: Part::NONE,
        query: Part::NONE,
        mount: Part::NONE,
        protocol: Part::NONE,
        id: Part::NONE,
        region: Part::NONE,
        _headers: 0,
        content_length: 0,
        _addresses: [0; 3],
        arrival_ns: 0,
    };

    /// The method, if it has an id.
    #[inline]
    pub(crate) fn known_method(&self) -> Option<&'static Method> {
        METHODS.get((self.method_id as usize).wrapping_sub(1))
    }

    pub(crate) fn version(&self) -> Version {
        match self.version {
            version::HTTP_10 => Version::HTTP_10,
            version::HTTP_2 => Version::HTTP_2,
            version::HTTP_3 => Version::HTTP_3,
            _ => Version::HTTP_11,
        }
    }

    pub(crate) fn set_version(&mut self, version: Version) {
        self.version = match version {
            Version::HTTP_10 => version::HTTP_10,
            Version::HTTP_2 => version::HTTP_2,
            Version::HTTP_3 => version::HTTP_3,
            _ => version::HTTP_11,
        };
    }

    pub(crate) fn content_length(&self) -> Option<u64> {
        (self.content_length != LENGTH_UNKNOWN).then_some(self.content_length)
    }
}

impl Part {
    /// No part, where that differs from an empty one.
    pub(crate) const NONE: Self = Self { at: 0, len: 0 };

    /// This part, unless it is [`NONE`](Self::NONE).
    #[inline]
    pub(crate) fn there(self) -> Option<Self> {
        (self.at != 0).then_some(self)
    }

    /// The same stretch without its first `count` bytes.
    pub(crate) fn skip(self, count: usize) -> Self {
        let count = count.min(self.len);
        Self {
            at: self.at.wrapping_add(count),
            len: self.len - count,
        }
    }
}

impl From<SocketAddr> for RawAddress {
    fn from(address: SocketAddr) -> Self {
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

/// The methods by their ids, from 1 on.
static METHODS: [Method; 9] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::DELETE,
    Method::CONNECT,
    Method::OPTIONS,
    Method::TRACE,
    Method::PATCH,
];
