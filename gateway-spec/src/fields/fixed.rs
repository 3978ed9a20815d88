//! [`Fixed`]: field lines that live for ever, carried by reference; [`DefaultFields`] are made of them.

use std::sync::OnceLock;

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use crate::abi::field::Field;
use crate::abi::names;
use crate::abi::types::response_flag;

pub(crate) type Line = (HeaderName, HeaderValue);

/// Field lines that live for ever, also as they cross the ABI.
pub(crate) struct Fixed {
    pub(super) lines: &'static [Line],
    pub(crate) crossing: &'static [Field<'static>],
    /// What is said of the response that has these lines and no others.
    pub(crate) flags: u64,
    /// Its place in [`KINDS`]; beyond them for lines that an application made.
    kind: usize,
    /// Whether it is known that no line is of those that a host looks at: of framing, of the
    /// connection, a length.
    #[cfg_attr(
        not(feature = "hosting"),
        expect(dead_code, reason = "read by what hosts share")
    )]
    pub(super) is_looked_at: bool,
    /// The lines as a map, once somebody wanted one.
    map: OnceLock<HeaderMap>,
}

/// Field lines for every response that does not say otherwise itself, such as those of a security
/// policy.
///
/// They are checked and written down once, and responses refer to them: see
/// [`Fields::add_defaults`](super::Fields::add_defaults). Make them at start-up, since their memory is
/// never given back.
#[derive(Clone, Copy)]
pub struct DefaultFields {
    /// Behind each of the [`KINDS`], the first of which has no lines.
    behind: &'static [Fixed; KINDS.len()],
}

impl DefaultFields {
    /// These lines, in their order.
    #[must_use]
    pub fn new(lines: impl IntoIterator<Item = (HeaderName, HeaderValue)>) -> Self {
        let own: Vec<Line> = lines.into_iter().collect();
        let behind = KINDS.map(|kind| {
            let named = |name: &HeaderName| kind.lines.iter().any(|(other, _)| other == name);
            let own = own.iter().filter(|(name, _)| !named(name));
            Fixed::leak(kind.lines.iter().chain(own).cloned().collect())
        });
        Self {
            behind: Box::leak(Box::new(behind)),
        }
    }

    /// The lines.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&HeaderName, &HeaderValue)> {
        let lines = self.behind[NONE.kind].lines.iter();
        lines.map(|(name, value)| (name, value))
    }

    /// Whether one of the lines has this name.
    pub(super) fn names(&self, name: &HeaderName) -> bool {
        self.iter().any(|(other, _)| other == name)
    }

    /// `fixed` with these lines behind it, but for those that it has itself; `None` for lines that an
    /// application made.
    #[inline]
    pub(super) fn behind(&self, fixed: &Fixed) -> Option<&'static Fixed> {
        self.behind.get(fixed.kind)
    }
}

impl std::fmt::Debug for DefaultFields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Fixed {
    fn leak(lines: Vec<Line>) -> Self {
        let lines: &'static [Line] = lines.leak();
        let crossing = lines.iter().map(|(name, value)| Field::of(name, value));
        Self {
            lines,
            crossing: crossing.collect::<Vec<_>>().leak(),
            flags: response_flag::LASTING_HEADERS,
            kind: KINDS.len(),
            is_looked_at: false,
            map: OnceLock::new(),
        }
    }

    /// Lines of another application, none of them such as a host looks at.
    pub(crate) fn looked_at(lines: Vec<Line>) -> Self {
        Self {
            is_looked_at: true,
            ..Self::leak(lines)
        }
    }

    /// The lines as a map of their own.
    pub(super) fn map(&self) -> HeaderMap {
        let made = self.map.get_or_init(|| {
            // A place for what servers add.
            let mut map = HeaderMap::with_capacity(self.lines.len() + 2);
            for (name, value) in self.lines {
                map.append(name, value.clone());
            }
            map
        });
        made.clone()
    }
}

/// A content type, by its place among the kinds.
macro_rules! content_types {
    ($($name:ident $kind:literal $value:literal;)*) => { $(
        pub(crate) static $name: Fixed = {
            static LINES: [Line; 1] = [(CONTENT_TYPE, HeaderValue::from_static($value))];
            static CROSSING: [Field<'static>; 1] = [Field::new(
                names::id("content-type"),
                b"content-type",
                $value.as_bytes(),
            )];
            let flags = response_flag::LASTING_HEADERS;
            Fixed {
                lines: &LINES,
                crossing: &CROSSING,
                flags,
                kind: $kind,
                is_looked_at: true,
                map: OnceLock::new(),
            }
        };
    )* };
}

/// No lines.
pub(crate) static NONE: Fixed = Fixed {
    lines: &[],
    crossing: &[],
    flags: 0,
    kind: 0,
    is_looked_at: true,
    map: OnceLock::new(),
};

content_types! {
    TEXT 1 "text/plain; charset=utf-8";
    HTML 2 "text/html; charset=utf-8";
    JSON 3 "application/json";
    OCTETS 4 "application/octet-stream";
}

/// What this crate's own responses begin with.
static KINDS: [&Fixed; 5] = [&NONE, &TEXT, &HTML, &JSON, &OCTETS];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_the_number_of_its_place() {
        for (place, kind) in KINDS.iter().enumerate() {
            assert_eq!(kind.kind, place);
            let crossing = kind.crossing.iter();
            let crossing: Vec<_> = crossing
                .map(|field| (field.name(), field.value()))
                .collect();
            let lines = kind.lines.iter();
            let lines: Vec<_> = lines
                .map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()))
                .collect();
            assert_eq!(crossing, lines);
        }
    }
}
