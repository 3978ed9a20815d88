//! From a borrowed `gw_request` to an owned head: one copy of the head's bytes.

use http::Method;

use super::exchange::ForeignExchange;
use crate::abi::body::ForeignBody;
use crate::abi::buffer::OwnedBuffer;
use crate::abi::field::Field;
use crate::abi::types::{GwAddr, GwRequest, LENGTH_UNKNOWN, family, request_flag};
use crate::body::Body;
use crate::error::{Error, ErrorKind};
use crate::exchange::Link;
use crate::head::{Facts, Head, Line, ORIGIN, Part, RawAddress};
use crate::pool::Pooled;

/// Takes what the request gives away (body, first bytes, the reference to the exchange) and copies
/// what it lends.
///
/// # Safety
///
/// `request` is what a host passes to `call`.
#[inline]
pub(super) unsafe fn import(request: &GwRequest) -> Result<Box<Pooled<Head>>, Error> {
    let mut head = Head::take();
    // The reference is ours whatever happens below.
    // SAFETY: the host's exchange, with one reference for us.
    if let Some(exchange) = unsafe { ForeignExchange::take(request.ctx) } {
        head.link = Link::Foreign(exchange);
    }
    if !request.body.is_null() || !request.first.is_null() {
        // SAFETY: as for this function.
        head.body = unsafe { take_body(request) };
    }
    // SAFETY: the beginning of a `gw_request` is `Facts`, but for pointers that are read as numbers.
    head.facts = unsafe { *(&raw const *request).cast::<Facts>() };
    if request.raw.len > 0 {
        // SAFETY: the host's region, lent for the call.
        head.bytes.extend_from_slice(unsafe { request.raw.bytes() });
        head.origin = request.raw.ptr.addr();
        // SAFETY: the host's array of n_headers lines, lent for the call.
        head.lines.extend_from_slice(unsafe { lines(request) });
    } else {
        // SAFETY: slices of the head, which the host lends for the call.
        unsafe { append_all(&mut head, request) };
    }
    if head.facts.known_method().is_none() {
        // SAFETY: the host's string, borrowed for the call.
        head.method = Some(other_method(unsafe { request.method.bytes() })?);
    }
    // These need not stand in the region.
    if request.id.len > 0 {
        // SAFETY: a string of the host's, lent for the call.
        head.facts.id = head.push(unsafe { request.id.bytes() });
    }
    if request.mount.len > 0 {
        // SAFETY: a string of the host's, lent for the call.
        head.facts.mount = head.push(unsafe { request.mount.bytes() });
    }
    // SAFETY: NULL or an address that the host lends for the call.
    head.peer = unsafe { address(request.peer) };
    head.client = None;
    if request.client != request.peer {
        // SAFETY: as for the peer.
        head.client = Some(unsafe { address(request.client) });
    }
    // SAFETY: as for the peer.
    head.local = unsafe { address(request.local) };
    if head.peer.family == family::UNIX
        || head.client.is_some()
        || head.local.family == family::UNIX
    {
        // SAFETY: as for the peer.
        unsafe { append_paths(&mut head, request) };
    }
    Ok(head)
}

/// Takes the body over, of which a host gives the beginning, what follows it, or both.
///
/// # Safety
///
/// As for [`import`].
#[inline(never)]
unsafe fn take_body(request: &GwRequest) -> Body {
    let mut first = None;
    if !request.first.is_null() {
        // SAFETY: the host lends the buffer to be moved out of.
        first = Some(unsafe { OwnedBuffer::take(request.first) });
    }
    // SAFETY: the host's body, owned by us, or NULL.
    let rest = unsafe { ForeignBody::take(request.body) };
    if request.flags & request_flag::HAS_BODY == 0 {
        return Body::empty();
    }
    let first = first.filter(|first| !first.is_empty());
    let length = (request.content_length != LENGTH_UNKNOWN).then_some(request.content_length);
    match (first, rest) {
        (None, None) => Body::empty(),
        (Some(first), None) => Body::from(bytes::Bytes::from(first)),
        (first, Some(rest)) => {
            let first = first.map(bytes::Bytes::from).unwrap_or_default();
            Body::chained(first, length, Box::pin(rest))
        }
    }
}

#[cold]
fn other_method(name: &[u8]) -> Result<Method, Error> {
    Method::from_bytes(name).map_err(|_| {
        let found = name.escape_ascii();
        Error::new(
            ErrorKind::Invalid,
            format!("expected a method, found {found}"),
        )
    })
}

/// The host's lines, as numbers.
///
/// # Safety
///
/// `headers` points to `n_headers` lines, or there are none.
#[inline]
unsafe fn lines(request: &GwRequest) -> &[Line] {
    if request.headers.is_null() {
        return &[];
    }
    let count = request.n_headers as usize;
    // SAFETY: the caller's promise; a `Line` is a `GwHeader` whose pointers are read as addresses.
    unsafe { std::slice::from_raw_parts(request.headers.cast::<Line>(), count) }
}

/// For a host without a region: every part is copied by itself.
///
/// # Safety
///
/// The strings and lines of `request` describe valid bytes.
#[cold]
unsafe fn append_all(head: &mut Head, request: &GwRequest) {
    head.origin = ORIGIN;
    // SAFETY: the caller's promise.
    for line in unsafe { Field::foreign(request.headers, request.n_headers) } {
        head.push_field(line.name(), line.value(), line.is_sensitive());
    }
    let parts = [
        &request.target,
        &request.authority,
        &request.path,
        &request.query,
        &request.protocol,
    ];
    let [target, authority, path, query, protocol] = parts.map(|part| {
        if part.ptr.is_null() {
            return Part::NONE;
        }
        // SAFETY: the caller's promise.
        head.push(unsafe { part.bytes() })
    });
    let facts = &mut head.facts;
    (facts.target, facts.authority, facts.path) = (target, authority, path);
    (facts.query, facts.protocol) = (query, protocol);
}

/// An address of which the path, if it has one, stands in the host's memory.
///
/// # Safety
///
/// `address` is NULL or valid.
#[inline]
unsafe fn address(address: *const GwAddr) -> RawAddress {
    if address.is_null() {
        return RawAddress::default();
    }
    // SAFETY: the caller's promise; a `RawAddress` is a `GwAddr` whose pointer is read as a number.
    unsafe { *address.cast::<RawAddress>() }
}

/// Copies the paths of unix sockets.
///
/// # Safety
///
/// The addresses of `request` are NULL or valid.
#[cold]
unsafe fn append_paths(head: &mut Head, request: &GwRequest) {
    let mut path = |address: *const GwAddr| {
        // SAFETY: the caller's promise.
        let address = unsafe { address.as_ref() }.filter(|address| address.family == family::UNIX);
        address.map_or(Part::NONE, |address| {
            // SAFETY: the host's string.
            head.push(unsafe { address.unix_path.bytes() })
        })
    };
    let paths = [request.peer, request.client, request.local].map(&mut path);
    let [peer, client, local] = paths;
    (head.peer.unix_path, head.local.unix_path) = (peer, local);
    if let Some(address) = &mut head.client {
        address.unix_path = client;
    }
}
