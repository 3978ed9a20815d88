//! The fields of a response that is compressed, or would be for another client.

use gateway_spec::abi::{Field, names};

use super::{has_token, known_id};
use crate::coding::Coding;

/// The fields as they are true of what is sent: with `coding`, or as it was. `weak` is memory for the
/// entity tag, which a coding makes weak: another coding has other bytes.
pub(crate) fn amended<'a>(
    fields: &'a [Field<'a>],
    coding: Option<Coding>,
    weak: &'a mut Vec<u8>,
) -> Vec<Field<'a>> {
    let mut amended = Vec::with_capacity(fields.len() + 2);
    let mut varies = false;
    let mut tag_at = None;
    for field in fields {
        match known_id(field) {
            VARY => varies |= has_token(field.value(), b"*") || has_token(field.value(), ACCEPT),
            // Parts of it cannot be had.
            CONTENT_LENGTH | ACCEPT_RANGES if coding.is_some() => continue,
            ETAG if coding.is_some() && !field.value().starts_with(b"W/") => {
                tag_at = Some(amended.len());
                weak.extend_from_slice(b"W/");
                weak.extend_from_slice(field.value());
            }
            _ => {}
        }
        amended.push(*field);
    }
    if let Some(at) = tag_at {
        amended[at] = Field::new(ETAG, b"etag", weak);
    }
    if let Some(coding) = coding {
        let name = coding.name().as_bytes();
        amended.push(Field::new(CONTENT_ENCODING, b"content-encoding", name));
    }
    if !varies {
        amended.push(Field::new(VARY, b"vary", ACCEPT));
    }
    amended
}

const ACCEPT: &[u8] = b"accept-encoding";
const ACCEPT_RANGES: u16 = names::id("accept-ranges");
const CONTENT_ENCODING: u16 = names::id("content-encoding");
const CONTENT_LENGTH: u16 = names::id("content-length");
const ETAG: u16 = names::id("etag");
const VARY: u16 = names::id("vary");

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn expect(given: &[(&str, &str)], coding: Option<Coding>, expected: &[(&str, &str)]) {
        let field = |(name, value): &(&'static str, &'static str)| {
            Field::new(0, name.as_bytes(), value.as_bytes())
        };
        let given: Vec<(&'static str, &'static str)> = given
            .iter()
            .map(|(name, value)| (&*name.to_string().leak(), &*value.to_string().leak()))
            .collect();
        let fields: Vec<_> = given.iter().map(field).collect();
        let mut weak = Vec::new();
        let amended = amended(&fields, coding, &mut weak);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let found: Vec<_> = amended
            .iter()
            .map(|field| (text(field.name()), text(field.value())))
            .collect();
        let found: Vec<_> = found
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_compressed_has_a_weak_tag_and_no_length() {
        expect(
            &[
                ("etag", "\"a\""),
                ("content-length", "5"),
                ("accept-ranges", "bytes"),
                ("x", "y"),
            ],
            Some(Coding::Gzip),
            &[
                ("etag", "W/\"a\""),
                ("x", "y"),
                ("content-encoding", "gzip"),
                ("vary", "accept-encoding"),
            ],
        );
        let weak = ("etag", "W/\"a\"");
        let varies = ("vary", "cookie, Accept-Encoding");
        let coded = ("content-encoding", "br");
        expect(
            &[weak, varies],
            Some(Coding::Brotli),
            &[weak, varies, coded],
        );
    }

    #[test]
    fn what_is_not_is_only_told_to_vary() {
        let (tag, length) = (("etag", "\"a\""), ("content-length", "5"));
        let vary = ("vary", "accept-encoding");
        expect(&[tag, length], None, &[tag, length, vary]);
        expect(&[("vary", "cookie")], None, &[("vary", "cookie"), vary]);
        expect(&[("vary", "*")], None, &[("vary", "*")]);
    }
}
