//! From a borrowed `gw_request` to an owned head: one copy of the head's bytes.

use http::{Method, Version};

use super::exchange::ForeignExchange;
use crate::abi::body::ForeignBody;
use crate::abi::buffer::OwnedBuffer;
use crate::abi::types::{
    GwAddr, GwHeader, GwRequest, GwStr, LENGTH_UNKNOWN, family, header_flag, method, request_flag,
    scheme, version,
};
use crate::body::Body;
use crate::error::{Error, ErrorKind};
use crate::exchange::Link;
use crate::head::{FieldSpan, Head, RawAddress, Span, length};

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

    // SAFETY: the host's region, borrowed for the call.
    head.bytes.extend_from_slice(unsafe { request.raw.bytes() });
    let base = request.raw;
    head.method = method_of(request)?;
    head.version = match request.version {
        version::HTTP_10 => Version::HTTP_10,
        version::HTTP_2 => Version::HTTP_2,
        version::HTTP_3 => Version::HTTP_3,
        _ => Version::HTTP_11,
    };
    head.https = request.scheme == scheme::HTTPS;
    head.flags = request.flags;
    let bytes = &mut head.bytes;
    // SAFETY: a slice of the head, which the host lends for the call. So are all below.
    head.target = unsafe { place(bytes, base, &request.target) };
    // SAFETY: as for the target.
    head.authority = unsafe { place(bytes, base, &request.authority) };
    // SAFETY: as for the target.
    head.path = unsafe { place(bytes, base, &request.path) };
    // SAFETY: as for the target.
    head.query = unsafe { place_optional(bytes, base, &request.query) };
    // SAFETY: as for the target.
    head.mount = unsafe { place(bytes, base, &request.mount) };
    // SAFETY: as for the target.
    head.protocol = unsafe { place_optional(bytes, base, &request.protocol) };
    // SAFETY: as for the target.
    head.id = unsafe { place(bytes, base, &request.id) };
    let lines = if request.headers.is_null() {
        &[]
    } else {
        // SAFETY: the host's array of n_headers lines, lent for the call.
        unsafe { std::slice::from_raw_parts(request.headers, request.n_headers as usize) }
    };
    head.fields.reserve(lines.len());
    for line in lines {
        // SAFETY: a line's name and value are slices of the head.
        head.fields.push(unsafe { field(bytes, base, line) });
    }
    head.content_length =
        (request.content_length != LENGTH_UNKNOWN).then_some(request.content_length);
    head.arrival_ns = request.t_mono_ns;
    // SAFETY: NULL or an address that the host lends for the call.
    head.peer = unsafe { address(bytes, request.peer) };
    // SAFETY: as for the peer.
    head.client = unsafe { address(bytes, request.client) };
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

/// Where a slice of the head stands in the copy: at its offset in the host's region, else appended.
///
/// # Safety
///
/// `slice` describes valid bytes or none.
#[inline]
unsafe fn place(bytes: &mut Vec<u8>, base: GwStr, slice: &GwStr) -> Span {
    if slice.len == 0 {
        return Span::default();
    }
    let offset = slice.ptr.addr().wrapping_sub(base.ptr.addr());
    if offset <= base.len && slice.len <= base.len - offset {
        return Span {
            start: length(offset),
            len: length(slice.len),
        };
    }
    // SAFETY: the caller's promise.
    append(bytes, unsafe { slice.bytes() })
}

/// As [`place`], for slices that may be absent.
///
/// # Safety
///
/// As for [`place`].
#[inline]
unsafe fn place_optional(bytes: &mut Vec<u8>, base: GwStr, slice: &GwStr) -> Option<Span> {
    if slice.ptr.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    Some(unsafe { place(bytes, base, slice) })
}

#[cold]
fn append(bytes: &mut Vec<u8>, slice: &[u8]) -> Span {
    let span = Span {
        start: length(bytes.len()),
        len: length(slice.len()),
    };
    bytes.extend_from_slice(slice);
    span
}

/// # Safety
///
/// `line` describes valid bytes.
#[inline]
unsafe fn field(bytes: &mut Vec<u8>, base: GwStr, line: &GwHeader) -> FieldSpan {
    let name = GwStr {
        ptr: line.name,
        len: line.name_len as usize,
    };
    let value = GwStr {
        ptr: line.value,
        len: line.value_len as usize,
    };
    FieldSpan {
        // SAFETY: the caller's promise.
        name: unsafe { place(bytes, base, &name) },
        // SAFETY: the caller's promise.
        value: unsafe { place(bytes, base, &value) },
        name_id: line.name_id,
        sensitive: line.flags & header_flag::SENSITIVE != 0,
    }
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
