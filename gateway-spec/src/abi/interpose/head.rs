//! Request and response heads of the ABI as the facts that rules speak of.

use crate::abi::field::Field;
use crate::abi::names::{self, NAMES};
use crate::abi::types::{
    GwAddr, GwHeader, GwRequest, GwResponse, GwStr, LENGTH_UNKNOWN, SLOT_MIN_SIZE, method,
    request_flag, response_flag, version,
};
use crate::lint::fields::Line;
use crate::lint::request::RequestFacts;
use crate::lint::response::{Offer, ResponseFacts};
use crate::lint::violation::Reports;
use crate::rules;

/// Reports what a host breaks with a request's head.
///
/// # Safety
///
/// `request` is a whole request of version 1.0, inside `call`.
pub(super) unsafe fn check_request(request: &GwRequest, reports: &Reports) {
    // SAFETY: the caller's promise.
    let fields = unsafe { lines(request.headers, request.n_headers) };
    // SAFETY: as above, for every string of the head.
    let bytes = |part: &GwStr| unsafe { part.bytes() };
    let optional = |part: &GwStr| (!part.ptr.is_null()).then(|| bytes(part));
    // SAFETY: as above, for the addresses.
    let address = |address: *const GwAddr| unsafe { address.as_ref() }.map(identity);
    let has = |flag: u64| request.flags & flag != 0;
    RequestFacts {
        method: bytes(&request.method),
        target: bytes(&request.target),
        path: bytes(&request.path),
        query: optional(&request.query),
        mount: bytes(&request.mount),
        authority: bytes(&request.authority),
        protocol: optional(&request.protocol),
        fields,
        version: match request.version {
            version::HTTP_10 => (1, 0),
            version::HTTP_2 => (2, 0),
            version::HTTP_3 => (3, 0),
            _ => (1, 1),
        },
        is_absolute_form: has(request_flag::ABSOLUTE_FORM),
        content_length: Some(request.content_length).filter(|length| *length != LENGTH_UNKNOWN),
        has_body: has(request_flag::HAS_BODY),
        peer_is_client: address(request.peer) == address(request.client),
        client_is_forwarded: has(request_flag::CLIENT_FORWARDED),
        is_homemade: false,
    }
    .check(reports);

    //# [REQ-16] `ctx` is there; `first` and `body` are there only for a request that has a body; and `slot` is aligned
    //# to 16 and holds at least 1,024 bytes for this call alone.
    let has_parts = !request.first.is_null() || !request.body.is_null();
    let has_slot = !request.slot.is_null()
        && request.slot.addr() % SLOT_ALIGN == 0
        && request.slot_len >= SLOT_MIN_SIZE as u64;
    let is_sound =
        !request.ctx.is_null() && has_slot && (has(request_flag::HAS_BODY) || !has_parts);
    reports.expect(is_sound, rules::REQ_16, || {
        let (slot, length) = (request.slot, request.slot_len);
        format!(
            "ctx {:?}, slot {slot:?} of {length}, body parts: {has_parts}",
            request.ctx
        )
    });
    // SAFETY: the caller's promise.
    unsafe { check_hints(request, reports) };
}

/// # Safety
///
/// As for [`check_request`].
unsafe fn check_hints(request: &GwRequest, reports: &Reports) {
    //# [REQ-17] Ids are hints that agree with what they stand for: `method_id` with `method`, `name_id` of a field with
    //# its name. If `raw` is there, all slices of the head lie in it.
    // SAFETY: the caller's promise.
    let name = unsafe { request.method.bytes() };
    let id = method_id(name);
    reports.expect(
        request.method_id == id || request.method_id == method::OTHER,
        rules::REQ_17,
        || {
            format!(
                "method_id {} for {}",
                request.method_id,
                name.escape_ascii()
            )
        },
    );
    // SAFETY: the caller's promise.
    let headers = unsafe { Field::foreign(request.headers, request.n_headers) };
    // SAFETY: as above.
    unsafe { check_ids(request.headers, request.n_headers, reports) };
    if request.raw.len == 0 {
        return;
    }
    let raw = request.raw.ptr.addr()..request.raw.ptr.addr() + request.raw.len;
    let lies_in = |part: &[u8]| {
        let start = part.as_ptr().addr();
        part.is_empty() || (raw.contains(&start) && start + part.len() <= raw.end)
    };
    let parts = [
        &request.method,
        &request.target,
        &request.authority,
        &request.path,
    ];
    // SAFETY: the caller's promise.
    let all_in = parts.iter().all(|part| lies_in(unsafe { part.bytes() }))
        && headers
            .iter()
            .all(|field| lies_in(field.name()) && lies_in(field.value()));
    reports.expect(all_in, rules::REQ_17, || {
        "a slice of the head lies outside of raw".to_owned()
    });
}

