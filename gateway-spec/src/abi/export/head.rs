//! From a borrowed `gw_request` to an owned head: one copy of the head's bytes.

use http::{Method, Version};

use super::exchange::ForeignExchange;
use crate::abi::body::ForeignBody;
use crate::abi::buffer::OwnedBuffer;
use crate::abi::field::Field;
use crate::abi::types::{
    GwAddr, GwHeader, GwRequest, GwStr, LENGTH_UNKNOWN, family, method, request_flag, scheme,
    version,
};
use crate::body::Body;
use crate::error::{Error, ErrorKind};
use crate::exchange::Link;
use crate::head::{Head, Line, RawAddress, Span, length};

/// Takes what the request gives away (body, first bytes, the reference to the exchange) and copies
/// what it lends.
///
/// # Safety
///
/// `request` is what a host passes to `call`.
#[inline]
pub(super) unsafe fn import(request: &GwRequest) -> Result<Box<Head>, Error> {
    let mut head = Head::take();
    // The reference is ours whatever happens below.
    // SAFETY: the host's exchange, with one reference for us.
    head.link = unsafe { ForeignExchange::take(request.ctx) }.map_or(Link::None, Link::Foreign);
    // SAFETY: the host's body, owned by us, or NULL.
    let body = unsafe { ForeignBody::take(request.body) };
    let mut first = None;
    if !request.first.is_null() {
        // SAFETY: the host lends the buffer to be moved out of.
        first = Some(unsafe { OwnedBuffer::take(request.first) });
    }

    head.method = method_of(request)?;
    head.version = match request.version {
        version::HTTP_10 => Version::HTTP_10,
        version::HTTP_2 => Version::HTTP_2,
        version::HTTP_3 => Version::HTTP_3,
        _ => Version::HTTP_11,
    };
    head.https = request.scheme == scheme::HTTPS;
    head.flags = request.flags;
    if request.raw.len > 0 {
        // SAFETY: the host's region, lent for the call.
        head.bytes.extend_from_slice(unsafe { request.raw.bytes() });
        head.fields.origin = request.raw.ptr.addr();
        // SAFETY: the host's array of n_headers lines, lent for the call.
        head.fields
            .lines
            .extend_from_slice(unsafe { lines(request) });
        place_all(&mut head, request, |_, slice| within(&request.raw, slice));
    } else {
        // SAFETY: slices of the head, which the host lends for the call.
        unsafe { append_all(&mut head, request) };
    }
    let bytes = &mut head.bytes;
    // SAFETY: a string of the host's, lent for the call; it need not be part of the head.
    head.id = append(bytes, unsafe { request.id.bytes() });
    // SAFETY: as for the id.
    head.mount = append(bytes, unsafe { request.mount.bytes() });
    head.content_length =
        (request.content_length != LENGTH_UNKNOWN).then_some(request.content_length);
    head.arrival_ns = request.t_mono_ns;
    // SAFETY: NULL or an address that the host lends for the call.
    head.peer = unsafe { address(bytes, request.peer) };
    head.client = if request.client == request.peer {
        head.peer
    } else {
        // SAFETY: as for the peer.
        unsafe { address(bytes, request.client) }
    };
    // SAFETY: as for the peer.
    head.local = unsafe { address(bytes, request.local) };
    if request.flags & request_flag::HAS_BODY != 0 {
        head.body = assemble(first, body, head.content_length);
    }
    Ok(head)
}

fn assemble(first: Option<OwnedBuffer>, body: Option<ForeignBody>, length: Option<u64>) -> Body {
    let first = first.filter(|first| !first.is_empty());
    match (first, body) {
        (None, None) => Body::empty(),
        (Some(first), None) => Body::from(bytes::Bytes::from(first)),
        (first, Some(body)) => {
            let first = first.map(bytes::Bytes::from).unwrap_or_default();
            Body::chained(first, length, Box::pin(body))
        }
    }
}

