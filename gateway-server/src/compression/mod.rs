//! Compression of what applications answer: which responses, and how.
//!
//! What is decided here is decided from the head alone. A response that is as it was is not touched;
//! one that is compressed says so to caches and loses what is no longer true.

mod amend;
mod encoder;
mod types;

use std::rc::Rc;

use gateway_spec::abi::{Field, names};

pub(crate) use self::amend::amended;
pub(crate) use self::encoder::Encoder;
pub(crate) use self::types::MediaTypes;

use crate::coding::{Accepted, Coding};
use crate::limits::COMPRESSED_STREAMS;

/// What is compressed, and how.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CompressionOptions {
    /// Of two codings that a client takes as gladly, the first is used.
    pub(crate) codings: Vec<Coding>,
    /// Bytes below which it is not worth while.
    pub(crate) min_size: u64,
    /// Of what is not compressed already.
    pub(crate) types: MediaTypes,
}

/// The same, at work.
#[derive(Debug)]
pub(crate) struct Compression {
    options: CompressionOptions,
    /// A copy is held for each body that is compressed piece by piece.
    streams: Rc<()>,
}

/// What becomes of a response, if it is fit for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// It stays as it is, and caches are told that others get another one.
    Identity,
    /// It is compressed.
    As(Coding),
}

/// Leave to compress a body piece by piece; there is so much memory for it.
#[derive(Debug)]
pub(crate) struct Leave(#[expect(dead_code, reason = "it is counted")] Rc<()>);

/// What of a response decides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) status: u16,
    pub(crate) fields: &'a [Field<'a>],
    /// Bytes, if that is known.
    pub(crate) length: Option<u64>,
}

impl Compression {
    pub(crate) fn new(options: CompressionOptions) -> Self {
        Self {
            options,
            streams: Rc::default(),
        }
    }

    /// What a client wants that says this.
    pub(crate) fn packing(&self, accepted: Accepted) -> Packing {
        let offered = self.options.codings.iter().copied();
        let mut chosen = accepted.choose(offered);
        chosen.next().map_or(Packing::Identity, Packing::As)
    }

    /// Leave to compress one more body piece by piece.
    pub(crate) fn leave(&self) -> Option<Leave> {
        let given = Rc::strong_count(&self.streams) - 1;
        (given < COMPRESSED_STREAMS).then(|| Leave(Rc::clone(&self.streams)))
    }

    /// Whether a response is fit to be compressed. Never is what has a coding already, is a part of
    /// something, or is not to be changed on its way (RFC 9111 §5.2.2.6); nor are events, for which
    /// their readers wait.
    pub(crate) fn fits(&self, subject: &Subject<'_>) -> bool {
        // Of nothing a coding makes something.
        let least = self.options.min_size.max(1);
        let small = subject.length.is_some_and(|length| length < least);
        if small || matches!(subject.status, ..200 | 204..=206 | 304) {
            return false;
        }
        let mut kind = None;
        for field in subject.fields {
            match known_id(field) {
                CONTENT_TYPE => kind = Some(field.value()),
                CONTENT_ENCODING | CONTENT_RANGE => return false,
                CACHE_CONTROL if has_token(field.value(), b"no-transform") => return false,
                0 if DIGESTS.contains(&field.name()) => return false,
                _ => {}
            }
        }
        kind.is_some_and(|kind| self.options.types.contain(kind))
    }
}

/// Whether a list has this element.
fn has_token(list: &[u8], token: &[u8]) -> bool {
    let mut elements = list.split(|byte| *byte == b',');
    elements.any(|element| element.trim_ascii().eq_ignore_ascii_case(token))
}

/// The id of a field's name, whether or not the application gave it.
fn known_id(field: &Field<'_>) -> u16 {
    match field.name_id() {
        0 => names::id_of(field.name()),
        id => id,
    }
}

const CACHE_CONTROL: u16 = names::id("cache-control");
const CONTENT_ENCODING: u16 = names::id("content-encoding");
const CONTENT_RANGE: u16 = names::id("content-range");
const CONTENT_TYPE: u16 = names::id("content-type");
/// What says something about the bytes that are sent.
const DIGESTS: [&[u8]; 4] = [b"content-digest", b"repr-digest", b"digest", b"content-md5"];

#[cfg(test)]
mod tests {
    use super::*;

    fn compression() -> Compression {
        Compression::new(CompressionOptions {
            codings: vec![Coding::Gzip, Coding::Brotli],
            min_size: 100,
            types: MediaTypes::parse("text/*,application/json").unwrap(),
        })
    }

    fn fits(status: u16, fields: &[(&str, &str)], length: Option<u64>) -> bool {
        let field = |(name, value): &(&'static str, &'static str)| {
            Field::new(0, name.as_bytes(), value.as_bytes())
        };
        let fields: Vec<(&'static str, &'static str)> = fields
            .iter()
            .map(|(name, value)| (&*name.to_string().leak(), &*value.to_string().leak()))
            .collect();
        let fields: Vec<_> = fields.iter().map(field).collect();
        compression().fits(&Subject {
            status,
            fields: &fields,
            length,
        })
    }

    #[test]
    fn texts_of_some_length_are_fit() {
        let text = ("content-type", "text/html; charset=utf-8");
        assert!(fits(200, &[text], Some(100)));
        assert!(fits(200, &[text], None));
        assert!(fits(404, &[text], Some(1 << 40)));
        assert!(fits(200, &[("content-type", "APPLICATION/JSON")], None));
        assert!(fits(
            200,
            &[text, ("cache-control", "public, max-age=1")],
            None
        ));
    }

    #[test]
    fn what_must_stay_as_it_is_is_not() {
        let text = ("content-type", "text/plain");
        assert!(!fits(200, &[text], Some(99)));
        assert!(!fits(200, &[], None));
        assert!(!fits(200, &[("content-type", "image/png")], None));
        assert!(!fits(200, &[("content-type", "text/event-stream")], None));
        assert!(!fits(
            200,
            &[("content-type", "Text/Event-Stream; x=y")],
            None
        ));
        for status in [101, 204, 205, 206, 304] {
            assert!(!fits(status, &[text], None), "{status}");
        }
        for other in [
            ("content-encoding", "gzip"),
            ("content-range", "bytes 0-1/2"),
            ("cache-control", "private, No-Transform"),
            ("content-digest", "sha-256=:x:"),
            ("repr-digest", "sha-256=:x:"),
        ] {
            assert!(!fits(200, &[text, other], None), "{other:?}");
        }
    }

    #[test]
    fn the_first_of_those_that_are_as_welcome_is_used() {
        let packing = |line: &[u8]| {
            let mut accepted = Accepted::default();
            accepted.hear(line);
            compression().packing(accepted)
        };
        assert_eq!(packing(b"br, gzip, zstd"), Packing::As(Coding::Gzip));
        assert_eq!(packing(b"br, gzip;q=0.9"), Packing::As(Coding::Brotli));
        assert_eq!(packing(b"zstd"), Packing::Identity);
        assert_eq!(packing(b""), Packing::Identity);
    }

    #[test]
    fn only_so_many_bodies_are_compressed_piece_by_piece_at_once() {
        let compression = compression();
        let mut all: Vec<_> = std::iter::from_fn(|| compression.leave()).collect();
        assert_eq!(all.len(), COMPRESSED_STREAMS);
        all.pop();
        assert!(compression.leave().is_some());
    }
}