/// What `method_id` says of this method, if it says anything.
pub(super) fn method_id(name: &[u8]) -> u32 {
    let known = METHODS.iter().find(|(_, known)| *known == name);
    known.map_or(method::OTHER, |(id, _)| *id)
}

/// Checks the ids and the reserved words of field lines.
///
/// # Safety
///
/// `headers` are `count` valid lines.
pub(super) unsafe fn check_ids(headers: *const GwHeader, count: u32, reports: &Reports) {
    // SAFETY: the caller's promise.
    for field in unsafe { Field::foreign(headers, count) } {
        let known = names::id_of(field.name());
        let id = field.name_id();
        reports.expect(id == 0 || id == known, rules::REQ_17, || {
            let claimed = NAMES.get(usize::from(id) - 1);
            format!(
                "name_id {id} ({claimed:?}) on {}",
                field.name().escape_ascii()
            )
        });
        //# [LOAD-05] Reserved fields are zero.
        reports.expect(field.into_raw().reserved == 0, rules::LOAD_05, || {
            format!("the reserved word of field {}", field.name().escape_ascii())
        });
    }
}

/// The facts of a response.
///
/// # Safety
///
/// `response` is a whole response of version 1.0, inside `respond`.
pub(super) unsafe fn response_facts<'a>(
    response: &'a GwResponse,
    offered: Offer<'a>,
    method_id: u32,
) -> ResponseFacts<'a> {
    let has = |flag: u64| response.flags & flag != 0;
    // SAFETY: the caller's promise.
    let protocol = unsafe { response.protocol.bytes() };
    // SAFETY: as above.
    let fields = unsafe { lines(response.headers, response.n_headers) };
    ResponseFacts {
        status: response.status,
        fields,
        at_hand: response.first.len as u64,
        has_more: !response.body.is_null(),
        declared: has(response_flag::HAS_LENGTH).then_some(response.content_length),
        switches_to: has(response_flag::UPGRADE).then_some(protocol),
        offered,
        answers_head: method_id == method::HEAD,
        answers_connect: method_id == method::CONNECT,
    }
}

/// # Safety
///
/// `headers` are `count` valid lines.
pub(super) unsafe fn lines<'a>(headers: *const GwHeader, count: u32) -> Vec<Line<'a>> {
    // SAFETY: the caller's promise.
    let fields: &'a [Field<'a>] = unsafe { Field::foreign(headers, count) };
    fields
        .iter()
        .map(|field| Line {
            name: field.name(),
            value: field.value(),
        })
        .collect()
}

fn identity(address: &GwAddr) -> (u16, u16, u32, [u8; 16]) {
    (address.family, address.port, address.scope, address.ip)
}

const METHODS: [(u32, &[u8]); 9] = [
    (method::GET, b"GET"),
    (method::HEAD, b"HEAD"),
    (method::POST, b"POST"),
    (method::PUT, b"PUT"),
    (method::DELETE, b"DELETE"),
    (method::CONNECT, b"CONNECT"),
    (method::OPTIONS, b"OPTIONS"),
    (method::TRACE, b"TRACE"),
    (method::PATCH, b"PATCH"),
];
const SLOT_ALIGN: usize = 16;