fn method_of(request: &GwRequest) -> Result<Method, Error> {
    Ok(match request.method_id {
        method::GET => Method::GET,
        method::HEAD => Method::HEAD,
        method::POST => Method::POST,
        method::PUT => Method::PUT,
        method::DELETE => Method::DELETE,
        method::CONNECT => Method::CONNECT,
        method::OPTIONS => Method::OPTIONS,
        method::TRACE => Method::TRACE,
        method::PATCH => Method::PATCH,
        _ => {
            // SAFETY: the host's string, borrowed for the call.
            let name = unsafe { request.method.bytes() };
            Method::from_bytes(name).map_err(|_| {
                let found = name.escape_ascii();
                Error::new(
                    ErrorKind::Invalid,
                    format!("expected a method, found {found}"),
                )
            })?
        }
    })
}

/// The host's lines, as numbers.
///
/// # Safety
///
/// `headers` points to `n_headers` lines, or there are none.
#[inline]
unsafe fn lines(request: &GwRequest) -> &[Line] {
    const { assert!(size_of::<Line>() == size_of::<GwHeader>()) };
    if request.headers.is_null() {
        return &[];
    }
    let count = request.n_headers as usize;
    // SAFETY: the caller's promise; a `Line` is a `GwHeader` whose pointers are read as addresses.
    unsafe { std::slice::from_raw_parts(request.headers.cast::<Line>(), count) }
}

/// Notes where each part of the head stands in the copy.
#[inline]
fn place_all(head: &mut Head, request: &GwRequest, place: impl Fn(&mut Vec<u8>, &GwStr) -> Span) {
    let bytes = &mut head.bytes;
    head.target = place(bytes, &request.target);
    head.authority = place(bytes, &request.authority);
    head.path = place(bytes, &request.path);
    let mut optional = |slice: &GwStr| (!slice.ptr.is_null()).then(|| place(bytes, slice));
    head.query = optional(&request.query);
    head.protocol = optional(&request.protocol);
}

/// Where a slice of the host's region stands in its copy. One that is not in the region, against
/// the contract, reads as other bytes of the copy or as none; never as foreign memory.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "a head is shorter than 4 GiB"
)]
fn within(region: &GwStr, slice: &GwStr) -> Span {
    Span {
        start: slice.ptr.addr().wrapping_sub(region.ptr.addr()) as u32,
        len: slice.len as u32,
    }
}

fn append(bytes: &mut Vec<u8>, slice: &[u8]) -> Span {
    if slice.is_empty() {
        return Span::default();
    }
    let span = Span {
        start: length(bytes.len()),
        len: length(slice.len()),
    };
    bytes.extend_from_slice(slice);
    span
}

/// For a host without a region: every part is copied by itself.
///
/// # Safety
///
/// The strings and lines of `request` describe valid bytes.
#[cold]
unsafe fn append_all(head: &mut Head, request: &GwRequest) {
    // SAFETY: the caller's promise.
    for line in unsafe { Field::foreign(request.headers, request.n_headers) } {
        head.push_field(line.name(), line.value(), line.is_sensitive());
    }
    place_all(head, request, |bytes, slice| {
        // SAFETY: the caller's promise.
        append(bytes, unsafe { slice.bytes() })
    });
}

/// # Safety
///
/// `address` is NULL or valid.
#[inline]
unsafe fn address(bytes: &mut Vec<u8>, address: *const GwAddr) -> RawAddress {
    // SAFETY: the caller's promise.
    let Some(address) = (unsafe { address.as_ref() }) else {
        return RawAddress::default();
    };
    let unix_path = if address.family == family::UNIX {
        // SAFETY: the host's string.
        append(bytes, unsafe { address.unix_path.bytes() })
    } else {
        Span::default()
    };
    RawAddress {
        family: address.family,
        port: address.port,
        scope: address.scope,
        ip: address.ip,
        unix_path,
    }
}
