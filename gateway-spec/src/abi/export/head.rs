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
    // SAFETY (for all `place`): slices of the head, borrowed for the call.
    head.target = unsafe { place(&mut head.bytes, base, &request.target) };
    head.authority = unsafe { place(&mut head.bytes, base, &request.authority) };
    head.path = unsafe { place(&mut head.bytes, base, &request.path) };
    head.query = None;
    if !request.query.ptr.is_null() {
        head.query = Some(unsafe { place(&mut head.bytes, base, &request.query) });
    }
    head.mount = unsafe { place(&mut head.bytes, base, &request.mount) };
    head.protocol = None;
    if !request.protocol.ptr.is_null() {
        head.protocol = Some(unsafe { place(&mut head.bytes, base, &request.protocol) });
    }
    head.id = unsafe { place(&mut head.bytes, base, &request.id) };
    let count = if request.headers.is_null() {
        0
    } else {
        request.n_headers as usize
    };
    head.fields.reserve(count);
    for index in 0..count {
        // SAFETY: the host's array of n_headers lines.
        let line = unsafe { &*request.headers.add(index) };
        let field = unsafe { field(&mut head.bytes, base, line) };
        head.fields.push(field);
    }
    head.content_length =
        (request.content_length != LENGTH_UNKNOWN).then_some(request.content_length);
    head.arrival_ns = request.t_mono_ns;
    head.peer = unsafe { address(&mut head.bytes, request.peer) };
    head.client = unsafe { address(&mut head.bytes, request.client) };
    head.local = unsafe { address(&mut head.bytes, request.local) };
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
