//! The rules of request heads, over facts that the trait and the C ABI state alike.

use super::fields::{Line, is_token, line_is_valid};
use super::violation::Reports;
use crate::rules;

/// A request head, as far as rules speak of it.
#[derive(Debug)]
pub(crate) struct RequestFacts<'a> {
    pub(crate) method: &'a [u8],
    pub(crate) target: &'a [u8],
    pub(crate) path: &'a [u8],
    pub(crate) query: Option<&'a [u8]>,
    pub(crate) mount: &'a [u8],
    pub(crate) authority: &'a [u8],
    pub(crate) protocol: Option<&'a [u8]>,
    pub(crate) fields: Vec<Line<'a>>,
    /// Major and minor.
    pub(crate) version: (u8, u8),
    pub(crate) is_absolute_form: bool,
    pub(crate) content_length: Option<u64>,
    pub(crate) has_body: bool,
    pub(crate) peer_is_client: bool,
    pub(crate) client_is_forwarded: bool,
    /// Made in process, without a client and a host: its authority may be missing.
    pub(crate) is_homemade: bool,
}

impl RequestFacts<'_> {
    /// Reports every rule that the head breaks.
    pub(crate) fn check(&self, reports: &Reports) {
        self.check_target(reports);
        self.check_fields(reports);
        self.check_body(reports);

        //# [REQ-12] `peer` is the other end of the socket, as far as the host is told. `client` differs from it only
        //# when a trusted proxy named another address, and then CLIENT_FORWARDED says so.
        reports.expect(
            self.peer_is_client || self.client_is_forwarded,
            rules::REQ_12,
            || "client and peer differ, but no proxy is said to have named the client".to_owned(),
        );
    }

    fn check_target(&self, reports: &Reports) {
        //# [REQ-01] The method is a token of at least one character, its case kept.
        reports.expect(is_token(self.method), rules::REQ_01, || {
            format!(
                "expected a token, found method \"{}\"",
                self.method.escape_ascii()
            )
        });

        let target = || format!("target \"{}\"", self.target.escape_ascii());
        let bad = |byte: &u8| matches!(byte, 0..=0x20 | 0x7F);
        //# [REQ-02] `target` is the request target byte for byte as received, behind the prefix that a trusted proxy
        //# says it took off. `path` and `query` are parts of it: nothing is decoded, no dot segment removed, no
        //# slash merged.
        let mut tail = self.path.to_vec();
        if let Some(query) = self.query {
            tail.push(b'?');
            tail.extend_from_slice(query);
        }
        let is_connect = self.method == b"CONNECT";
        let names_no_path = self.is_absolute_form && self.path == b"/";
        let is_part = if self.is_absolute_form {
            self.target.ends_with(&tail) || names_no_path
        } else {
            (is_connect && tail.is_empty()) || self.target == tail
        };
        reports.expect(
            is_part && !self.target.iter().any(bad),
            rules::REQ_02,
            || format!("{} is not made of \"{}\"", target(), tail.escape_ascii()),
        );

        //# [REQ-03] The query is what follows the first `?` of the target. Without a `?` there is none, which is not
        //# the same as an empty one; the path contains no `?`.
        let has_mark = self.target.contains(&b'?');
        let is_split = !self.path.contains(&b'?') && self.query.is_some() == has_mark;
        reports.expect(is_split, rules::REQ_03, || {
            format!(
                "{} with query {:?}",
                target(),
                self.query.map(<[u8]>::escape_ascii)
            )
        });

        //# [REQ-04] The path starts with `/`, with two exceptions: it is `*` for `OPTIONS *` alone, and empty for
        //# CONNECT in authority-form alone. A target in absolute-form is split: its authority is `authority`, the
        //# rest is path and query, and ABSOLUTE_FORM is set.
        let has_form = match self.path {
            b"*" => self.method == b"OPTIONS",
            b"" => is_connect || self.is_absolute_form,
            path => path[0] == b'/',
        };
        let has_scheme = self.target.windows(3).any(|part| part == b"://");
        let is_marked = self.target.starts_with(b"/") != self.is_absolute_form || !has_scheme;
        reports.expect(has_form && is_marked, rules::REQ_04, || {
            let (method, path) = (self.method.escape_ascii(), self.path.escape_ascii());
            format!("method {method}, path \"{path}\" from {}", target())
        });

        //# [REQ-05] The mount is empty, or starts with `/` and does not end with it. It is a prefix of the path that
        //# ends where a segment ends; a request outside of it does not reach the application.
        let is_prefix = match self.path.strip_prefix(self.mount) {
            Some(rest) => self.mount.is_empty() || rest.is_empty() || rest[0] == b'/',
            None => false,
        };
        let is_well_formed =
            self.mount.is_empty() || (self.mount[0] == b'/' && !self.mount.ends_with(b"/"));
        reports.expect(is_prefix && is_well_formed, rules::REQ_05, || {
            let (mount, path) = (self.mount.escape_ascii(), self.path.escape_ascii());
            format!("mount \"{mount}\" of path \"{path}\"")
        });
    }

    fn check_fields(&self, reports: &Reports) {
        //# [REQ-06] Field names are lower-case tokens. Values hold no CR, LF or NUL and neither begin nor end with
        //# white space. Repeated fields stay separate lines, in the order received.
        for line in self.fields.iter().filter(|line| !line_is_valid(line)) {
            reports.breach(rules::REQ_06, format!("field {}", line.describe()));
        }

        //# [REQ-07] Pseudo-header fields are not fields. There is exactly one `host`, made from the authority if the
        //# client sent none and equal to it otherwise; only HTTP/1.0 may lack it.
        let hosts: Vec<_> = self
            .fields
            .iter()
            .filter(|line| line.name == b"host")
            .collect();
        let is_named = match hosts.as_slice() {
            [] if self.is_homemade => true,
            [] => self.version == (1, 0) && self.authority.is_empty(),
            [host] => host.value.eq_ignore_ascii_case(self.authority),
            _ => false,
        };
        let has_pseudo = self.fields.iter().any(|line| line.name.starts_with(b":"));
        reports.expect(is_named && !has_pseudo, rules::REQ_07, || {
            let authority = self.authority.escape_ascii();
            format!("{} host fields for authority \"{authority}\"", hosts.len())
        });

        //# [REQ-08] Cookie fields that HTTP/2 or HTTP/3 split are joined with `; ` into one.
        let cookies = self
            .fields
            .iter()
            .filter(|line| line.name == b"cookie")
            .count();
        reports.expect(self.version < (2, 0) || cookies < 2, rules::REQ_08, || {
            format!("{cookies} cookie fields in HTTP/{}", self.version.0)
        });

        //# [REQ-09] Hop-by-hop fields are the host's: connection, keep-alive, proxy-connection, transfer-encoding and
        //# upgrade do not appear, nor do fields that Connection named. `te` appears only as `trailers`.
        for line in &self.fields {
            let is_hops = HOP_BY_HOP.contains(&line.name)
                || (line.name == b"te" && !line.value.eq_ignore_ascii_case(b"trailers"));
            reports.expect(!is_hops, rules::REQ_09, || {
                format!("hop-by-hop field {}", line.describe())
            });
        }

        //# [REQ-15] `protocol` is the protocol that the client validly offers to switch to: by Upgrade in HTTP/1.1,
        //# or by an extended CONNECT. It is absent otherwise, never empty.
        let is_valid = match self.protocol {
            None => true,
            Some(protocol) if self.version < (2, 0) => {
                !protocol.is_empty() && self.version == (1, 1)
            }
            Some(protocol) => is_token(protocol) && self.method == b"CONNECT",
        };
        reports.expect(is_valid, rules::REQ_15, || {
            let protocol = self.protocol.unwrap_or_default().escape_ascii();
            format!(
                "protocol \"{protocol}\" in HTTP/{}.{}",
                self.version.0, self.version.1
            )
        });
    }

    fn check_body(&self, reports: &Reports) {
        //# [REQ-11] `content_length` is exact, zero for no body, or unknown; never guessed. A content-length field,
        //# if one appears, says the same, and a request without body has neither.
        let declared = self
            .fields
            .iter()
            .filter(|line| line.name == b"content-length");
        let agrees = |value: &[u8]| match self.content_length {
            Some(length) => number(value) == Some(length),
            None => false,
        };
        let is_exact = declared.clone().all(|line| agrees(line.value)) && declared.count() < 2;
        let is_bodiless = self.has_body || self.content_length == Some(0);
        reports.expect(is_exact && is_bodiless, rules::REQ_11, || {
            format!(
                "length {:?}, has a body: {}",
                self.content_length, self.has_body
            )
        });
    }
}

/// What digits say, however many zeros they begin with (RFC 9110 §8.6).
fn number(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

/// Fields that end at the host (RFC 9110 §7.6.1).
const HOP_BY_HOP: [&[u8]; 5] = [
    b"connection",
    b"keep-alive",
    b"proxy-connection",
    b"transfer-encoding",
    b"upgrade",
];
