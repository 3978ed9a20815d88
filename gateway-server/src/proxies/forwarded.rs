//! Forwarded, the field that says all of it (RFC 7239).

use std::net::SocketAddr;

use super::list::NoList;
use super::node;

/// What one proxy says of whom it heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Element<'r> {
    node: Option<&'r [u8]>,
    proto: Option<&'r [u8]>,
    host: Option<&'r [u8]>,
}

impl<'r> Element<'r> {
    /// Reads `for=192.0.2.1;proto=https;host=example.org`, names in any case, each at most once
    /// (RFC 7239 §4).
    pub(super) fn parse(text: &'r [u8]) -> Option<Self> {
        let mut element = Self::default();
        let mut pairs = Pieces::of(text, b';');
        while let Some(pair) = pairs.next().ok()? {
            let pair = pair.trim_ascii();
            if pair.is_empty() {
                continue;
            }
            let equals = pair.iter().position(|byte| *byte == b'=')?;
            let (name, value) = (&pair[..equals], unquoted(&pair[equals + 1..])?);
            let place = if name.eq_ignore_ascii_case(b"for") {
                &mut element.node
            } else if name.eq_ignore_ascii_case(b"proto") {
                &mut element.proto
            } else if name.eq_ignore_ascii_case(b"host") {
                &mut element.host
            } else {
                continue;
            };
            if place.replace(value).is_some() {
                return None;
            }
        }
        Some(element)
    }

    pub(super) fn node(self) -> Option<SocketAddr> {
        let text = self.node?;
        // Without its brackets an IPv6 address is none here, so that ports are told apart.
        let bare = text.iter().filter(|byte| **byte == b':').count() > 1 && text[0] != b'[';
        if bare { None } else { node::parse(text) }
    }

    pub(super) fn proto(self) -> Option<&'r [u8]> {
        self.proto
    }

    pub(super) fn host(self) -> Option<&'r [u8]> {
        self.host
    }
}

/// The elements of a line, which commas part that are not quoted.
pub(super) fn split<'r>(line: &'r [u8], add: &mut dyn FnMut(&'r [u8])) -> Result<(), NoList> {
    let mut pieces = Pieces::of(line, b',');
    while let Some(piece) = pieces.next()? {
        add(piece);
    }
    Ok(())
}

/// A text in pieces, between bytes that do not stand in quotes.
struct Pieces<'r> {
    rest: Option<&'r [u8]>,
    between: u8,
}

impl<'r> Pieces<'r> {
    fn of(text: &'r [u8], between: u8) -> Self {
        Self {
            rest: Some(text),
            between,
        }
    }

    fn next(&mut self) -> Result<Option<&'r [u8]>, NoList> {
        let Some(rest) = self.rest.take() else {
            return Ok(None);
        };
        let (mut quoted, mut escaped) = (false, false);
        for (at, byte) in rest.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                byte if *byte == self.between && !quoted => {
                    self.rest = Some(&rest[at + 1..]);
                    return Ok(Some(&rest[..at]));
                }
                _ => {}
            }
        }
        if quoted { Err(NoList) } else { Ok(Some(rest)) }
    }
}

/// The value without its quotes. One with escapes names no address, host or scheme.
fn unquoted(value: &[u8]) -> Option<&[u8]> {
    let inner = match value {
        [b'"', inner @ .., b'"'] => inner,
        value => value,
    };
    let plain = inner.iter().all(|byte| !matches!(byte, b'"' | b'\\'));
    (plain && !inner.is_empty()).then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(line: &[u8]) -> Option<Vec<&[u8]>> {
        let mut elements = Vec::new();
        split(line, &mut |element| elements.push(element)).ok()?;
        Some(elements)
    }

    #[test]
    fn commas_in_quotes_part_nothing() {
        let line = br#"for="a,b", for="c\",d" ,for=e"#;
        let parts: [&[u8]; 3] = [br#"for="a,b""#, br#" for="c\",d" "#, b"for=e"];
        assert_eq!(elements(line).unwrap(), parts);
        assert_eq!(elements(br#"for="a, for=b"#), None);
    }

    #[test]
    fn names_come_in_any_case_and_order_and_only_once() {
        let element = Element::parse(br#"Proto=https; FOR="[2001:db8::1]:80";by=x;host=a.b"#);
        let element = element.unwrap();
        assert_eq!(element.node().unwrap().to_string(), "[2001:db8::1]:80");
        assert_eq!(element.proto(), Some(&b"https"[..]));
        assert_eq!(element.host(), Some(&b"a.b"[..]));
        for bad in [
            &b"for=1.2.3.4;for=5.6.7.8"[..],
            b"for",
            br#"for="a\"b""#,
            b"for=",
        ] {
            assert_eq!(Element::parse(bad), None);
        }
        let bare = Element::parse(b"for=2001:db8::1").unwrap();
        assert_eq!(bare.node(), None);
    }
}
