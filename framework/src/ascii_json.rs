//! JSON text of ASCII alone, as Python writes it: other characters are `\u` escapes.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter};

/// The compact text of `value`.
///
/// # Errors
///
/// What `value` itself refuses to be serialized as, for instance a map whose keys are no strings.
pub(crate) fn to_vec<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(128);
    value.serialize(&mut Serializer::with_formatter(
        &mut text,
        Ascii(CompactFormatter),
    ))?;
    Ok(text)
}

/// What the formatter within writes.
macro_rules! within {
    ($($method:ident)*) => { $(
        fn $method<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
            self.0.$method(to)
        }
    )* };
}

/// Formats as `F` does, strings apart.
pub(crate) struct Ascii<F>(pub(crate) F);

impl<F: Formatter> Formatter for Ascii<F> {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        to: &mut W,
        text: &str,
    ) -> io::Result<()> {
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| !c.is_ascii()) {
            let (plain, other) = rest.split_at(at);
            to.write_all(plain.as_bytes())?;
            let mut after = other.chars();
            for unit in after.next().into_iter().flat_map(utf16) {
                write!(to, "\\u{unit:04x}")?;
            }
            rest = after.as_str();
        }
        to.write_all(rest.as_bytes())
    }

    within! {
        begin_array end_array end_array_value begin_object end_object end_object_key
        begin_object_value end_object_value
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(to, first)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(to, first)
    }
}

fn utf16(c: char) -> impl Iterator<Item = u16> {
    let mut units = [0; 2];
    let len = c.encode_utf16(&mut units).len();
    units.into_iter().take(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_outside_ascii_are_escaped_as_utf_16() {
        let text = to_vec(&["a\"ü\n", "😀z"]).unwrap();
        let expected = "[\"a\\\"\\u00fc\\n\",\"\\ud83d\\ude00z\"]";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }
}
