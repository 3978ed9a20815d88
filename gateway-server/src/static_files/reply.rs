//! [`Reply`]: an answer of the files', ready to be written.

use std::borrow::Cow;
use std::fs::File;
use std::time::{Duration, SystemTime};

use arrayvec::ArrayVec;
use gateway_spec::abi::{Field, method, names};

use super::asked::Asked;
use super::names::encode;
use super::range::Ranged;
use super::tag::Tag;
use super::variant::Variant;
use crate::coding::Coding;

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) fields: ArrayVec<Line, MOST_FIELDS>,
    pub(crate) content: Content,
}

/// A field of it: the id of a name in the table, and the value.
#[derive(Debug)]
pub(crate) struct Line(u16, Cow<'static, str>);

impl Line {
    /// As it is written.
    pub(crate) fn as_field(&self) -> Field<'_> {
        let name = names::name_of(self.0).unwrap_or_default();
        Field::new(self.0, name.as_bytes(), self.1.as_bytes())
    }
}

/// What stands behind the head.
#[derive(Debug)]
pub(crate) enum Content {
    /// Nothing, and nothing is said of its length.
    None,
    /// The status in words.
    Status,
    /// So many bytes of a file from an offset on.
    File {
        file: File,
        offset: u64,
        length: u64,
    },
}

/// What lets clients keep a copy.
#[derive(Debug)]
pub(super) struct Freshness<'t> {
    pub(super) tag: &'t Tag,
    pub(super) changed: SystemTime,
    pub(super) max_age: Duration,
    pub(super) immutable: bool,
}

impl Reply {
    fn new(status: u16, content: Content) -> Self {
        Self {
            status,
            fields: ArrayVec::new(),
            content,
        }
    }

    fn with(mut self, id: u16, value: impl Into<Cow<'static, str>>) -> Self {
        self.fields.push(Line(id, value.into()));
        self
    }

    /// The status, in words.
    pub(super) fn error(status: u16) -> Self {
        Self::new(status, Content::Status)
    }

    /// To a method that does nothing to files.
    pub(super) fn of_method(method_id: u32) -> Self {
        let reply = match method_id {
            method::OPTIONS => Self::new(204, Content::None),
            _ => Self::error(405),
        };
        reply.with(ALLOW, "GET, HEAD, OPTIONS")
    }

    /// Sends the client on to the same path with a slash behind it.
    pub(super) fn to_folder(asked: &Asked<'_>) -> Self {
        let mut location = String::new();
        for part in [asked.prefix, asked.path] {
            // As it is encoded; what stands there raw is made to.
            for (at, piece) in part.split(|byte| *byte == b'%').enumerate() {
                if at > 0 {
                    location.push('%');
                }
                encode(piece, &mut location);
            }
        }
        location.push('/');
        if let Some(query) = asked.query {
            location.push('?');
            location.extend(
                query
                    .iter()
                    .filter(|byte| byte.is_ascii_graphic())
                    .map(|byte| char::from(*byte)),
            );
        }
        Self::error(308).with(LOCATION, location)
    }

    /// The client's copy is good.
    pub(super) fn not_modified(freshness: &Freshness<'_>) -> Self {
        Self::new(304, Content::None).fresh(freshness)
    }

    /// A file, or a part of it.
    pub(super) fn file(
        variant: Variant,
        kind: Cow<'static, str>,
        ranged: Ranged,
        freshness: &Freshness<'_>,
    ) -> Self {
        let whole = variant.opened.length;
        let (status, offset, length) = match ranged {
            Ranged::Whole => (200, 0, whole),
            Ranged::Part { offset, length } => (206, offset, length),
            Ranged::Unsatisfiable => {
                return Self::error(416).with(CONTENT_RANGE, format!("bytes */{whole}"));
            }
        };
        let file = variant.opened.file;
        let content = Content::File {
            file,
            offset,
            length,
        };
        let mut reply = Self::new(status, content).with(CONTENT_TYPE, kind);
        if let Some(coding) = variant.coding {
            reply = reply.with(CONTENT_ENCODING, Coding::name(coding));
        }
        if status == 206 {
            let last = offset + length - 1;
            reply = reply.with(CONTENT_RANGE, format!("bytes {offset}-{last}/{whole}"));
        }
        reply
            .fresh(freshness)
            .with(ACCEPT_RANGES, "bytes")
            .with(X_CONTENT_TYPE_OPTIONS, "nosniff")
    }

    /// What a 304 says as well (RFC 9110 §15.4.5).
    fn fresh(self, freshness: &Freshness<'_>) -> Self {
        let cache: Cow<'static, str> = match freshness.max_age.as_secs() {
            _ if freshness.immutable => "public, max-age=31536000, immutable".into(),
            0 => "no-cache".into(),
            seconds => format!("public, max-age={seconds}").into(),
        };
        self.with(ETAG, freshness.tag.to_value())
            .with(LAST_MODIFIED, httpdate::fmt_http_date(freshness.changed))
            .with(CACHE_CONTROL, cache)
            .with(VARY, "accept-encoding")
    }
}

const ACCEPT_RANGES: u16 = names::id("accept-ranges");
const ALLOW: u16 = names::id("allow");
const CACHE_CONTROL: u16 = names::id("cache-control");
const CONTENT_ENCODING: u16 = names::id("content-encoding");
const CONTENT_RANGE: u16 = names::id("content-range");
const CONTENT_TYPE: u16 = names::id("content-type");
const ETAG: u16 = names::id("etag");
const LAST_MODIFIED: u16 = names::id("last-modified");
const LOCATION: u16 = names::id("location");
const VARY: u16 = names::id("vary");
const X_CONTENT_TYPE_OPTIONS: u16 = names::id("x-content-type-options");

/// Fields of an answer, as many as there can be.
const MOST_FIELDS: usize = 12;
