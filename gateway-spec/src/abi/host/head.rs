//! [`CallHead`]: a request's head as a host hands it over, written where the application reads it.

use std::fmt;
use std::marker::PhantomData;
use std::ptr;

use super::address::HostAddress;
use crate::abi::field::Field;
use crate::abi::size::struct_size;
use crate::abi::types::{GwRequest, GwStr, LENGTH_UNKNOWN, method, scheme, version};

/// A request's head; everything is borrowed for the start of the call only.
pub struct CallHead<'a> {
    pub(super) request: GwRequest,
    lent: PhantomData<&'a [u8]>,
}

impl<'a> CallHead<'a> {
    /// A head with nothing in it, of HTTP/1.1 over cleartext, between unknown addresses.
    ///
    /// `region` holds all slices but the id and the mount, so that an application can copy them at
    /// once; if it is empty, they may stand anywhere.
    #[must_use]
    #[inline]
    pub fn new(region: &'a [u8]) -> Self {
        let none = GwStr::NONE;
        Self {
            request: GwRequest {
                struct_size: struct_size::<GwRequest>(),
                n_headers: 0,
                flags: 0,
                version: version::HTTP_11,
                scheme: scheme::HTTP,
                method_id: method::OTHER,
                method: none,
                target: none,
                authority: none,
                path: none,
                query: none,
                mount: none,
                protocol: none,
                id: none,
                raw: region.into(),
                headers: ptr::null(),
                content_length: 0,
                peer: ptr::null(),
                client: ptr::null(),
                local: ptr::null(),
                t_mono_ns: 0,
                first: ptr::null_mut(),
                body: ptr::null_mut(),
                ctx: ptr::null_mut(),
                slot: ptr::null_mut(),
                slot_len: 0,
            },
            lent: PhantomData,
        }
    }

    /// The method and its id ([`crate::abi::method`]).
    #[inline]
    pub fn set_method(&mut self, id: u32, name: &'a [u8]) {
        self.request.method_id = id;
        self.request.method = name.into();
    }

    /// The target, byte for byte, and its parts: the raw path, and the raw query, which is `None`
    /// if there is no `?`.
    #[inline]
    pub fn set_target(&mut self, target: &'a [u8], path: &'a [u8], query: Option<&'a [u8]>) {
        self.request.target = target.into();
        self.request.path = path.into();
        self.request.query = optional(query);
    }

    /// `host[:port]`, or empty.
    #[inline]
    pub fn set_authority(&mut self, authority: &'a [u8]) {
        self.request.authority = authority.into();
    }

    /// The version ([`crate::abi::version`]).
    #[inline]
    pub fn set_version(&mut self, version: u16) {
        self.request.version = version;
    }

    /// The scheme ([`crate::abi::scheme`]).
    #[inline]
    pub fn set_scheme(&mut self, scheme: u16) {
        self.request.scheme = scheme;
    }

    /// Flags ([`crate::abi::request_flag`]); HAS_BODY is set if the call gets a body.
    #[inline]
    pub fn set_flags(&mut self, flags: u64) {
        self.request.flags = flags;
    }

    /// The mount, a prefix of the path.
    #[inline]
    pub fn set_mount(&mut self, mount: &'a [u8]) {
        self.request.mount = mount.into();
    }

    /// The protocol of a valid upgrade.
    #[inline]
    pub fn set_protocol(&mut self, protocol: Option<&'a [u8]>) {
        self.request.protocol = optional(protocol);
    }

    /// The request's id.
    #[inline]
    pub fn set_id(&mut self, id: &'a [u8]) {
        self.request.id = id.into();
    }

    /// Field lines: lower-case names, without hop-by-hop fields.
    #[inline]
    pub fn set_fields(&mut self, fields: &'a [Field<'a>]) {
        self.request.headers = Field::as_headers(fields);
        self.request.n_headers = crate::head::length(fields.len());
    }

    /// Length of the body, `None` if unknown.
    #[inline]
    pub fn set_content_length(&mut self, length: Option<u64>) {
        self.request.content_length = length.unwrap_or(LENGTH_UNKNOWN);
    }

    /// The socket's other end, the client after the trusted-proxy policy, and our end.
    #[inline]
    pub fn set_addresses(
        &mut self,
        peer: &'a HostAddress,
        client: &'a HostAddress,
        local: &'a HostAddress,
    ) {
        self.request.peer = peer.as_raw();
        self.request.client = client.as_raw();
        self.request.local = local.as_raw();
    }

    /// Arrival, nanoseconds of the monotonic clock.
    #[inline]
    pub fn set_arrival(&mut self, nanoseconds: u64) {
        self.request.t_mono_ns = nanoseconds;
    }
}

impl fmt::Debug for CallHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: set from a slice that is borrowed still.
        let target = unsafe { self.request.target.bytes() };
        write!(f, "CallHead({})", target.escape_ascii())
    }
}

fn optional(part: Option<&[u8]>) -> GwStr {
    part.map_or(GwStr::NONE, GwStr::from)
}
