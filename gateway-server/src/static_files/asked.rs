//! [`Asked`]: what of a request decides about a file.

use gateway_spec::abi::{Field, names};

use crate::coding::Accepted;

/// A request, as far as files are concerned.
#[derive(Debug)]
pub(crate) struct Asked<'r> {
    pub(super) method_id: u32,
    /// As it was sent.
    pub(super) path: &'r [u8],
    pub(super) query: Option<&'r [u8]>,
    /// What proxies have taken off the path.
    pub(super) prefix: &'r [u8],
    pub(super) accepted: Accepted,
    /// The lines of If-Match; none if there is no such field.
    pub(super) if_match: Vec<&'r [u8]>,
    pub(super) if_none_match: Vec<&'r [u8]>,
    pub(super) if_unmodified_since: Option<&'r [u8]>,
    pub(super) if_modified_since: Option<&'r [u8]>,
    pub(super) if_range: Option<&'r [u8]>,
    /// One range is understood in one line alone.
    pub(super) ranges: Vec<&'r [u8]>,
}

impl<'r> Asked<'r> {
    /// Of a request with these fields.
    pub(crate) fn new(
        method_id: u32,
        (prefix, path, query): (&'r [u8], &'r [u8], Option<&'r [u8]>),
        fields: impl Iterator<Item = Field<'r>>,
    ) -> Self {
        let mut asked = Self {
            method_id,
            path,
            query,
            prefix,
            accepted: Accepted::default(),
            if_match: Vec::new(),
            if_none_match: Vec::new(),
            if_unmodified_since: None,
            if_modified_since: None,
            if_range: None,
            ranges: Vec::new(),
        };
        for field in fields {
            let value = field.value();
            match field.name_id() {
                ACCEPT_ENCODING => asked.accepted.hear(value),
                IF_MATCH => asked.if_match.push(value),
                IF_NONE_MATCH => asked.if_none_match.push(value),
                IF_UNMODIFIED_SINCE => asked.if_unmodified_since = Some(value),
                IF_MODIFIED_SINCE => asked.if_modified_since = Some(value),
                IF_RANGE => asked.if_range = Some(value),
                RANGE => asked.ranges.push(value),
                _ => {}
            }
        }
        asked
    }
}

const ACCEPT_ENCODING: u16 = names::id("accept-encoding");
const IF_MATCH: u16 = names::id("if-match");
const IF_NONE_MATCH: u16 = names::id("if-none-match");
const IF_UNMODIFIED_SINCE: u16 = names::id("if-unmodified-since");
const IF_MODIFIED_SINCE: u16 = names::id("if-modified-since");
const IF_RANGE: u16 = names::id("if-range");
const RANGE: u16 = names::id("range");
