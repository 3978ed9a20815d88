//! The head of a request, lent as a [`CallHead`].

use http::Method;

use crate::abi::field::Field;
use crate::abi::host::{CallHead, HostAddress};
use crate::abi::types::{header_flag, method, request_flag};
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
        let lines = head.lines().zip(&head.lines);
        let fields = lines.map(|((name, value), line)| {
            let mut name = name.as_bytes();
            let written = head.written_name(line);
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
            client: HostAddress::from(&head.address(head.client())),
            local: HostAddress::from(&head.address(&head.local)),
        }
    }

    /// The head as a call takes it; `content_length` is that of the body as it is now, which
    /// middleware may have replaced.
    pub(super) fn head(&'a self, head: &'a Head, content_length: Option<u64>) -> CallHead<'a> {
        let (facts, method) = (&head.facts, head.method());
        let (name, written) = (method.as_str().as_bytes(), head.slice(facts.method));
        // A method that middleware has changed stands elsewhere.
        let (region, name) = if written == name {
            (self.region, written)
        } else {
            (&[][..], name)
        };
        let mut lent = CallHead::new(region);
        lent.set_method(method_id(method), name);
        lent.set_version(facts.version);
        lent.set_scheme(facts.scheme);
        lent.set_flags(facts.flags & !request_flag::HAS_BODY);
        let query = facts.query.there().map(|query| head.slice(query));
        lent.set_target(head.slice(facts.target), head.slice(facts.path), query);
        lent.set_authority(head.slice(facts.authority));
        lent.set_mount(head.slice(facts.mount));
        lent.set_protocol(facts.protocol.there().map(|protocol| head.slice(protocol)));
        lent.set_id(head.slice(facts.id));
        lent.set_fields(&self.fields);
        lent.set_content_length(content_length);
        lent.set_addresses(&self.peer, &self.client, &self.local);
        lent.set_arrival(facts.arrival_ns);
        lent
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
