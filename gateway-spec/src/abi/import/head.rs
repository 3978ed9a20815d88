//! The head of a request, lent as a [`CallHead`].

use http::{Method, Version};

use crate::abi::field::Field;
use crate::abi::host::{CallHead, HostAddress};
use crate::abi::types::{header_flag, method, request_flag, scheme, version};
use crate::head::Head;

/// What a call borrows beside the head itself.
pub(super) struct Lent<'a> {
    /// The copy of the head's bytes, if all names and values stand in it.
    region: &'a [u8],
    fields: Vec<Field<'a>>,
    peer: HostAddress,
    client: HostAddress,
    local: HostAddress,
}

impl<'a> Lent<'a> {
    pub(super) fn of(head: &'a Head) -> Self {
        let mut region = &*head.bytes;
        let lines = head.lines().zip(&head.fields.lines);
        let fields = lines.map(|((name, value), line)| {
            let mut name = name.as_bytes();
            let written = head.part(line.name, line.name_len);
            if written == name {
                name = written;
            } else {
                // The table's name, where the client wrote capitals.
                region = &[];
            }
            let field = Field::new(line.name_id, name, value);
            if line.flags & header_flag::SENSITIVE != 0 {
                field.sensitive()
            } else {
                field
            }
        });
        let fields = fields.collect();
        Self {
            region,
            fields,
            peer: HostAddress::from(&head.address(&head.peer)),
            client: HostAddress::from(&head.address(&head.client)),
            local: HostAddress::from(&head.address(&head.local)),
        }
    }

    /// The head as a call takes it; `content_length` is that of the body as it is now, which
    /// middleware may have replaced.
    pub(super) fn head(&'a self, head: &'a Head, content_length: Option<u64>) -> CallHead<'a> {
        let method = &head.method;
        CallHead {
            raw: self.region,
            method: method.as_str().as_bytes(),
            method_id: method_id(method),
            version: match head.version {
                Version::HTTP_10 => version::HTTP_10,
                Version::HTTP_2 => version::HTTP_2,
                Version::HTTP_3 => version::HTTP_3,
                _ => version::HTTP_11,
            },
            scheme: if head.https {
                scheme::HTTPS
            } else {
                scheme::HTTP
            },
            flags: head.flags & !request_flag::HAS_BODY,
            target: head.slice(head.target),
            authority: head.slice(head.authority),
            path: head.slice(head.path),
            query: head.query.map(|query| head.slice(query)),
            mount: head.slice(head.mount),
            protocol: head.protocol.map(|protocol| head.slice(protocol)),
            id: head.slice(head.id),
            fields: &self.fields,
            content_length,
            peer: &self.peer,
            client: &self.client,
            local: &self.local,
            arrival_ns: head.arrival_ns,
        }
    }
}

fn method_id(name: &Method) -> u32 {
    match *name {
        Method::GET => method::GET,
        Method::HEAD => method::HEAD,
        Method::POST => method::POST,
        Method::PUT => method::PUT,
        Method::DELETE => method::DELETE,
        Method::CONNECT => method::CONNECT,
        Method::OPTIONS => method::OPTIONS,
        Method::TRACE => method::TRACE,
        Method::PATCH => method::PATCH,
        _ => method::OTHER,
    }
}
